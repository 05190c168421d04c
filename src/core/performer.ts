import { Admitting, CLOSING, type Entry } from "./admitting.ts";
import type { Attempt } from "./attempt.ts";
import type { Peer } from "./interface.ts";
import { Ledger } from "./holdings.ts";
import { type Effect, type Event, isAbout, type Rules, type State } from "./machine.ts";
import type { Newcomer } from "./newcomer.ts";
import { causeOf } from "./peers.ts";
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import type { Revocable, Whose } from "./revocations.ts";
import { isSame } from "./same.ts";
import { endOf, limitOf, type RevocationTarget, sameUser, type Session } from "./session.ts";
import type { SessionKeys } from "./throttle.ts";
import { startExpiry, startTimer, type Timer } from "./timer.ts";

/** How many attempts are declined while one runs. */
const DECLINED_LIMIT = 64;

// Most connections have none of these, and a field of its own costs each one 8 bytes.
/** Connections whose client was signed out: what the transport brought is of before that. */
const signedOut = new WeakSet<object>();
/** The keys that the attempt was counted under which the session came of. */
const sessionKeys = new WeakMap<object, SessionKeys["keys"]>();
/** The credentials that the session came of, where others may come with a CONNECT. */
const cameOf = new WeakMap<object, unknown>();
/** Sockets whose credentials wait for the attempt in flight. */
const waiting = new WeakMap<object, readonly Newcomer<never>[]>();

/** Whether a socket was recovered, and belongs to another user than a session. */
function isForeign<S>({ previous }: Peer<S>, session: Session<unknown>): boolean {
  return previous !== undefined && !sameUser(previous, session);
}

/** Whether a connection counts as pending. */
function hasPlace(phase: State["phase"]): boolean {
  return phase === "pending" || phase === "closing";
}

/** Carries out what the machine decides about a connection. */
export abstract class Performer<S, T> extends Admitting<S, T> implements Revocable {
  /** How many namespaces were asked for since anybody was authenticated. */
  protected asked = 0;
  /** The deadline, the end of the session, or the time until it is closed; or none of them. */
  #timer: Timer | undefined;
  #running: Attempt<S> | undefined;
  #ledger: Ledger | undefined;

  /** The attempt in flight. */
  protected get running(): Attempt<S> | undefined {
    return this.#running;
  }

  /** The server ends the connection for a reason of its own. */
  end(refusal: Unauthorized): void {
    this.dispatch({ event: { type: "ended", refusal } });
  }

  /** Ends it for a limit that was passed. Returns whether a socket was there to be told so. */
  cut(code: "too_many_events" | "too_many_attempts" | "server_busy"): boolean {
    const isTold = this.peers.connected.length > 0;
    this.end(code === "server_busy" ? this.guard.busy(code) : unauthorized(code));
    return isTold;
  }

  /** Notes of a socket that came too late to be told that its connection was cut. */
  noteCut(peer: Peer<S>, code: "too_many_events" | "too_many_attempts"): void {
    this.peers.turnAway(peer, unauthorized(code), "unauthorized");
  }

  /** What its sockets hold. */
  get ledger(): Ledger {
    const { holdings, policy } = this.guard;
    return this.#ledger ??= new Ledger(holdings, policy.holdLimit, () => this.cut("server_busy"));
  }

  /** The server refuses the client. */
  reject(refusal: Unauthorized): void {
    this.dispatch({ event: { type: "rejected", refusal } });
  }

  /** Something has happened, to an attempt perhaps. */
  happened(event: Event, attempt?: Attempt<S>): void {
    this.dispatch({ event, ...attempt && { attempt } });
  }

  abstract readonly id: string;

  concerns(target: RevocationTarget): boolean {
    const { state } = this;
    if (this.isBusy) return true;
    return isAbout(state, target);
  }

  revoke(isMeant: (whose: Whose) => boolean, refusal: Unauthorized): number {
    const { length } = this.peers.connected;
    const before = this.state;
    this.dispatch({ event: { type: "revoked", isMeant, refusal } });
    return this.state !== before && this.state.phase === "idle" ? length : 0;
  }

  limit(isMeant: (whose: Whose) => boolean, until: number): number {
    const before = this.session;
    const { clock } = this.guard;
    const at = clock.now() + until - clock.monotonic();
    this.dispatch({ event: { type: "limited", isMeant, until, at } });
    return this.session === before ? 0 : this.peers.connected.length;
  }

