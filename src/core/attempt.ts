import { Dialog } from "./challenge.ts";
import { callHook } from "./contain.ts";
import type { Connection } from "./connection.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import type { Newcomer } from "./newcomer.ts";
import type { Delay } from "./notices.ts";
import type { Replies } from "./peers.ts";
import {
  type Acknowledge,
  type Code,
  type Declined,
  type Outcome,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import { type Rights, rightsOf } from "./rights.ts";
import { find, screen } from "./screening.ts";
import { isExpired, limit, limitOf, type Session, subjectOf } from "./session.ts";
import type { Points } from "./throttle.ts";
import { startTimer, type Timer } from "./timer.ts";
import { type Verdict, Verification } from "./verifier.ts";

/** Time limit for a verifier where no deadline runs, in ms; challenges excluded. */
const ANSWER_LIMIT = 30_000;

/** The code of an attempt whose client has left, for observers. */
const ABANDONED = "abandoned";

/** Codes of refusals that are no judgment on the credentials. */
const NO_VERDICT: ReadonlySet<string> = new Set<Code>([
  "server_error",
  "timeout",
  "too_many_attempts",
  "expired",
]);

/** Whether a refusal by the verifier is none for what the client has brought. */
function isNoGuess({ code }: Unauthorized): boolean {
  return code === "server_error" || code === "expired";
}

const SCREENING: Delay = {
  during: "throttle",
  notice: "screening",
  message: "The deadline ended an attempt before the verifier was asked: the schema of the " +
    "option credentials or the option throttle had not answered.",
};

const AUTHORIZING: Delay = {
  during: "authorize",
  notice: "authorizing",
  message: "The deadline ended an attempt while authorize was still running. Make it faster, or " +
    "raise the option timeout.",
};

const LETTING_IN: Delay = {
  during: "gate",
  notice: "letting in",
  message: "The deadline ended an attempt whose credentials are good, before its socket was " +
    "connected: a middleware of the namespace had not called next, or what a recovered socket " +
    "has missed was not to be had. Make that faster, or raise the option timeout.",
};

/**
 * One authentication try, from the arrival of credentials to the outcome. The methods stand in the
 * order in which they run: `begin` finds and screens the credentials, `#ask` asks the verifier,
 * `answered` takes its answer, `letIn` asks `authorize` and lets in the sockets that wait, `#judge`
 * checks the session that would come of it and tells the connection, and `end` ends the attempt,
 * for the client, the server and the clock alike.
 */
export class Attempt<S> {
  readonly id: number;
  readonly connection: Connection<S, unknown>;
  readonly guard: Guard<S, unknown>;
  readonly peer: Peer<S>;
  readonly isBrought: boolean;
  /** The sockets that have brought the credentials, and are joining. */
  newcomers: readonly Newcomer<S>[];
  /** When the credentials arrived, by the monotonic clock, and by the time of the cluster. */
  readonly begunAt: number;
  readonly stamp: number;
  /** The credentials, as the schema has returned them if there is one. */
  credentials: unknown;
  /** The credentials as they came, for comparison with those of a CONNECT. */
  arrived: unknown;
  /** Whether a function in the option `handshake` has found the credentials. */
  areFound: boolean;
  points: Points<S> | undefined;
  /** How many other attempts were refused since this one began. */
  declined = 0;
  /** The sockets that the session begins for, once the attempt is accepted. */
  admitted: readonly Peer<S>[] = [];
  replies: Replies<S> | undefined;
  #acknowledge: Acknowledge | undefined;
  #verification: Verification<S> | undefined;
  /** The session that would come of the attempt, once the verifier has accepted. */
  #session: Session<unknown> | undefined;
  #rights: Rights<S> | undefined;
  /** Whether `authorize` is being asked. */
  #isAuthorizing = false;
  /** Whether the sockets that have brought the credentials were let in. */
  #isLetIn = false;
  #limit: Timer | undefined;
  #onConnected: (() => void) | undefined;
  isChallenged = false;
  #isAnswered = false;
  #isNoted = false;
  isOver = false;
  #isAbandoned = false;

  constructor(
    id: number,
    connection: Connection<S, unknown>,
    peer: Peer<S>,
    credentials: unknown,
    from: Newcomer<S> | Acknowledge | undefined,
  ) {
    const { guard } = connection;
    this.id = id;
    this.connection = connection;
    this.guard = guard;
    this.peer = peer;
    this.begunAt = guard.clock.monotonic();
    this.stamp = this.begunAt + guard.time.lead;
    this.isBrought = typeof from === "object";
    this.newcomers = typeof from === "object" ? [from] : [];
    this.#acknowledge = typeof from === "function" ? from : undefined;
    this.credentials = this.arrived = credentials;
    this.areFound = this.isBrought && typeof guard.policy.handshake === "function";
  }

  get isVerifying(): boolean {
    return this.#verification !== undefined && !this.#isAnswered;
  }

  /** Begins the attempt. If no deadline bounds it, it has a time limit of its own. */
  begin(): void {
    const { connection, guard: { policy } } = this;
    const isBounded = connection.state.phase === "pending" && policy.timeout !== Infinity;
    if (!isBounded) this.#startLimit();
    const refusal = find(this);
    if (refusal) return this.#refuse(refusal);
    if (!policy.credentials && policy.throttle.length === 0) return this.#ask();
    void screen(this).then((refusal) => {
      // The deadline may have passed: the verifier is then not asked.
      connection.timer?.catchUp();
      if (this.isOver) return;
      if (refusal) this.#refuse(refusal);
      else this.#ask();
    });
  }

  #ask(): void {
    this.#verification = new Verification(this);
    this.#verification.begin(this.credentials);
  }

  /** Takes the answer of the verifier, even a late one. Only this answer gives points back. */
  answered(verdict: Verdict): void {
    this.#isAnswered = true;
    const { policy, clock, identities, spreading } = this.guard;
    // With `server_error`, the verifier has not judged the credentials. With `expired`, it has
    // found them good.
    const isNo = "refusal" in verdict && !isNoGuess(verdict.refusal);
    if (isNo || "error" in verdict) this.points?.spend();
    else if (this.points) this.#giveBack(this.points);
    if (this.isOver) {
      if (isNo && this.#isAbandoned) this.connection.dispatch({ type: "failed" });
      return;
    }
    if ("error" in verdict) this.#report(verdict.error, policy.decides);
    if ("cause" in verdict) this.#report(verdict.cause, policy.decides);
    spreading.served();
    if ("refusal" in verdict) return this.#refuse(verdict.refusal, isNo);
    try {
      this.#session = identities.sessionOf(verdict, clock.now(), this.peer.socket);
    } catch (error) {
      return this.#refuse(this.fail(error, "session"));
    }
    // With neither `authorize` nor a CONNECT, the session can begin at once.
    if (policy.authorize || this.isBrought) this.#prepare();
    else this.#judge();
  }

  #prepare(): void {
    const refusal = this.#review();
    if (refusal) return this.#refuse(refusal);
    this.connection.timer?.catchUp();
    if (!this.isOver) this.#tell("verified");
  }

  /**
   * Reviews the session, and shortens it if rights have changed since the attempt began. Returns
   * the refusal if the session must not begin.
   */
  #review(): Unauthorized | undefined {
    const { policy, clock, revocations } = this.guard;
    const session = this.#session!;
    if (session.expiresAt !== undefined && isExpired(session, clock, policy.grace)) {
      // With the same credentials, the next session would end at the same time, unless it was
      // shortened.
      const isShortened = limitOf(session) < Infinity;
      return isShortened
        ? unauthorized("expired")
        : { ...unauthorized("expired"), reconnect: false };
    }
    if (revocations.size === 0) return undefined;
    // The lost session is revoked; the client begins with a new one.
    const isWorthless = ({ previous }: Peer<S>) =>
      previous && revocations.limitOf(previous) <= clock.monotonic();
    if (this.connection.peers.concerned(this).some(isWorthless)) return unauthorized("expired");
    const { id, stamp = this.stamp } = this.connection;
    const whose = { ...subjectOf(session), since: this.begunAt, stamp, connection: id };
    const refusal = revocations.refusalFor(whose);
    if (refusal) return refusal;
    const until = revocations.limitOf(whose);
    this.#session = limit(session, until, clock.now() + until - clock.monotonic());
    return isExpired(this.#session, clock, policy.grace) ? unauthorized("expired") : undefined;
  }

  /** Asks whether the user may have the namespaces, and lets in the sockets that wait. */
  letIn(): void {
    // Sockets that come meanwhile are asked about afterwards.
    if (this.#isAuthorizing) return;
    const same = this.connection.takeSame(this, this.#session!);
    if (same.length > 0) this.newcomers = [...this.newcomers, ...same];
    const { policy } = this.guard;
    if (!policy.authorize) return this.#open();
    const concerned = this.connection.peers.concerned(this);
    const peers = concerned.filter((peer) => !this.#rights?.has(peer));
    if (peers.length === 0) return this.#open();
    this.#isAuthorizing = true;
    rightsOf(policy, this.#session!.user, peers).then((rights) => {
      this.#isAuthorizing = false;
      this.connection.timer?.catchUp();
      if (this.isOver) return;
      this.#rights = new Map([...this.#rights ?? [], ...rights]);
      this.letIn();
    }, (error) => {
      if (!this.isOver) this.#refuse(this.fail(error, "authorize"), false);
    });
  }

  /** Lets in the sockets that may have their namespace. The session needs at least one. */
  #open(): void {
    const isAsked = this.guard.policy.authorize !== undefined;
    if (isAsked) this.#forbid();
    if (!isAsked || this.#candidates.some((peer) => this.isAllowed(peer))) {
      this.#isLetIn = true;
      for (const newcomer of this.newcomers) newcomer.letIn();
      return this.#judge();
    }
    this.connection.timer?.catchUp();
    if (this.isOver) return;
    const refusal = this.refusalOf(this.peer) ?? unauthorized("forbidden");
    const { id: attempt, isBrought } = this;
    this.connection.dispatch({ type: "forbidden", attempt, isBrought, refusal }, this);
  }

  /** Refuses the sockets that must not have their namespace. */
  #forbid(): void {
    const isForbidden = ({ peer }: Newcomer<S>) => this.refusalOf(peer) !== undefined;
    const forbidden = this.newcomers.filter(isForbidden);
    this.newcomers = this.newcomers.filter((newcomer) => !isForbidden(newcomer));
    this.connection.peers.forbid(this, forbidden);
  }

  /** Returns why a socket must not have its namespace, as far as that was asked. */
  refusalOf(peer: Peer<S>): Unauthorized | undefined {
    return this.#rights?.get(peer);
  }

  /** Returns whether a socket may have its namespace, as far as that has to be asked. */
  isAllowed(peer: Peer<S>): boolean {
    if (!this.guard.policy.authorize) return true;
    return this.#rights?.has(peer) === true && !this.#rights.get(peer);
  }

  /** The sockets that the session can begin with: those that have brought the credentials. */
  get #candidates(): readonly Peer<S>[] {
    const isOfNewcomers = this.isBrought &&
      (this.newcomers.length > 0 || this.connection.isSignedIn);
    return isOfNewcomers
      ? this.newcomers.map(({ peer }) => peer)
      : this.connection.peers.concerned(this);
  }

  get #hasSocket(): boolean {
    const { peers } = this.connection;
    const isIn = (peer: Peer<S>) => peers.hasConnected(peer) && this.isAllowed(peer);
    return isIn(this.peer) || this.#candidates.some(isIn);
  }

  has(peer: Peer<S>): boolean {
    return this.newcomers.some((newcomer) => newcomer.peer === peer);
  }

  joined(): void {
    this.#onConnected?.();
    this.#onConnected = undefined;
    // Others may have come while the middleware of its namespace ran.
    if (this.#isLetIn) this.letIn();
  }

  /** A socket has left. Returns whether none is left that the attempt is for. */
  left(peer: Peer<S>): boolean {
    const { peers } = this.connection;
    const isConcerned = peer === this.peer || this.has(peer);
    this.newcomers = this.newcomers.filter((newcomer) => newcomer.peer !== peer);
    if (!isConcerned) return false;
    // Before the answer, the attempt belongs to the socket alone that sent the credentials.
    if (!this.#session) return peer === this.peer;
    const isSenderIn = peer !== this.peer && peers.hasConnected(this.peer);
    if (this.newcomers.length > 0 || isSenderIn && !this.isBrought) return false;
    // A sender that may not have its namespace was told so; the others may have theirs.
    const isLeft = (other: Peer<S>) => other !== peer && this.isAllowed(other);
    return !this.refusalOf(this.peer) || !peers.concerned(this).some(isLeft);
  }

  /**
   * Tells the connection of the session, if there is a socket for it; with recovery, once it is
   * known what the sockets have missed.
   */
  #judge(hasCaughtUp: boolean = !this.guard.recovers): void {
    const { peers } = this.connection;
    if (this.isOver || this.newcomers.length > 0 && !this.#hasSocket) return;
    if (!hasCaughtUp) return peers.whenCaughtUp(this, this.#session!, () => this.#judge(true));
    const refusal = this.#review();
    if (refusal) return this.#refuse(refusal);
    try {
      this.admitted = peers.ready(this);
      this.replies = peers.repliesOf(this.admitted, this.#session!);
    } catch (error) {
      return this.#refuse(this.fail(error, "reply"));
    }
    this.connection.timer?.catchUp();
    if (this.isOver) return;
    this.#note(this.#session!);
    // An observer or `reply` may have revoked the session, or required its renewal.
    const objection = this.#review();
    if (objection) return this.#refuse(objection);
    this.#tell("accepted");
  }

  #tell(type: "verified" | "accepted"): void {
    const { id: attempt, isBrought, begunAt: since, stamp } = this;
    const session = this.#session!;
    this.connection.dispatch({ type, attempt, isBrought, session, since, stamp }, this);
  }

  /** Reports an error, and returns the refusal for the client, which tells no details. */
  fail(error: unknown, during: string): Unauthorized {
    this.#report(error, during);
    return unauthorized("server_error");
  }

  #refuse(refusal: Unauthorized, isVerdict: boolean = !NO_VERDICT.has(refusal.code)): void {
    this.connection.timer?.catchUp();
    if (this.isOver) return;
    const { id: attempt, isBrought } = this;
    // Once the verifier has accepted, the attempt was no guess.
    const isAsked = this.#verification !== undefined && !this.#session;
    const event = { type: "refused", attempt, isBrought, refusal, isVerdict, isAsked } as const;
    this.connection.dispatch(event, this);
  }

  /**
   * Ends the attempt. With a refusal, answers the client; without one, the attempt was accepted, or
   * the client has left. The verifier may still answer, for the throttle.
   */
  end(refusal?: Declined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#isAbandoned = !refusal;
    this.#note(refusal?.code ?? ABANDONED);
    this.#limit?.stop();
    if (this.points && this.#verification) this.points.spendInTime();
    else if (this.points) this.#giveBack(this.points);
    if (!this.#isAnswered) this.#verification?.abort();
    if (refusal) this.answer({ ok: false, ...refusal });
  }

  /** Answers the client, if it has sent an acknowledgement that was not called yet. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  openDialog(): Dialog<S> {
    const { clock, policy } = this.guard;
    const whenConnected = (fn: () => void) => this.#whenConnected(fn);
    return new Dialog(this.peer, clock, policy.maxCredentials, whenConnected, (type) => {
      this.isChallenged = type === "challenged";
      if (this.isChallenged) this.#limit?.pause();
      else this.#limit?.resume();
      this.points?.setAside(this.isChallenged);
      this.connection.dispatch({ type, attempt: this.id });
    });
  }

  /** Calls `fn` once the client can be asked: a joining client has to be connected first. */
  #whenConnected(fn: () => void): void {
    if (this.peer.connected) return fn();
    this.#onConnected = fn;
    this.newcomers[0]?.letIn();
  }

  explainSilence(): void {
    const { during, notice, message } = this.#delay;
    this.guard.notices.hourly(notice, message, { during, socket: this.peer.socket });
  }

  get #delay(): Delay {
    if (!this.#verification) return SCREENING;
    if (this.#isLetIn || this.#session && !this.guard.policy.authorize) return LETTING_IN;
    return this.#session ? AUTHORIZING : this.#verification.delay;
  }

  #startLimit(): void {
    const { clock } = this.guard;
    this.#limit = startTimer(clock, ANSWER_LIMIT, () => {
      this.explainSilence();
      this.#refuse(this.guard.busy("timeout"));
    });
  }

  /** Gives the points back: the attempt was no failed guess. */
  #giveBack(points: Points<S>): void {
    const { socket } = this.peer;
    callHook(this.guard.policy, { during: "throttle", socket }, () => points.giveBack());
  }

  /** Notes the outcome, once. Credentials that came during another attempt are no attempt. */
  #note(outcome: Session<unknown> | string): void {
    if (this.#isNoted || outcome === "attempt_in_progress") return;
    this.#isNoted = true;
    this.guard.journal.noteAttempt(this.peer, outcome, () => ({
      duration: this.guard.clock.monotonic() - this.begunAt,
      ...this.#verification && { verification: this.#verification.duration },
    }));
  }

  #report(error: unknown, during: string): void {
    this.guard.policy.report(error, { during, socket: this.peer.socket });
  }
}
