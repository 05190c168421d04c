import type { Attempt } from "./attempt.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { Ledger } from "./holdings.ts";
import { knownConnectionId } from "./ids.ts";
import type { Effect, Event, Rules, State } from "./machine.ts";
import type { Cause } from "./journal.ts";
import { causeOf, Peers } from "./peers.ts";
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import type { Revocable } from "./revocations.ts";
import { Runner } from "./runner.ts";
import { isTarget, type RevocationTarget, sameUser, type Session } from "./session.ts";
import type { SessionKeys } from "./throttle.ts";
import { startExpiry, startTimer, type Timer } from "./timer.ts";

/** How long after a client was told that it is refused it is closed, in ms. */
const CLOSING = 1000;

/** How many attempts are declined while one runs. */
const DECLINED_LIMIT = 64;

// Most connections have none of these, and a field of its own costs each one 8 bytes.
/** Connections whose client was signed out: what the transport brought is of before that. */
const signedOut = new WeakSet<object>();
/** The keys that the attempt was counted under which the session came of. */
const sessionKeys = new WeakMap<object, SessionKeys["keys"]>();

/** Whether a connection counts as pending. */
function hasPlace(phase: State["phase"]): boolean {
  return phase === "pending" || phase === "closing";
}

/** An event, with what its effects need besides. */
interface Entry<S> {
  readonly event: Event;
  readonly peer?: Peer<S>;
  readonly attempt?: Attempt<S>;
}

/** Carries out what the machine decides about a connection. */
export abstract class Performer<S, T> extends Runner<Entry<S>> implements Revocable {
  /** The policy it is under, and all that comes with it. */
  readonly guard: Guard<S, T>;
  protected readonly peers: Peers<S>;
  /** How many namespaces were asked for since anybody was authenticated. */
  protected asked = 0;
  readonly #transport: T;
  /** The deadline, the end of the session, or the time until it is closed; or none of them. */
  #timer: Timer | undefined;
  #running: Attempt<S> | undefined;
  #ledger: Ledger | undefined;

  constructor(guard: Guard<S, T>, transport: T) {
    super();
    this.guard = guard;
    this.#transport = transport;
    this.peers = new Peers(guard);
  }

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

  get knownId(): string | undefined {
    return knownConnectionId(this);
  }

  concerns(target: RevocationTarget): boolean {
    const { state } = this;
    if (this.isBusy) return true;
    if (state.phase === "idle" || state.phase === "closing") return false;
    const subject = state.phase === "authenticated" ? state.session : state.previous;
    return subject !== undefined && isTarget(target, subject);
  }

  revoke(target: RevocationTarget, at: number): number {
    const { length } = this.peers.connected;
    const before = this.state;
    this.dispatch({ event: { type: "revoked", target, at } });
    return this.state !== before && this.state.phase === "idle" ? length : 0;
  }

  get verifyingSince(): number | undefined {
    return this.#running?.begunAt;
  }

  /** Whatever comes after the deadline is late, also if no timer has had its turn. */
  lookAtClock(): void {
    this.#timer?.catchUp();
  }