  get verifyingSince(): number | undefined {
    return this.#running?.begunAt;
  }

  /** Whatever comes after the deadline is late, also if no timer has had its turn. */
  lookAtClock(): void {
    this.#timer?.catchUp();
  }

  /** Those that wait with the credentials of an attempt, which is theirs from now on. */
  takeSame({ arrived }: Attempt<S>, session?: Session<unknown>): Newcomer<S>[] {
    const isMeant = ({ credentials, peer }: Newcomer<S>) =>
      isSame(credentials, arrived) && !(session && isForeign(peer, session));
    const all = this.waiting;
    this.waiting = all.filter((newcomer) => !isMeant(newcomer));
    return all.filter(isMeant);
  }

  protected get waiting(): readonly Newcomer<S>[] {
    return (waiting.get(this) ?? []) as readonly Newcomer<S>[];
  }

  protected set waiting(newcomers: readonly Newcomer<S>[]) {
    if (newcomers.length === 0) waiting.delete(this);
    else waiting.set(this, newcomers as readonly Newcomer<never>[]);
  }

  /** A socket has brought credentials: they are verified, wait, or are those of the session. */
  protected abstract take(newcomer: Newcomer<S>): void;

  /** Whether they are the credentials that the session came of. */
  protected isOfSession(credentials: unknown): boolean {
    return cameOf.has(this) && isSame(credentials, cameOf.get(this));
  }

  protected get wasSignedOut(): boolean {
    return signedOut.has(this);
  }

  /** The keys that its session signed in under, if there is a session. */
  get sessionKeys(): SessionKeys | undefined {
    const { state } = this;
    const keys = sessionKeys.get(this);
    if (state.phase !== "authenticated" || !keys) return undefined;
    return { userId: state.session.userId, keys };
  }

  protected get rules(): Rules {
    return this.guard.policy;
  }

  /** Tells the operator why nobody may have signed in before the deadline, if there is a sign. */
  protected abstract explainSilence(): void;

  /** Nothing can be revoked where nobody is. A client that is not signed in has a place. */
  protected enter(phase: State["phase"], before: State["phase"]): void {
    const { journal, revocations } = this.guard;
    if (phase === "idle" || phase === "closing") revocations.forget(this);
    else revocations.watch(this);
    if (before === "authenticated") cameOf.delete(this);
    const change = Number(hasPlace(phase)) - Number(hasPlace(before));
    if (change !== 0) journal.count("pendingConnections", change);
    this.countSockets();
  }

  /** Counts what its sockets cost while it is pending; the first one costs nothing. */
  protected countSockets(): void {
    const count = hasPlace(this.state.phase) ? this.peers.count : 0;
    if (count > 1 || this.#ledger) this.ledger.countSockets(Math.max(count - 1, 0));
  }

  protected perform(effect: Effect, { event, peer, attempt }: Entry<S>): void {
    switch (effect.type) {
      case "verify":
        this.#running = attempt;
        return this.afterwards(() => this.#verify(attempt!));
      case "decline":
        return this.#decline(attempt!, effect.refusal, event);
      case "let_in":
        return this.afterwards(() => attempt === this.#running && attempt?.letIn());
      case "abort":
        return this.#abort(effect.refusal, event);
      case "start_deadline":
        return this.#startDeadline(effect.ms);
      case "pause_deadline":
        return this.#timer?.pause();
      case "resume_deadline":
        return this.#timer?.resume();
      case "start_expiry":
        return this.#startExpiry(effect.session);
      case "start_closing":
        return this.#startClosing();
      case "stop_timer":
        return this.#stopTimer();
      case "admit":
        this.asked = 0;
        return this.admit(this.#accepted(), effect.session);
      case "admit_joined":
        return this.admitJoined(peer!);
      case "silence_joined":
        return peer!.silence();
      case "tell_end":
        return this.tellEnd(effect.session);
      case "keep_end":
        return this.peers.replaceSession(effect.session);
      case "refresh":
        return this.refresh(this.#accepted(), effect.session);
      case "tell_sender":
        return this.#tellSender(attempt!, effect.refusal);
      case "tell":
        return this.peers.end(effect.refusal, causeOf(event));
      case "replace":
        signedOut.add(this);
        return this.peers.replace();
      case "close":
        this.peers.disconnect();
        return this.guard.close(this.transport);
    }
  }

  #startDeadline(ms: number): void {
    this.#stopTimer();
    if (ms === Infinity) return;
    this.#timer = startTimer(this.guard.clock, ms, () => {
      const attempt = this.#running;
      if (attempt) attempt.explainSilence();
      else this.explainSilence();
      // If its verification has taken too long, others have to wait, too.
      const refusal = attempt ? this.guard.busy("timeout") : unauthorized("timeout");
      this.happened({ type: "deadline", refusal, isAsked: attempt?.isVerifying ?? false });
    });
    if (this.#running?.isChallenged) this.#timer.pause();
  }

  #startExpiry(session: Session<unknown>): void {
    this.#stopTimer();
    const { clock, policy } = this.guard;
    const at = endOf(session, policy.grace);
    this.#timer = startExpiry(
      clock,
      at,
      limitOf(session),
      () => this.happened({ type: "expired" }),
    );
  }

  #startClosing(): void {
    this.#stopTimer();
    this.guard.ignore(this.transport);
    this.#timer = startTimer(this.guard.clock, CLOSING, () => this.happened({ type: "closed" }));
  }

