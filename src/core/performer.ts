import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { knownConnectionId } from "./ids.ts";
import type { Effect, Event, Rules, State } from "./machine.ts";
import type { Cause } from "./journal.ts";
import { causeOf, Peers } from "./peers.ts";
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import type { Revocable } from "./revocations.ts";
import { Runner } from "./runner.ts";
import { isTarget, type RevocationTarget, sameUser, type Session } from "./session.ts";
import type { Submission } from "./submission.ts";
import { startDeadline, startExpiry, type Timer } from "./timer.ts";

/** An event, with what its effects need besides. */
interface Entry<S> {
  readonly event: Event;
  readonly peer?: Peer<S>;
  readonly submission?: Submission<S>;
}

/** Carries out what the machine decides about a connection. */
export abstract class Performer<S, T> extends Runner<Entry<S>> implements Revocable {
  /** The policy it is under, and all that comes with it. */
  readonly guard: Guard<S, T>;
  protected readonly peers: Peers<S>;
  /** How many namespaces were asked for since anybody was authenticated. */
  protected asked = 0;
  readonly #transport: T;
  /** The deadline, or the end of the session; an authenticated connection may have neither. */
  #timer: Timer | undefined;
  #running: Submission<S> | undefined;

  constructor(guard: Guard<S, T>, transport: T) {
    super();
    this.guard = guard;
    this.#transport = transport;
    this.peers = new Peers(guard);
  }

  /** The attempt in flight. */
  protected get running(): Submission<S> | undefined {
    return this.#running;
  }

  /** The server ends the connection for a reason of its own. */
  end(refusal: Unauthorized): void {
    this.dispatch({ event: { type: "ended", refusal } });
  }

  happened(event: Event): void {
    this.dispatch({ event });
  }

  get knownId(): string | undefined {
    return knownConnectionId(this);
  }

  concerns(target: RevocationTarget): boolean {
    const { state } = this;
    if (this.isBusy) return true;
    if (state.phase === "idle") return false;
    const subject = state.phase === "pending" ? state.previous : state.session;
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
   * Lets an attempt go on once all that were recovered know what they have missed; at
   * once, where there are none. Not for another user, who is not going to have it.
   */
  catchUp(submission: Submission<S>, session: Session<unknown>): void {
    // A refresh waits for nobody: whoever joins a session waits on their own.
    const isWaitedFor = ({ previous }: Peer<S>) =>
      this.state.phase === "pending" && !submission.isOver &&
      (!previous || sameUser(previous, session));
    this.#whenCaughtUp(isWaitedFor, () => submission.caughtUp(session));
  }

  protected get rules(): Rules {
    return this.guard.policy;
  }

  /** Tells the operator why nobody may have signed in before the deadline, if there is a sign. */
  protected abstract explainSilence(): void;

  /** Nothing can be revoked where nobody is. */
  protected enter(phase: State["phase"]): void {
    const { revocations } = this.guard;
    if (phase === "idle") revocations.forget(this);
    else revocations.watch(this);
  }

  protected perform(effect: Effect, { event, peer, submission }: Entry<S>): void {
    switch (effect.type) {
      case "verify":
        this.#running = submission;
        return this.afterwards(() => this.#verify(submission!));
      case "decline":
        return this.#decline(submission!, effect.refusal);
      case "abort":
        this.peers.abort(this.#takeRunning(), effect.refusal, causeOf(event));
        return this.peers.fallBehind();
      case "start_deadline":
        return this.#startDeadline(effect.ms);
      case "pause_deadline":
        return this.#timer?.pause();
      case "resume_deadline":
        return this.#timer?.resume();
      case "start_expiry":
        return this.#startExpiry(effect.at);
      case "stop_timer":
        return this.#stopTimer();
      case "admit":
        return this.#admit(effect.session);
      case "admit_joined":
        return this.#admitJoined(peer!);
      case "refresh":
        return this.#refresh(effect.session);
      case "refuse":
        return this.#refuse(effect.refusal);
      case "replace":
        return this.peers.replace(effect.refusal, causeOf(event));
      case "end":
        return this.#end(effect.refusal, causeOf(event));
    }
  }

  #decline(submission: Submission<S>, refusal: Declined): void {
    if (refusal.code === "subject_mismatch" && refusal.kept) {
      const { socket } = submission.peer;
      this.guard.identities.miss("a second sign-in in its session is declined", { socket });
    }
    this.peers.decline(submission, refusal);
  }

  #startDeadline(ms: number): void {
    this.#stopTimer();
    if (ms === Infinity) return;
    this.#timer = startDeadline(this.guard.clock, ms, () => {
      if (this.#running) this.#running.explainSilence();
      else this.explainSilence();
      // If its verification has taken too long, others have to wait, too.
      const refusal = this.#running ? this.guard.busy("timeout") : unauthorized("timeout");
      this.happened({ type: "deadline", refusal });
    });
  }

  #startExpiry(at: number): void {
    this.#stopTimer();
    this.#timer = startExpiry(this.guard.clock, at, () => this.happened({ type: "expired" }));
  }

  #stopTimer(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** The verifier's answer counts at the moment it is given, even before it returns. */
  #verify(submission: Submission<S>): void {
    if (submission !== this.#running) return;
    const isBounded = this.state.phase === "pending" && this.guard.policy.timeout !== Infinity;
    submission.judge(isBounded);
  }

  #admit(session: Session<unknown>): void {
    this.asked = 0;
    const peers = this.peers.connected;
    if (this.#announce(peers, session, this.#settle())) this.#open(peers);
  }

  /** A refresh that is being verified goes on: nothing has come of it yet. */
  #admitJoined(peer: Peer<S>): void {
    this.#whenCaughtUp((other) => other === peer, () => {
      // The session may be another by now, or over.
      const { phase } = this.state;
      if (phase !== "authenticated" || !peer.connected) return;
      if (this.#announce([peer], this.state.session, undefined)) this.#open([peer]);
    });
  }

  #whenCaughtUp(isMeant: (peer: Peer<S>) => boolean, go: () => void): void {
    this.peers.whenCaughtUp(isMeant, go, () => this.end(unauthorized("server_error")));
  }

  #open(peers: readonly Peer<S>[]): void {
    this.peers.open(peers);
    for (const peer of peers) this.afterwards(() => this.peers.welcome(peer));
  }

  #refresh(session: Session<unknown>): void {
    // Whoever is still catching up gets this session after that.
    const peers = this.peers.connected.filter((peer) => peer.session);
    if (this.#announce(peers, session, this.#settle())) this.peers.noteRefreshed(peers);
  }

  /** Puts the session in force, and says so. Returns false if that failed, which ends it. */
  #announce(
    peers: readonly Peer<S>[],
    session: Session<unknown>,
    submission: Submission<S> | undefined,
  ): boolean {
    const refusal = this.peers.announce(peers, session, submission);
    if (refusal) this.end(refusal);
    return !refusal;
  }

  #refuse(refusal: Unauthorized): void {
    const submission = this.#settle();
    this.peers.fallBehind();
    submission?.refuse(refusal);
    if (submission && !submission.isAbandoned) {
      this.peers.refuse(submission.peer, refusal, "unauthorized");
    }
  }

  #end(refusal: Unauthorized, cause: Cause): void {
    this.peers.end(refusal, cause);
    this.guard.close(this.#transport);
  }

  /** The attempt in flight is over. */
  #settle(): Submission<S> | undefined {
    const submission = this.#takeRunning();
    submission?.close();
    return submission;
  }

  #takeRunning(): Submission<S> | undefined {
    const submission = this.#running;
    this.#running = undefined;
    return submission;
  }
}