  /**
   * What each socket is to be told with `authenticated`.
   *
   * @throws what the option `reply` throws
   */
  repliesOf(session: Session<unknown>): Map<Peer<S>, unknown> {
    return this.peers.repliesOf(this.peers.connected, session);
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

  /**
   * Calls `go` once all sockets that were recovered know what they have missed; at once, where
   * there are none. Those of another user are not waited for.
   */
  whenCaughtUp(attempt: Attempt<S>, session: Session<unknown>, go: () => void): void {
    // A refresh waits for nobody: whoever joins a session waits on their own.
    const isWaitedFor = ({ previous }: Peer<S>) =>
      this.state.phase === "pending" && attempt === this.#running &&
      (!previous || sameUser(previous, session));
    this.peers.whenCaughtUp(isWaitedFor, go, () => {
      // An attempt that is over ends nothing.
      if (attempt === this.#running) this.reject(unauthorized("server_error"));
    });
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
        return this.#decline(attempt!, effect.refusal);
      case "abort":
        return this.#abort(effect.refusal, causeOf(event));
      case "start_deadline":
        return this.#startDeadline(effect.ms);
      case "pause_deadline":
        return this.#timer?.pause();
      case "resume_deadline":
        return this.#timer?.resume();
      case "start_expiry":
        return this.#startExpiry(effect.at);
      case "start_closing":
        return this.#startClosing();
      case "stop_timer":
        return this.#stopTimer();
      case "admit":
        return this.#admit(effect.session);
      case "admit_joined":
        return this.#admitJoined(peer!);
      case "silence_joined":
        return peer!.silence();
      case "refresh":
        return this.#refresh(effect.session);
      case "tell_sender":
        return this.#tellSender(attempt!, effect.refusal);
      case "tell":
        return this.peers.end(effect.refusal, causeOf(event));
      case "replace":
        signedOut.add(this);
        return this.peers.replace();
      case "close":
        this.peers.disconnect();
        return this.guard.close(this.#transport);
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
  }

  #startExpiry(at: number): void {
    this.#stopTimer();
    this.#timer = startExpiry(this.guard.clock, at, () => this.happened({ type: "expired" }));
  }

  #startClosing(): void {
    this.#stopTimer();
    this.guard.ignore(this.#transport);
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

  #decline(attempt: Attempt<S>, refusal: Declined): void {
    if (refusal.code === "subject_mismatch" && refusal.kept) {
      const { socket } = attempt.peer;
      this.guard.identities.miss("a second sign-in in its session is declined", { socket });
    }
    this.#endAttempt(attempt, refusal, "unauthorized");
    const running = this.#running;
    if (refusal.code !== "attempt_in_progress" || !running) return;
    if (++running.declined > DECLINED_LIMIT) this.cut("too_many_attempts");
  }

  /** A socket that is not connected has been told otherwise. */
  #tellSender({ peer }: Attempt<S>, refusal: Unauthorized): void {
    if (peer.connected) this.peers.tell(peer, refusal, "unauthorized");
  }

  #abort(refusal: Declined | undefined, cause: Cause): void {
    const attempt = this.#takeRunning();
    const { phase } = this.state;
    if (phase !== "authenticated") this.peers.fallBehind();
    if (!attempt) return;
    this.#endAttempt(attempt, refusal, cause);
    if (phase !== "idle" || !this.peers.isExpected(attempt.peer)) return;
    this.peers.forget(attempt.peer);
    // The transport stays if an open namespace uses it; of one that is lost there is nothing to tell.
    if (refusal) this.dismissLater(attempt.peer);
  }

  #endAttempt(attempt: Attempt<S>, refusal: Declined | undefined, cause: Cause): void {
    attempt.end(refusal);
    const { peer } = attempt;
    if (!this.peers.isExpected(peer)) return;
    if (refusal) this.peers.turnAway(peer, refusal, cause);
    // What was begun for a socket that is not connected yet has to be undone.
    else attempt.answer({ ok: false, ...unauthorized("server_error") });
  }

  #admit(session: Session<unknown>): void {
    this.asked = 0;
    const attempt = this.#accepted();
    this.peers.dismiss(attempt.peer);
    const peers = this.peers.connected;
    if (!this.peers.announce(peers, session, attempt)) this.reject(unauthorized("server_error"));
    else this.#open(peers);
  }

  /** A refresh that is being verified goes on: nothing has come of it yet. */
  #admitJoined(peer: Peer<S>): void {
    const fail = () => this.end(unauthorized("server_error"));
    this.peers.whenCaughtUp((other) => other === peer, () => {
      // The session may be another by now, or over.
      const { phase } = this.state;
      if (phase !== "authenticated" || !peer.connected) return;
      if (!this.peers.announce([peer], this.state.session)) fail();
      else this.#open([peer]);
    }, fail);
  }

  #open(peers: readonly Peer<S>[]): void {
    this.peers.open(peers);
    for (const peer of peers) this.afterwards(() => this.peers.welcome(peer));
  }

  #refresh(session: Session<unknown>): void {
    // Whoever is still catching up gets this session after that.
    const peers = this.peers.connected.filter((peer) => peer.session);
    const before = new Map(peers.map((peer) => [peer, peer.session!]));
    if (!this.peers.announce(peers, session, this.#accepted())) {
      return this.end(unauthorized("server_error"));
    }
    this.peers.noteRefreshed(peers);
    for (const [peer, previous] of before) {
      this.afterwards(() => this.peers.refreshed(peer, session, previous));
    }
  }

  /** Tells a socket to stay away that was refused, a while after it was told so. */
  protected dismissLater(peer: Peer<S>): void {
    this.guard.clock.after(CLOSING, () => this.peers.dismissOne(peer));
  }

  /** The attempt in flight was accepted. */
  #accepted(): Attempt<S> {
    const attempt = this.#takeRunning()!;
    attempt.end();
    if (attempt.keys) sessionKeys.set(this, attempt.keys);
    return attempt;
  }

  #takeRunning(): Attempt<S> | undefined {
    const attempt = this.#running;
    this.#running = undefined;
    return attempt;
  }
}