  #stopTimer(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** The verifier's answer counts at the moment it is given, even before it returns. */
  #verify(attempt: Attempt<S>): void {
    if (attempt !== this.#running) return;
    attempt.begin(this.state.phase === "pending" && this.guard.policy.timeout !== Infinity);
  }

  #decline(attempt: Attempt<S>, refusal: Declined, event: Event): void {
    if (refusal.code === "subject_mismatch" && refusal.kept) {
      const { socket } = attempt.peer;
      this.guard.identities.miss("a second sign-in in its session is declined", { socket });
    }
    this.#endAttempt(attempt, refusal, event);
    const running = this.#running;
    if (refusal.code !== "attempt_in_progress" || !running) return;
    if (++running.declined > DECLINED_LIMIT) this.cut("too_many_attempts");
  }

  /** A socket that is not connected has been told otherwise. */
  #tellSender({ peer }: Attempt<S>, refusal: Unauthorized): void {
    if (peer.connected) this.peers.tell(peer, refusal, "unauthorized");
  }

  #abort(refusal: Declined | undefined, event: Event): void {
    const attempt = this.#takeRunning();
    const { phase } = this.state;
    if (phase !== "authenticated") this.peers.fallBehind();
    if (attempt) this.#endAttempt(attempt, refusal, event);
    const cause = causeOf(event);
    const isOver = phase === "idle" || phase === "closing" || event.type === "signed_out";
    const { waiting } = this;
    if (isOver) this.waiting = [];
    const refused = isOver
      ? waiting
      : attempt && event.type === "refused"
      ? this.takeSame(attempt)
      : [];
    for (const newcomer of refused) this.#turnAway(newcomer, refusal, event);
    if (isOver && refusal) this.refuseComing(refusal, cause);
    this.#takeWaiting();
  }

  #endAttempt(attempt: Attempt<S>, refusal: Declined | undefined, event: Event): void {
    attempt.end(refusal);
    for (const newcomer of attempt.newcomers) this.#turnAway(newcomer, refusal, event);
  }

  /** Where an attempt is left, whoever was refused may ask again, and is not told to stay away. */
  #turnAway(newcomer: Newcomer<S>, refusal: Declined | undefined, event: Event): void {
    const mayAskAgain = this.state.phase === "pending" && event.type === "refused";
    this.refuseNewcomer(newcomer, refusal, causeOf(event), mayAskAgain);
  }

  /** Has those go on that have waited for the attempt that is over. */
  #takeWaiting(): void {
    if (this.waiting.length === 0) return;
    this.afterwards(() => {
      // Until one is verified. Each may end the connection, and then there is none left.
      while (!this.running && this.waiting.length > 0) {
        const [next, ...others] = this.waiting;
        this.waiting = others;
        this.take(next!);
      }
      this.checkDeserted();
    });
  }

  /** The attempt in flight was accepted. */
  #accepted(): Attempt<S> {
    const attempt = this.#takeRunning()!;
    attempt.end();
    if (attempt.keys) sessionKeys.set(this, attempt.keys);
    if (this.guard.policy.handshake === true) cameOf.set(this, attempt.arrived);
    for (const newcomer of this.takeSame(attempt, this.session)) newcomer.letIn();
    this.peers.dismissOutside();
    this.#takeWaiting();
    return attempt;
  }

  #takeRunning(): Attempt<S> | undefined {
    const attempt = this.#running;
    this.#running = undefined;
    return attempt;
  }
}
