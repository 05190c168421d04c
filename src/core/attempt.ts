import { Dialog } from "./challenge.ts";
import { isMissing, isNothing, isObject } from "./checks.ts";
import { callHook } from "./contain.ts";
import { compact } from "./compact.ts";
import type { Connection } from "./connection.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { isBad, measure } from "./measure.ts";
import type { Notice } from "./notices.ts";
import {
  type Acknowledge,
  type Code,
  type Declined,
  type Outcome,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import type { StandardSchema } from "./schema.ts";
import { isExpired, type Session } from "./session.ts";
import type { Event } from "./states.ts";
import { Points, type SessionKeys } from "./throttle.ts";
import { Timer } from "./timer.ts";
import type { Admission } from "./users.ts";
import { type Verdict, Verification } from "./verifier.ts";

/** How long a verifier may take where no deadline runs, in ms; challenges apart. */
const ANSWER_LIMIT = 30_000;

/** The code of an attempt whose client has left, for those who observe. */
const ABANDONED = "abandoned";

/** Refusals that say nothing about the credentials, or that the verifier found them good. */
const NO_VERDICT: ReadonlySet<string> = new Set<Code>([
  "server_error",
  "timeout",
  "too_many_attempts",
  "expired",
]);

/** What has come of credentials. */
type Judged = Extract<Event, { type: "accepted" | "refused" }>;

/** Why the deadline may have ended an attempt before the verifier was asked. */
const SCREENING: [Notice, string] = [
  "screening",
  "The deadline ended an attempt before the verifier was asked: the schema of the option " +
  "credentials or the option throttle had not answered.",
];

/**
 * Credentials, from their arrival to what comes of them. The methods stand in the order in which
 * they run: `begin` finds and screens the credentials, `#ask` asks the verifier, `answered` takes
 * its answer, `#judge` the session that would come of it, `#decide` tells the connection, and
 * `end` ends it, for the client, the server and the clock alike.
 */
export class Attempt<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  /** When the credentials arrived, by the monotonic clock. */
  readonly begunAt: number;
  /** How many others were declined since it was begun. */
  declined = 0;
  /** What each socket is told with `authenticated`, once the attempt is accepted. */
  replies: ReadonlyMap<Peer<S>, unknown> | undefined;
  readonly #connection: Connection<S, unknown>;
  readonly #guard: Guard<S, unknown>;
  #credentials: unknown;
  #acknowledge: Acknowledge | undefined;
  #points: Points<S> | undefined;
  #verification: Verification<S> | undefined;
  /** Only where no deadline runs. */
  #limit: Timer | undefined;
  /** What is to be done as soon as the client can be talked to. */
  #onConnected: (() => void) | undefined;
  /** Whether the credentials are what a function in the option `handshake` has found. */
  #areFound: boolean;
  /** Whether its socket was promised to be connected, so that the client can be asked. */
  #isPromised = false;
  #isAnswered = false;
  #isNoted = false;
  #isOver = false;
  #isAbandoned = false;

  constructor(
    id: number,
    connection: Connection<S, unknown>,
    peer: Peer<S>,
    credentials: unknown,
    acknowledge: Acknowledge | undefined,
  ) {
    this.id = id;
    this.peer = peer;
    this.#connection = connection;
    this.#guard = connection.guard;
    this.begunAt = connection.guard.clock.monotonic();
    this.#credentials = credentials;
    this.#acknowledge = acknowledge;
    this.#areFound = !peer.connected && typeof this.#guard.policy.handshake === "function";
  }

  /** As the schema returned them, where there is one. */
  get credentials(): unknown {
    return this.#credentials;
  }

  /** The keys that the throttles count it under, a list for each throttle. */
  get keys(): SessionKeys["keys"] | undefined {
    return this.#points?.keys;
  }

  /** Whether the verifier was asked. */
  get isAsked(): boolean {
    return this.#verification !== undefined;
  }

  /** Whether it was asked, and has not answered. */
  get isVerifying(): boolean {
    return this.isAsked && !this.#isAnswered;
  }

  /** Begins it; within a time of its own if no deadline bounds it. */
  begin(isBounded: boolean): void {
    if (!isBounded) this.#startLimit();
    const { credentials: schema, throttle } = this.#guard.policy;
    // A schema says whether it takes `{}`.
    const isLeftToSchema = schema && isObject(this.#credentials);
    const refusal = this.#isNone && !isLeftToSchema ? this.#takeBrought() : this.#measure();
    if (refusal) return this.#refuse(refusal);
    if (!schema && throttle.length === 0) return this.#ask();
    void this.#screen(schema).then((refusal) => {
      // The deadline may be over by now: the verifier is not asked for nothing.
      this.#connection.lookAtClock();
      if (this.#isOver) return;
      if (refusal) this.#refuse(refusal);
      else this.#ask();
    });
  }

  /** Whether the client brings no credentials of its own, where the server finds others. */
  get #isNone(): boolean {
    const { handshake } = this.#guard.policy;
    return typeof handshake === "function" && this.peer.connected && isNothing(this.#credentials);
  }

  /** Takes the credentials of the transport. Returns a refusal if there are none. */
  #takeBrought(): Unauthorized | undefined {
    try {
      this.#credentials = this.#connection.brought(this.peer);
    } catch (error) {
      return this.#fail(error, "handshake");
    }
    this.#areFound = true;
    return isMissing(this.#credentials) ? unauthorized("authentication_failed") : this.#measure();
  }

  /** Refuses what is too large; and what is not plain, unless the application has found it. */
  #measure(): Unauthorized | undefined {
    const { maxCredentials } = this.#guard.policy;
    try {
      const size = measure(this.#credentials, maxCredentials);
      const isPlain = size.isPlain || this.#areFound;
      if (isBad({ ...size, isPlain }, maxCredentials)) return unauthorized("invalid_credentials");
      if (size.hasBinary) this.#credentials = compact(this.#credentials);
      return undefined;
    } catch (error) {
      // What the application has found may throw when it is looked at.
      return this.#fail(error, "handshake");
    }
  }

  /** Schema and throttle. Resolves with a refusal, if they have one. */
  async #screen(schema: StandardSchema<unknown> | undefined): Promise<Unauthorized | undefined> {
    const { policy, clock } = this.#guard;
    let during = "credentials";
    try {
      if (schema) {
        const refusal = await this.#validate(schema);
        if (refusal) return refusal;
      }
      during = "throttle";
      if (this.#isOver) return undefined;
      this.#points = new Points(policy.throttle, clock);
      return await this.#points.take(this.peer, this.#credentials, this.#connection.sessionKeys);
    } catch (error) {
      return this.#isOver ? undefined : this.#fail(error, during);
    }
  }

  async #validate(schema: StandardSchema<unknown>): Promise<Unauthorized | undefined> {
    let result = await schema["~standard"].validate(this.#credentials);
    if (result.issues && this.#isNone) {
      const refusal = this.#takeBrought();
      if (refusal) return refusal;
      result = await schema["~standard"].validate(this.#credentials);
    }
    // The issues may quote the credentials: neither client nor operator is told of them.
    if (result.issues) return unauthorized("invalid_credentials");
    this.#credentials = result.value;
    return undefined;
  }

  #ask(): void {
    this.#verification = new Verification(this.#guard, this);
    this.#verification.begin(this.#credentials);
  }

  /** The verifier has answered, be it late. This alone says whether points come back. */
  answered(verdict: Verdict): void {
    this.#isAnswered = true;
    const { policy, spreading } = this.#guard;
    // It has looked at nothing, if it says so itself or has failed.
    const isNo = "refusal" in verdict && verdict.refusal.code !== "server_error";
    if (isNo || "error" in verdict) this.#points?.spend();
    else this.#giveBack();
    if (this.#isOver) {
      if (isNo && this.#isAbandoned) this.#connection.happened({ type: "failed" });
      return;
    }
    if ("error" in verdict) this.#report(verdict.error, policy.decides);
    spreading.served();
    if ("refusal" in verdict) return this.#refuse(verdict.refusal, isNo);
    const session = this.#sessionOf(verdict);
    if (session) this.#connection.whenCaughtUp(this, session, () => this.#judge(session));
  }

  #sessionOf(admission: Admission<unknown>): Session<unknown> | undefined {
    const { clock, identities } = this.#guard;
    try {
      return identities.sessionOf(admission, clock.now(), this.peer.socket);
    } catch (error) {
      this.#refuse(this.#fail(error, "session"));
    }
  }

  /** The user is known, and so is what a recovered client has missed. */
  #judge(session: Session<unknown>): void {
    if (this.#isOver) return;
    const { policy, clock } = this.#guard;
    if (isExpired(session, clock.now(), policy.grace)) {
      // With the same credentials it would be no better.
      return this.#refuse({ ...unauthorized("expired"), reconnect: false });
    }
    if (this.#isRevoked(session)) return this.#refuse(unauthorized("revoked"));
    try {
      this.replies = this.#connection.repliesOf(session);
    } catch (error) {
      return this.#refuse(this.#fail(error, "reply"));
    }
    this.#decide({ type: "accepted", attempt: this.id, session, since: this.begunAt });
  }

  #isRevoked(session: Session<unknown>): boolean {
    return this.#guard.revocations.covers(session, this.begunAt, this.#connection.knownId);
  }

  /** Something has failed that the client is told no more about than that. */
  #fail(error: unknown, during: string): Unauthorized {
    this.#report(error, during);
    return unauthorized("server_error");
  }

  #refuse(refusal: Unauthorized, isVerdict: boolean = !NO_VERDICT.has(refusal.code)): void {
    this.#decide(this.#refused(refusal, isVerdict));
  }

  #refused(refusal: Unauthorized, isVerdict: boolean): Judged {
    return { type: "refused", attempt: this.id, refusal, isVerdict, isAsked: this.isAsked };
  }

  /** Tells the connection what has come of it, if that is not too late. */
  #decide(judged: Judged): void {
    this.#connection.lookAtClock();
    if (this.#isOver) return;
    // Whoever observes may revoke the session, or end the attempt.
    if (judged.type === "accepted") this.#note(judged.session);
    const isRevoked = judged.type === "accepted" && this.#isRevoked(judged.session);
    const event = isRevoked ? this.#refused(unauthorized("revoked"), true) : judged;
    this.#connection.happened(event, this);
  }

  /**
   * Ends it, and answers the client if it is refused. Without a refusal the attempt was accepted,
   * or the client has left. The verifier may still answer, for the throttle.
   */
  end(refusal?: Declined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isAbandoned = !refusal;
    this.#note(refusal?.code ?? ABANDONED);
    this.#limit?.stop();
    if (this.#verification) this.#points?.spendInTime();
    else this.#giveBack();
    this.#verification?.abort();
    if (refusal) this.#tell(refusal);
  }

  #tell(refusal: Declined): void {
    // Its socket was to be connected, for a challenge, and is not yet.
    if (this.#isPromised && !this.peer.connected) this.peer.refuse?.(refusal);
    else this.answer({ ok: false, ...refusal });
  }

  /** Answers the client, if it has asked for that and has not been answered yet. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  /** The namespace that the credentials came with has been connected. */
  joined(): void {
    this.#onConnected?.();
    this.#onConnected = undefined;
  }

  /** Opens what the verifier may ask the client further questions through. */
  openDialog(): Dialog<S> {
    const { clock, policy } = this.#guard;
    const whenConnected = (fn: () => void) => this.#whenConnected(fn);
    return new Dialog(this.peer, clock, policy.maxCredentials, whenConnected, (type) => {
      const isAsked = type === "challenged";
      if (isAsked) this.#limit?.pause();
      else this.#limit?.resume();
      this.#points?.setAside(isAsked);
      this.#connection.happened({ type, attempt: this.id });
    });
  }

  /** A client that is still joining can be asked once its namespace is connected. */
  #whenConnected(fn: () => void): void {
    if (this.peer.connected) return fn();
    this.#onConnected = fn;
    this.#isPromised = true;
    this.answer({ ok: true, reply: undefined });
  }

  /** Tells the operator why the deadline may have ended it. */
  explainSilence(): void {
    const [notice, message] = this.#verification?.explainSilence() ?? SCREENING;
    const during = this.#verification ? this.#guard.policy.decides : "throttle";
    this.#guard.notices.hourly(notice, message, { during, socket: this.peer.socket });
  }

  #startLimit(): void {
    const { clock } = this.#guard;
    const { monotonic } = clock;
    this.#limit = new Timer(clock, monotonic, monotonic() + ANSWER_LIMIT, () => {
      this.explainSilence();
      this.#refuse(this.#guard.busy("timeout"));
    });
  }

  /** Gives back what it has taken: it was no failed guess. */
  #giveBack(): void {
    if (!this.#points) return;
    const { socket } = this.peer;
    callHook(this.#guard.policy, { during: "throttle", socket }, () => this.#points!.giveBack());
  }

  /** Notes what has come of it, once. What came while another attempt ran was none. */
  #note(outcome: Session<unknown> | string): void {
    if (this.#isNoted || outcome === "attempt_in_progress") return;
    this.#isNoted = true;
    this.#guard.journal.noteAttempt(this.peer, outcome, () => ({
      duration: this.#guard.clock.monotonic() - this.begunAt,
      ...this.#verification && { verification: this.#verification.duration },
    }));
  }

  #report(error: unknown, during: string): void {
    this.#guard.policy.report(error, { during, socket: this.peer.socket });
  }
}
