import type { Attempt } from "./attempt.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import type { Cause } from "./journal.ts";
import type { Event } from "./machine.ts";
import type { Newcomer } from "./newcomer.ts";
import { Peers } from "./peers.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { refusalFor } from "./rights.ts";
import { Runner } from "./runner.ts";
import { sameUser, type Session } from "./session.ts";

/** How long after a client was told that it is refused it is closed, in ms. */
export const CLOSING = 1000;

/** How long `authorize` may take for a socket that joins a session, in ms. */
const JOIN_LIMIT = 30_000;

/** Sockets that were allowed their namespace on the way in, and the session that it was for. */
const allowed = new WeakMap<object, Session<unknown>>();

/** An event, with what its effects need besides. */
export interface Entry<S> {
  readonly event: Event;
  readonly peer?: Peer<S>;
  readonly attempt?: Attempt<S>;
}

/** What a connection does with its sockets: lets them into a session, renews that, refuses some. */
export abstract class Admitting<S, T> extends Runner<Entry<S>> {
  /** The policy it is under, and all that comes with it. */
  readonly guard: Guard<S, T>;
  protected readonly peers: Peers<S>;
  protected readonly transport: T;

  constructor(guard: Guard<S, T>, transport: T) {
    super();
    this.guard = guard;
    this.transport = transport;
    this.peers = new Peers(guard);
  }

  /** The attempt in flight. */
  protected abstract readonly running: Attempt<S> | undefined;
  /** Sockets whose credentials wait for that. */
  protected abstract waiting: readonly Newcomer<S>[];
  /** The server ends the connection for a reason of its own. */
  abstract end(refusal: Unauthorized): void;
  /** The server refuses the client. */
  abstract reject(refusal: Unauthorized): void;

  /** A session needs a socket that is in, or on its way in. */
  protected checkDeserted(): void {
    // Those that wait are about to be taken: then it is looked at again.
    if (!this.running && this.waiting.length > 0) return;
    const knocking = [...this.running?.newcomers ?? [], ...this.waiting].map(({ peer }) => peer);
    if (this.peers.isDeserted(knocking)) this.dispatch({ event: { type: "deserted" } });
  }

  /** The session in force. */
  get session(): Session<unknown> | undefined {
    return this.state.phase === "authenticated" ? this.state.session : undefined;
  }

  /** Whether somebody is signed in. */
  get isSignedIn(): boolean {
    return this.state.phase === "authenticated";
  }

  /** The sockets that a session would be for which may come of an attempt. */
  concerned({ newcomers }: Attempt<S>): Peer<S>[] {
    const isMeant = (peer: Peer<S>) => this.state.phase === "pending" || peer.session;
    const coming = newcomers.map(({ peer }) => peer);
    return [...new Set([...this.peers.connected.filter(isMeant), ...coming])];
  }

  /** Whether a socket is connected, and was not refused. */
  hasConnected(peer: Peer<S>): boolean {
    return this.peers.hasConnected(peer);
  }

  /**
   * What each socket is to be told with `authenticated`.
   *
   * @throws what the option `reply` throws
   */
  repliesOf(attempt: Attempt<S>, session: Session<unknown>): Map<Peer<S>, unknown> {
    const peers = this.concerned(attempt).filter((peer) =>
      this.hasConnected(peer) && attempt.isAllowed(peer)
    );
    return this.peers.repliesOf(peers, session);
  }

  /**
   * Calls `go` once all sockets that were recovered know what they have missed; at once, where
   * there are none. Those of another user are not waited for.
   */
  whenCaughtUp(attempt: Attempt<S>, session: Session<unknown>, go: () => void): void {
    // A refresh waits for nobody: whoever joins a session waits on their own.
    const isWaitedFor = (peer: Peer<S>) =>
      this.state.phase === "pending" && attempt === this.running && attempt.isAllowed(peer) &&
      (!peer.previous || sameUser(peer.previous, session));
    this.peers.whenCaughtUp(isWaitedFor, go, () => {
      // An attempt that is over ends nothing.
      if (attempt === this.running) this.reject(unauthorized("server_error"));
    });
  }

  // What follows is what the machine says.

  /** A session begins. */
  protected admit(attempt: Attempt<S>, session: Session<unknown>): void {
    this.#noteAllowed(attempt, session);
    const peers = this.peers.connected;
    const admitted = peers.filter((peer) => attempt.isAllowed(peer));
    if (!this.peers.announce(admitted, session, attempt)) {
      return this.reject(unauthorized("server_error"));
    }
    this.#open(admitted);
    // Those that have been connected since others were asked about.
    for (const peer of peers) if (!attempt.isAllowed(peer)) this.admitJoined(peer);
    // The application may have disconnected them since.
    this.checkDeserted();
  }

  /**
   * A socket has joined the session. The user may have to be allowed its namespace. A refresh that
   * is being verified goes on: nothing has come of it yet.
   */
  protected admitJoined(peer: Peer<S>): void {
    const isAsked = this.guard.policy.authorize && allowed.get(peer) !== this.session;
    if (isAsked) this.#authorize(peer);
    else this.#catchUp(peer, allowed.get(peer));
  }

