import { Dialog } from "./challenge.ts";
import { callHook } from "./contain.ts";
import { compact } from "./compact.ts";
import type { Common } from "./common.ts";
import type { Peer } from "./interface.ts";
import {
  type Acknowledge,
  type Declined,
  type Outcome,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import { isOver, measure } from "./measure.ts";
import type { Notice } from "./notices.ts";
import { isExpired, type Session } from "./session.ts";
import type { Event } from "./states.ts";
import { Points } from "./throttle.ts";
import { Timer } from "./timer.ts";
import type { Admission } from "./users.ts";
import { type Verdict, Verification } from "./verifier.ts";

/** How long a verifier may take where no deadline runs, in ms; challenges apart. */
const ANSWER_LIMIT = 30_000;

/** The code of an attempt whose client has left, for those who observe. */
const ABANDONED = "abandoned";

/** Why the deadline may have ended an attempt before the verifier was asked. */
const SCREENING: [Notice, string] = [
  "screening",
  "The deadline ended an attempt before the verifier was asked: the schema of the option " +
  "credentials or the option throttle had not answered.",
];

/** What has come of credentials. */
type Judged = Extract<Event, { type: "accepted" | "refused" }>;

/** The connection that credentials came on. */
interface Sender<S> {
  readonly guard: Common<S>;
  /** Ends it if its time is over, also if no timer has had its turn. */
  lookAtClock(): void;
  readonly knownId: string | undefined;
  /** Calls `submission.caughtUp` once all that were recovered know what they have missed. */
  catchUp(submission: Submission<S>, session: Session<unknown>): void;
  /** Something has come of it. */
  happened(event: Event): void;
}

/** Credentials on their way through the machine. */
export class Submission<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  /** By the monotonic clock. */
  readonly begunAt: number;
  readonly #guard: Common<S>;
  readonly #connection: Sender<S>;
  #credentials: unknown;
  #acknowledge: Acknowledge | undefined;
  /** They came along with the request for a namespace, which has not been granted yet. */
  #isJoining: boolean;
  #isOver = false;
  #isAbandoned = false;
  /** What has come of it has been noted. */
  #isNoted = false;
  #points: Points<S> | undefined;
  /** The verifier has been asked, and has not said yes: that counts as a failure. */
  #isGuess = false;
  #isChallenged = false;
  #verification: Verification<S> | undefined;
  /** Only where no deadline runs. */
  #limit: Timer | undefined;
  /** What is to be done as soon as the client can be talked to. */
  #onConnected: (() => void) | undefined;

  constructor(
    id: number,
    connection: Sender<S>,
    peer: Peer<S>,
    credentials: unknown,
    acknowledge: Acknowledge | undefined,
  ) {
    this.id = id;
    this.peer = peer;
    const { guard } = connection;
    this.begunAt = guard.clock.monotonic();
    this.#guard = guard;
    this.#connection = connection;
    this.#credentials = credentials;
    this.#acknowledge = acknowledge;
    this.#isJoining = !peer.connected;
    if (this.#isJoining) guard.journal.count("pending", 1);
  }

  /** As the schema returned them, where there is one. */
  get credentials(): unknown {
    return this.#credentials;
  }

  /**
   * Judges the credentials, and hands on what comes of it; within a time of its
   * own if no deadline bounds it. From here on the file reads from top to
   * bottom: size, schema and throttle, the cheapest first; then the verifier;
   * then the session that would come of it.
   */
  judge(isBounded: boolean): void {
    if (!isBounded) this.#limit = this.#startLimit();
    const { policy } = this.#guard;
    const size = measure(this.#credentials, policy.maxCredentials);
    if (isOver(size, policy.maxCredentials)) {
      return this.#refuse(unauthorized("invalid_credentials"));
    }
    if (size.hasBinary) this.#credentials = compact(this.#credentials);
    const isSlow = policy.credentials !== undefined || policy.throttle.length > 0;
    if (!isSlow) return this.#verify();
    void this.#screen().then((refusal) => {
      // Work that nobody waits for any more is not begun.
      this.#connection.lookAtClock();
      if (this.#isOver) return;
      if (refusal) this.#refuse(refusal);
      else this.#verify();
    });
  }

  /** Schema and throttle. Resolves with a refusal, if they have one. */
  async #screen(): Promise<Unauthorized | undefined> {
    const { policy, clock } = this.#guard;
    let during = "credentials";
    try {
      if (policy.credentials) {
        const result = await policy.credentials["~standard"].validate(this.#credentials);
        // What is wrong with them might quote them: it is nobody's to see.
        if (result.issues) return unauthorized("invalid_credentials");
        this.#credentials = result.value;
      }
      during = "throttle";
      if (this.#isOver) return undefined;
      this.#points = new Points(policy.throttle, clock);
      return await this.#points.take(this.peer, this.#credentials);
    } catch (error) {
      if (!this.#isOver) policy.report(error, { during, socket: this.peer.socket });
      return unauthorized("server_error");
    }
  }

  #verify(): void {
    this.#isGuess = true;
    this.#verification = new Verification(this.#guard, this.peer.socket, this);
    this.#verification.begin(this.#credentials);
  }

  /** The verifier has answered. */
  verified(verdict: Verdict): void {
    const { policy, spreading } = this.#guard;
    if ("error" in verdict) {
      policy.report(verdict.error, { during: policy.decides, socket: this.peer.socket });
    }
    // A verifier that is broken has looked at nothing, and a user is no guess.
    this.#isGuess = "refusal" in verdict && !("error" in verdict);
    spreading.served();
    if ("refusal" in verdict) this.#refuse(verdict.refusal);
    else this.#begin(verdict);
  }

  /** Begins the session of a user whose credentials are good; if it may. */
  #begin(admission: Admission<unknown>): void {
    const { policy, clock, identities } = this.#guard;
    let session: Session<unknown>;
    try {
      session = identities.sessionOf(admission, clock.now(), this.peer.socket);
    } catch (error) {
      policy.report(error, { during: "session", socket: this.peer.socket });
      return this.#refuse(unauthorized("server_error"));
    }
    this.#connection.catchUp(this, session);
  }

  /** Whether anybody still waits for what comes of it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whoever is to have the session knows what they have missed. */
  caughtUp(session: Session<unknown>): void {
    if (this.#isOver) return;
    const { policy, clock } = this.#guard;
    if (isExpired(session, clock.now(), policy.grace)) {
      // With the same credentials it would be no better.
      return this.#refuse({ ...unauthorized("expired"), reconnect: false });
    }
    if (this.#isRevoked(session)) return this.#refuse(unauthorized("revoked"));
    this.#settle({ type: "accepted", attempt: this.id, session, since: this.begunAt });
  }

  #isRevoked(session: Session<unknown>): boolean {
    return this.#guard.revocations.covers(session, this.begunAt, this.#connection.knownId);
  }

  #refuse(refusal: Unauthorized): void {
    this.#settle({ type: "refused", attempt: this.id, refusal });
  }

  /** Notes what has come of it, and hands it on; if that is not too late. */
  #settle(judged: Judged): void {
    this.#connection.lookAtClock();
    if (this.#isOver) return;
    this.#note(judged.type === "refused" ? judged.refusal.code : judged.session);
    this.#settlePoints();
    // By whoever was told of it just now.
    const isRevoked = judged.type === "accepted" && this.#isRevoked(judged.session);
    if (!isRevoked) return this.#connection.happened(judged);
    const refusal = unauthorized("revoked");
    this.#connection.happened({ type: "refused", attempt: this.id, refusal });
  }

  /** Each attempt is noted once, however it ends: with a session, or the code of a refusal. */
  #note(outcome: Session<unknown> | string): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    const { clock, journal } = this.#guard;
    const isRefused = typeof outcome === "string";
    journal.countAttempt(!isRefused);
    journal.note(this.peer, () => {
      const times = {
        duration: clock.monotonic() - this.begunAt,
        ...this.#verification && { verification: this.#verification.duration },
      };
      if (isRefused) return { type: "attempt", ok: false, code: outcome, ...times };
      const whose = outcome.userId === undefined ? {} : { userId: outcome.userId };
      return { type: "attempt", ok: true, ...whose, ...times };
    });
  }

  /** Failures are counted: credentials that were looked at, and were not right. */
  #settlePoints(): void {
    const points = this.#points;
    this.#points = undefined;
    if (!points) return;
    if (this.#isGuess) return points.keep();
    const { socket } = this.peer;
    callHook(this.#guard.policy, { during: "throttle", socket }, () => points.giveBack());
  }

  openDialog(): Dialog<S> {
    const { clock, policy } = this.#guard;
    const whenConnected = (fn: () => void) => this.#whenConnected(fn);
    return new Dialog(this.peer, clock, policy.maxCredentials, whenConnected, (type) => {
      this.#isChallenged = true;
      if (type === "challenged") this.#limit?.pause();
      else this.#limit?.resume();
      this.#connection.happened({ type, attempt: this.id });
    });
  }

  /** Tells the operator why the deadline may have ended it. */
  explainSilence(): void {
    const { notices, policy } = this.#guard;
    const [notice, message] = this.#verification?.explainSilence() ?? SCREENING;
    const during = this.#verification ? policy.decides : "throttle";
    notices.hourly(notice, message, { during, socket: this.peer.socket });
  }

  #startLimit(): Timer {
    const { clock } = this.#guard;
    const { monotonic } = clock;
    return new Timer(clock, monotonic, monotonic() + ANSWER_LIMIT, () => {
      this.explainSilence();
      this.#refuse(this.#guard.busy("timeout"));
    });
  }

  /** The namespace it came with has been connected. */
  joined(): void {
    this.#givePlaceBack();
    this.#onConnected?.();
    this.#onConnected = undefined;
  }

  /** Its client has left its namespace: nobody can be told what comes of it. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#note(ABANDONED);
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /**
   * It is over, however it has ended: from now on nobody has anything to say. The
   * code is for those who count, if it has ended without an answer.
   */
  close(code: Unauthorized["code"] = ABANDONED): void {
    this.#isOver = true;
    // Nobody has learned anything of it, if it was the server that was too slow.
    if (code === "timeout" && !this.#isChallenged) this.#isGuess = false;
    this.#note(code);
    this.#settlePoints();
    this.#givePlaceBack();
    this.#verification?.end();
    this.#limit?.stop();
  }

  /** The same, before anybody has looked at it, and without being an attempt at all. */
  ignore(): void {
    this.#isNoted = true;
    this.close();
  }

  /** The same, before it was decided. Without a refusal there is nobody to tell. */
  abort(refusal: Unauthorized | undefined): void {
    // What was begun for a socket that is not connected yet has to be undone.
    const reason = refusal ?? (this.#isJoining ? unauthorized("server_error") : undefined);
    this.close(refusal?.code);
    if (reason) this.refuse(reason);
  }

  /** Answers whoever sent it, if they want to know. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  /** The same, with a refusal. */
  refuse(refusal: Declined): void {
    this.answer({ ok: false, ...refusal });
  }

  /** A client that is still joining can be asked once its namespace is connected. */
  #whenConnected(fn: () => void): void {
    if (!this.#isJoining) return fn();
    this.#onConnected = fn;
    this.answer({ ok: true, reply: undefined });
  }

  #givePlaceBack(): void {
    if (this.#isJoining) this.#guard.journal.count("pending", -1);
    this.#isJoining = false;
  }
}
