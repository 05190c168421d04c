import { Dialog } from "./challenge.ts";
import { callHook } from "./contain.ts";
import { compact } from "./compact.ts";
import type { Common } from "./common.ts";
import type { Peer } from "./interface.ts";
import { type Acknowledge, type Outcome, type Unauthorized, unauthorized } from "../protocol.ts";
import { isOverLimit } from "./measure.ts";
import { createSession, isExpired, type Session } from "./session.ts";
import type { Event } from "./states.ts";
import { Points } from "./throttle.ts";
import { Timer } from "./timer.ts";
import { callVerifier, type Ending } from "./verifier.ts";

/** How long a verifier may take where no deadline runs, in ms; challenges apart. */
const ANSWER_LIMIT = 30_000;

/** The code of an attempt whose client has left, for those who observe. */
const ABANDONED = "abandoned";

/** What has come of credentials. */
type Judged = Extract<Event, { type: "accepted" | "refused" }>;

/** The connection that credentials came on. */
interface Sender<S> {
  readonly guard: Common<S>;
  /** Ends it if its time is over, also if no timer has had its turn. */
  lookAtClock(): void;
  readonly knownId: string | undefined;
  whenCaughtUp(session: Session<unknown>, isWanted: () => boolean, go: () => void): void;
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
  /** What has come of it has been noted. */
  #isNoted = false;
  #points: Points<S> | undefined;
  /** The verifier has been asked, and has not said yes: that counts as a failure. */
  #isGuess = false;
  #isChallenged = false;
  #stop: ((ending: Ending) => void) | undefined;
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
  judge(isBounded: boolean, onEvent: (event: Event) => void): void {
    if (!isBounded) this.#limit = this.#startLimit(onEvent);
    const { policy } = this.#guard;
    if (isOverLimit(this.#credentials, policy.maxCredentials)) {
      return this.#settle(this.#refused(unauthorized("invalid_credentials")), onEvent);
    }
    this.#credentials = compact(this.#credentials);
    const isSlow = policy.credentials !== undefined || policy.throttles.length > 0;
    if (!isSlow) return this.#verify(onEvent);
    void this.#screen().then((refusal) => {
      // Work that nobody waits for any more is not begun.
      this.#connection.lookAtClock();
      if (this.#isOver) return;
      if (refusal) this.#settle(this.#refused(refusal), onEvent);
      else this.#verify(onEvent);
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
      this.#points = new Points(policy.throttles, clock);
      return await this.#points.take(this.peer, this.#credentials);
    } catch (error) {
      if (!this.#isOver) policy.report(error, { during, socket: this.peer.socket });
      return unauthorized("server_error");
    }
  }

  #verify(onEvent: (event: Event) => void): void {
    this.#isGuess = true;
    const { policy, spreading } = this.#guard;
    const { socket } = this.peer;
    const openDialog = () => this.#openDialog(onEvent);
    this.#stop = callVerifier(policy, socket, this.#credentials, openDialog, (verdict) => {
      if ("error" in verdict) policy.report(verdict.error, { during: "authenticate", socket });
      // A verifier that is broken has looked at nothing, and a user is no guess.
      this.#isGuess = "refusal" in verdict && !("error" in verdict);
      spreading.served();
      if ("refusal" in verdict) return this.#settle(this.#refused(verdict.refusal), onEvent);
      this.#begin(verdict.user, onEvent);
    });
    // The verifier itself may have ended it, with a disconnect.
    if (this.#isOver) this.#stop("ended");
  }

  /** Begins the session of a user whose credentials are good; if it may. */
  #begin(user: unknown, onEvent: (event: Event) => void): void {
    const { policy, clock } = this.#guard;
    const { socket } = this.peer;
    let session: Session<unknown>;
    try {
      session = createSession(policy, user, clock.now());
    } catch (error) {
      policy.report(error, { during: "session", socket });
      return this.#settle(this.#refused(unauthorized("server_error")), onEvent);
    }
    this.#connection.whenCaughtUp(session, () => !this.#isOver, () => {
      if (!this.#isOver) this.#settle(this.#accept(session), onEvent);
    });
  }

  #accept(session: Session<unknown>): Judged {
    const { policy, clock, revocations } = this.#guard;
    if (isExpired(session, clock.now(), policy.grace)) {
      // With the same credentials it would be no better.
      return this.#refused({ ...unauthorized("expired"), reconnect: false });
    }
    if (revocations.covers(session, this.begunAt, this.#connection.knownId)) {
      return this.#refused(unauthorized("revoked"));
    }
    return { type: "accepted", attempt: this.id, session, since: this.begunAt };
  }

  #refused(refusal: Unauthorized): Judged {
    return { type: "refused", attempt: this.id, refusal };
  }

  /** Notes what has come of it, and hands it on; if that is not too late. */
  #settle(judged: Judged, onEvent: (event: Event) => void): void {
    this.#connection.lookAtClock();
    if (this.#isOver) return;
    this.#note(judged.type === "refused" ? judged.refusal.code : judged.session);
    this.#settlePoints();
    onEvent(judged);
  }

  /** Each attempt is noted once, however it ends: with a session, or the code of a refusal. */
  #note(outcome: Session<unknown> | string): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    const { clock, journal } = this.#guard;
    const duration = clock.monotonic() - this.begunAt;
    if (typeof outcome === "string") {
      return journal.note(this.peer, { type: "attempt", ok: false, code: outcome, duration });
    }
    const whose = outcome.userId === undefined ? {} : { userId: outcome.userId };
    journal.note(this.peer, { type: "attempt", ok: true, ...whose, duration });
  }

  /** Failures are counted: credentials that were looked at, and were not right. */
  #settlePoints(): void {
    const points = this.#points;
    this.#points = undefined;
    if (!points) return;
    if (this.#isGuess) return points.keep();
    callHook(this.#guard.policy, "throttle", this.peer.socket, () => points.giveBack());
  }

  #openDialog(onEvent: (event: Event) => void): Dialog<S> {
    const { clock, policy } = this.#guard;
    const whenConnected = (fn: () => void) => this.#whenConnected(fn);
    return new Dialog(this.peer, clock, policy.maxCredentials, whenConnected, (type) => {
      this.#isChallenged = true;
      if (type === "challenged") this.#limit?.pause();
      else this.#limit?.resume();
      onEvent({ type, attempt: this.id });
    });
  }

  #startLimit(onEvent: (event: Event) => void): Timer {
    const { clock } = this.#guard;
    const { monotonic } = clock;
    return new Timer(clock, monotonic, monotonic() + ANSWER_LIMIT, () => {
      this.#stop?.("overdue");
      this.#settle(this.#refused(this.#guard.busy("timeout")), onEvent);
    });
  }

  /** The namespace it came with has been connected. */
  joined(): void {
    this.#givePlaceBack();
    this.#onConnected?.();
    this.#onConnected = undefined;
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
    this.#stop?.(code === "timeout" ? "overdue" : "ended");
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
    this.close(reason?.code);
    if (reason) this.refuse(reason);
  }

  /** Answers whoever sent it, if they want to know. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  /** The same, with a refusal. */
  refuse(refusal: Unauthorized): void {
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
