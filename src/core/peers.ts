import { callHook } from "./contain.ts";
import type { Happening } from "./events.ts";
import { type Cause, isLimit } from "./journal.ts";
import type { Attempt } from "./attempt.ts";
import type { Common } from "./common.ts";
import { type Few, fewOf, listOf } from "./few.ts";
import type { Peer } from "./interface.ts";
import {
  AUTHENTICATED,
  type AuthenticatedInfo,
  UNAUTHORIZED,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import type { Session } from "./session.ts";
import type { Event } from "./states.ts";

/** What those who observe are told of a session that ends by this event. */
export function causeOf({ type }: Event): Cause {
  return type === "expired" || type === "revoked" || type === "signed_out" ? type : "unauthorized";
}

/** What happens to sockets, without whose they are and how long it took. */
type What = Happening extends infer H
  ? H extends { duration: number } ? Omit<H, "duration" | "userId"> : never
  : never;

/** Those that were refused while others stay, and have not been told to stay away yet. */
const refused = new WeakSet<object>();

/** The sockets of one client connection under one policy, treated alike. */
export class Peers<S> {
  readonly #guard: Common<S>;
  /** Never changed in place: hooks may come and go while it is walked. */
  #all: Few<Peer<S>>;
  /**
   * Those that have a place and are not connected: on their way in with credentials, or refused
   * and not yet told to stay away.
   */
  #outside: Few<Peer<S>>;
  /** Of the last success, for the `postAuthenticate` of sockets that join later. */
  #credentials: unknown;

  constructor(guard: Common<S>) {
    this.#guard = guard;
  }

  /** Those that are still connected, and were not refused. */
  get connected(): Peer<S>[] {
    return listOf(this.#all).filter((peer) => peer.connected && !refused.has(peer));
  }

  /** Whether a socket is one of them. */
  hasConnected(peer: Peer<S>): boolean {
    return this.has(peer) && peer.connected && !refused.has(peer);
  }

  /** Those that are on their way in. */
  get coming(): Peer<S>[] {
    return listOf(this.#outside).filter((peer) => !refused.has(peer));
  }

  /** Whether nobody is in, or on the way in, but for some that have not been let in. */
  isDeserted(knocking: readonly Peer<S>[]): boolean {
    return [...this.connected, ...this.coming].every((peer) => knocking.includes(peer));
  }

  /** How many there are, those included that are not connected yet. */
  get count(): number {
    return listOf(this.#all).length + listOf(this.#outside).length;
  }

  get isEmpty(): boolean {
    return this.#all === undefined;
  }

  /** A socket brings credentials, and is connected if they are good. It has a place from now on. */
  expect(peer: Peer<S>): void {
    this.#outside = fewOf([...listOf(this.#outside), peer]);
    this.#guard.journal.count("pending", 1);
  }

  isExpected(peer: Peer<S>): boolean {
    return listOf(this.#outside).includes(peer);
  }

  /** A socket that was expected does not come, or has come. */
  forget(peer: Peer<S>): void {
    refused.delete(peer);
    this.vacate(peer);
  }

  /** A socket that was expected has no place any more. */
  vacate(peer: Peer<S>): void {
    if (!this.isExpected(peer)) return;
    this.#outside = fewOf(listOf(this.#outside).filter((other) => other !== peer));
    this.#guard.journal.count("pending", -1);
  }

  /** Refuses one of them, while others stay: it is told why, and to stay away later. */
  refuse(peer: Peer<S>, refusal: Unauthorized, cause: Cause = "unauthorized"): void {
    if (peer.connected) this.#try(peer, () => peer.silence());
    this.turnAway(peer, refusal, cause);
    refused.add(peer);
  }

  /** Tells those to stay away that were refused before they were connected. */
  dismissOutside(): void {
    for (const peer of listOf(this.#outside)) this.dismissRefused(peer);
  }

  /** Tells one to stay away that was refused, if it has not left. */
  dismissRefused(peer: Peer<S>): void {
    if (refused.has(peer)) this.#dismiss(peer);
  }

  #dismiss(peer: Peer<S>): void {
    refused.delete(peer);
    this.#try(peer, () => peer.disconnect());
    this.forget(peer);
    // Should the binding not have said so by now.
    if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  add(peer: Peer<S>): void {
    this.forget(peer);
    this.#all = fewOf([...listOf(this.#all), peer]);
    this.#guard.journal.count("pending", 1);
  }

  has(peer: Peer<S>): boolean {
    return listOf(this.#all).includes(peer);
  }

  /** One of them is gone. */
  remove(peer: Peer<S>, reason: string): void {
    refused.delete(peer);
    this.#all = fewOf(listOf(this.#all).filter((other) => other !== peer));
    const { journal, policy } = this.#guard;
    const { disconnect } = policy;
    const { socket } = peer;
    journal.count(peer.session ? "authenticated" : "pending", -1);
    this.#note(peer, { type: "disconnected", reason });
    if (disconnect) {
      callHook(policy, { during: "disconnect", socket }, () => disconnect(socket, reason));
    }
  }

  /** They are all gone. */
  removeAll(reason: string): void {
    for (const peer of listOf(this.#all)) this.remove(peer, reason);
    for (const peer of listOf(this.#outside)) this.forget(peer);
  }

  /**
   * What each of some of them is to be told with `authenticated`.
   *
   * @throws what the option `reply` throws
   */
  repliesOf(peers: readonly Peer<S>[], { user }: Session<unknown>): Map<Peer<S>, unknown> {
    const { reply } = this.#guard.policy;
    return new Map(peers.map((peer) => [peer, reply(user, peer.socket)]));
  }

  /**
   * Puts a session in force for some of them, then tells them so, and the sender of the
   * credentials, if an attempt has led to it. Returns false if that has failed: what `reply` has
   * returned cannot be sent, say.
   */
  announce(
    peers: readonly Peer<S>[],
    session: Session<unknown>,
    attempt?: Attempt<S>,
  ): boolean {
    const { policy, clock } = this.#guard;
    const { expiresAt } = session;
    const end: [AuthenticatedInfo?] = expiresAt === undefined
      ? []
      : [{ expiresAt, expiresIn: Math.max(expiresAt - clock.now(), 0) }];
    if (attempt && policy.postAuthenticate) this.#credentials = attempt.credentials;
    try {
      const replies = attempt?.replies ?? this.repliesOf(peers, session);
      for (const peer of peers) if (peer.connected) this.#setSession(peer, session);
      for (const peer of peers) {
        if (peer.connected) peer.send(AUTHENTICATED, replies.get(peer), ...end);
      }
      // The sender of a handshake is not among them yet.
      attempt?.answer({ ok: true, reply: replies.get(attempt.peer), ...end[0] });
      return true;
    } catch (error) {
      for (const peer of peers) this.#setSession(peer, undefined);
      policy.report(error, { during: "reply", socket: (attempt?.peer ?? peers[0]!).socket });
      attempt?.answer({ ok: false, ...unauthorized("server_error") });
      return false;
    }
  }

  /** Those that have a session have this one now, of which there is nothing to tell. */
  replaceSession(session: Session<unknown>): void {
    for (const peer of this.connected) if (peer.session) peer.session = session;
  }

  /** Opens the gates of some of them, whose session has been announced. */
  open(peers: readonly Peer<S>[]): void {
    this.#forEach(peers, (peer) => {
      this.#note(peer, { type: "authenticated" });
      peer.open();
    });
  }

  /**
   * Has those of some that were recovered fetch what they have missed. Then calls
   * `go`, at once if there is nothing to fetch; or `fail` if it is not to be had.
   */
  whenCaughtUp(isMeant: (peer: Peer<S>) => boolean, go: () => void, fail: () => void): void {
    const behind = this.connected.find((peer) => peer.isBehind && isMeant(peer));
    if (!behind) return go();
    const goOn = () => this.whenCaughtUp(isMeant, go, fail);
    behind.catchUp!().then(goOn, (error) => {
      // Whoever has left meanwhile holds nobody up.
      if (!behind.connected) return goOn();
      this.#guard.policy.report(error, { during: "recovery", socket: behind.socket });
      fail();
    });
  }

  /** Nobody is admitted after all: what they have caught up with is given up again. */
  fallBehind(): void {
    this.#forEach(this.connected, (peer) => {
      if (!peer.session) peer.fallBehind?.();
    });
  }

  /** The application meets one of them, whoever that may be. */
  introduce(peer: Peer<S>): void {
    this.#forEach([peer], (peer) => peer.introduce());
  }

  /** They have a new session, which has been announced. */
  noteRefreshed(peers: readonly Peer<S>[]): void {
    for (const peer of peers) this.#note(peer, { type: "refreshed" });
  }

  /** Tells the application that one of them has another session now, if it still has that. */
  refreshed(peer: Peer<S>, session: Session<unknown>, previous: Session<unknown>): void {
    const { policy } = this.#guard;
    const { postRefresh } = policy;
    if (!postRefresh || !peer.connected || peer.session !== session) return;
    const { socket } = peer;
    const call = () => postRefresh(socket, previous);
    callHook(policy, { during: "postRefresh", socket }, call);
  }

  /**
   * The application meets one of them: its `connection` handlers, then the
   * hook, then what the client has sent meanwhile, which waits for a hook that
   * returns a promise. Each may end the session, and the next does not run.
   */
  welcome(peer: Peer<S>): void {
    const { policy } = this.#guard;
    const { postAuthenticate } = policy;
    const isIn = () => peer.connected && peer.session !== undefined;
    const deliver = () => this.#forEach([peer], (peer) => peer.deliver());
    if (isIn()) this.introduce(peer);
    if (!isIn()) return;
    if (!postAuthenticate) return deliver();
    const { socket } = peer;
    const call = () => postAuthenticate(socket, this.#credentials);
    callHook(policy, { during: "postAuthenticate", socket }, call, deliver);
  }

  /** Silences them, and tells them why. */
  end(refusal: Unauthorized, cause: Cause): void {
    this.#credentials = undefined;
    const peers = this.connected;
    // All of them first: what the application does as the first ones go must
    // not reach the others, and one that breaks over the news is not recoverable.
    this.#forEach(peers, (peer) => peer.silence());
    // A connection that is cut by a limit is one event, however many sockets it has.
    const noted = isLimit(refusal.code) ? peers.slice(0, 1) : peers;
    this.#forEach(peers, (peer) => {
      this.#guard.journal.countEnd(refusal.code);
      this.tell(peer, refusal, cause, noted.includes(peer));
    });
  }

  /** Ends one of them while others stay. */
  expel(peer: Peer<S>, refusal: Unauthorized): void {
    this.#try(peer, () => peer.silence());
    this.turnAway(peer, refusal, "unauthorized");
    this.#dismiss(peer);
  }

  /** Disconnects them; they are silenced. */
  disconnect(): void {
    for (const peer of listOf(this.#outside)) this.#dismiss(peer);
    for (const peer of listOf(this.#all)) this.dismissRefused(peer);
    this.#leave((peer) => peer.disconnect());
  }

  /** Begins new ones in their place; they are silenced. */
  replace(): void {
    this.#leave((peer) => peer.replace());
  }

  #leave(leave: (peer: Peer<S>) => void): void {
    const peers = this.connected;
    this.#forEach(peers, leave);
    // Should the binding not have said so by now.
    for (const peer of peers) if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  /** Tells one of them why; one that is not connected is told otherwise. */
  tell(peer: Peer<S>, refusal: Unauthorized, cause: Cause, isNoted = true): void {
    if (peer.connected) peer.send(UNAUTHORIZED, refusal);
    if (!isNoted) return;
    if (cause === "unauthorized") return this.#note(peer, { type: cause, code: refusal.code });
    const { authenticatedAt = this.#guard.clock.now() } = peer.session ?? {};
    this.#note(peer, { type: cause }, authenticatedAt);
  }

  /** Tells one of them why, which ends by that. */
  turnAway(peer: Peer<S>, refusal: Unauthorized, cause: Cause): void {
    this.#guard.journal.countEnd(refusal.code);
    this.tell(peer, refusal, cause);
  }

  #setSession(peer: Peer<S>, session: Session<unknown> | undefined): void {
    const { journal } = this.#guard;
    // One that has left meanwhile has been counted out.
    if (this.has(peer) && !peer.session !== !session) {
      journal.count("pending", session ? -1 : 1);
      journal.count("authenticated", session ? 1 : -1);
    }
    peer.session = session;
  }

  /** Notes what has happened to whom, and how long it is since they were connected, or since `from`. */
  #note(peer: Peer<S>, what: What, from: number = peer.connectedAt): void {
    const { clock, journal } = this.#guard;
    journal.note(peer, () => {
      const { userId } = peer.session ?? {};
      const duration = Math.max(clock.now() - from, 0);
      return { ...what, ...userId !== undefined && { userId }, duration };
    });
  }

  /** Does something to each that is still connected, also if one of them throws. */
  #forEach(peers: readonly Peer<S>[], call: (peer: Peer<S>) => void): void {
    for (const peer of peers) {
      if (peer.connected) this.#try(peer, () => call(peer));
    }
  }

  #try(peer: Peer<S>, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#guard.policy.report(error, { during: "gate", socket: peer.socket });
    }
  }
}