  /** Those that have not come yet are not asked about again. */
  #noteAllowed(attempt: Attempt<S>, session: Session<unknown>): void {
    for (const { peer } of attempt.newcomers) {
      if (attempt.isAllowed(peer)) allowed.set(peer, session);
    }
  }

  #authorize(peer: Peer<S>): void {
    const { clock, policy } = this.guard;
    const refuse = (refusal: Unauthorized) => {
      cancel();
      if (this.#isJoining(peer)) this.refuse(peer, refusal);
    };
    const cancel = clock.after(JOIN_LIMIT, () => refuse(unauthorized("timeout")));
    const ask = () => {
      const { session } = this;
      if (!session || !this.#isJoining(peer)) return cancel();
      refusalFor(policy, session.user, peer).then((refusal) => {
        // It was asked about a session that has been renewed since.
        if (this.session !== session) return ask();
        if (refusal) return refuse(refusal);
        cancel();
        this.#catchUp(peer, session);
      }, (error) => {
        policy.report(error, { during: "authorize", socket: peer.socket });
        refuse(unauthorized("server_error"));
      });
    };
    this.afterwards(ask);
  }

  /** A socket gets the session there is, unless it may have to be asked about that. */
  #catchUp(peer: Peer<S>, asked?: Session<unknown>): void {
    const fail = () => this.end(unauthorized("server_error"));
    this.peers.whenCaughtUp((other) => other === peer, () => {
      // The session may be another by now, or over.
      const { session } = this;
      if (!session || !this.#isJoining(peer)) return;
      if (asked && asked !== session) return this.#authorize(peer);
      if (!this.peers.announce([peer], session)) fail();
      else this.#open([peer]);
    }, fail);
  }

  #isJoining(peer: Peer<S>): boolean {
    return this.isSignedIn && this.hasConnected(peer) && !peer.session;
  }

  #open(peers: readonly Peer<S>[]): void {
    this.peers.open(peers);
    for (const peer of peers) this.afterwards(() => this.peers.welcome(peer));
  }

  /** A session is renewed. Whoever is still catching up gets it after that. */
  protected refresh(attempt: Attempt<S>, session: Session<unknown>): void {
    this.#noteAllowed(attempt, session);
    for (const peer of this.peers.connected) {
      const refusal = attempt.refusalOf(peer);
      if (!refusal || !peer.session) continue;
      if (peer === attempt.peer) attempt.answer({ ok: false, ...refusal });
      this.guard.ignore(this.transport);
      this.peers.expel(peer, refusal);
    }
    const peers = this.peers.connected.filter((peer) => peer.session);
    const before = new Map(peers.map((peer) => [peer, peer.session!]));
    if (!this.peers.announce(peers, session, attempt)) {
      return this.end(unauthorized("server_error"));
    }
    this.peers.noteRefreshed(peers);
    for (const [peer, previous] of before) {
      this.afterwards(() => this.peers.refreshed(peer, session, previous));
    }
    for (const { peer } of attempt.newcomers) if (this.#isJoining(peer)) this.admitJoined(peer);
  }

  /** A session has another end now. */
  protected tellEnd(session: Session<unknown>): void {
    const peers = this.peers.connected.filter((peer) => peer.session);
    if (!this.peers.announce(peers, session)) this.end(unauthorized("server_error"));
  }

  // Refusals of some while others stay.

  /** Refuses the sockets that may not have their namespace; those of a session stay until it is renewed. */
  forbid(attempt: Attempt<S>, newcomers: readonly Newcomer<S>[]): void {
    for (const newcomer of newcomers) {
      this.refuseNewcomer(newcomer, attempt.refusalOf(newcomer.peer)!);
    }
    if (this.state.phase !== "pending") return;
    for (const peer of this.peers.connected) {
      const refusal = attempt.refusalOf(peer);
      if (!refusal) continue;
      // Once it is silenced, no acknowledgement goes out.
      if (peer === attempt.peer) attempt.answer({ ok: false, ...refusal });
      this.refuse(peer, refusal);
    }
  }

  /** Refuses one socket, and no other: it is told why at once, and to stay away a while later. */
  protected refuse(peer: Peer<S>, refusal: Unauthorized, cause?: Cause): void {
    this.peers.refuse(peer, refusal, cause);
    const wasSignedIn = this.isSignedIn;
    this.guard.clock.after(CLOSING, () => {
      // Then it is told along with the others, when that is over.
      if (this.state.phase === "closing") return;
      this.guard.ignore(this.transport);
      this.peers.dismissRefused(peer);
      // If it was the last socket of a session, nothing else closes the transport.
      const isLast = this.state.phase === "idle" && this.peers.count === 0;
      if (wasSignedIn && isLast) this.guard.close(this.transport);
    });
    this.checkDeserted();
  }

  /** Refuses a socket that has brought credentials. Without a refusal, its transport is gone. */
  protected refuseNewcomer(
    newcomer: Newcomer<S>,
    refusal: Unauthorized | undefined,
    cause?: Cause,
    mayAskAgain = false,
  ): void {
    const { peer } = newcomer;
    const { phase } = this.state;
    const isIn = this.peers.hasConnected(peer);
    // It is told along with the others, but by those who are signed in.
    if (isIn && (phase !== "authenticated" || !refusal)) return;
    if (!isIn && !this.peers.isExpected(peer)) return;
    newcomer.refuse(refusal);
    if (!refusal) return this.peers.forget(peer);
    // It has heard of it only now, and is told to stay away later than the others.
    if (phase === "idle") this.peers.vacate(peer);
    if (mayAskAgain) this.peers.refuse(peer, refusal, cause);
    else this.refuse(peer, refusal, cause);
  }

  /** Refuses those that were let in, and have not come yet: the session is over, or another's. */
  protected refuseComing(refusal: Unauthorized, cause: Cause): void {
    for (const peer of this.peers.coming) {
      peer.refuse?.(refusal);
      if (this.state.phase === "idle") this.peers.vacate(peer);
      this.refuse(peer, refusal, cause);
    }
  }
}
