import type { Attempt } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import { callHook } from "./contain.ts";
import type { Happening } from "./events.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { type Cause, isLimit } from "./journal.ts";
import type { Newcomer } from "./newcomer.ts";
import {
  AUTHENTICATED,
  type AuthenticatedInfo,
  UNAUTHORIZED,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import { refusalFor } from "./rights.ts";
import { sameUser, type Session } from "./session.ts";

/** How long after a client was told that it is refused it is closed, in ms. */
export const CLOSING = 1000;

/** How long `authorize` may take for a socket that joins a session, in ms. */
const JOIN_LIMIT = 30_000;

/** What happens to sockets, without whose they are and how long it took. */
type What = Happening extends infer H
  ? H extends { duration: number } ? Omit<H, "duration" | "userId"> : never
  : never;

/** Sockets that were refused while others stay, and have not been told to stay away yet. */
const refused = new WeakSet<object>();

/** Sockets that were allowed their namespace on the way in, and the session that it was for. */
const allowed = new WeakMap<object, Session<unknown>>();

/** The credentials of the last sign-in, for the `postAuthenticate` of sockets that join later. */
const lastCredentials = new WeakMap<object, unknown>();

/** Shared, since most connections have no socket on its way in. */
const NONE: readonly never[] = [];

/**
 * The sockets of one client connection under one policy: who is in, who is on the way in, and what
 * is done with them. A session begins for all that are in; single ones may join it later, or be
 * refused while the others stay.
 */
export class Peers<S> {
  readonly #connection: Connection<S, unknown>;
  /** Never changed in place: hooks may come and go while it is walked. */
  #all: readonly Peer<S>[] = NONE;
  /**
   * Those that have a place and are not connected: on their way in with credentials, or refused
   * and not yet told to stay away.
   */
  #outside: readonly Peer<S>[] = NONE;

  constructor(connection: Connection<S, unknown>) {
    this.#connection = connection;
  }

  get #guard(): Guard<S, unknown> {
    return this.#connection.guard;
  }

  // Who is there.

  /** Those that are connected, and were not refused. */
  get connected(): Peer<S>[] {
    return this.#all.filter((peer) => peer.connected && !refused.has(peer));
  }

  /** Whether a socket is one of them. */
  hasConnected(peer: Peer<S>): boolean {
    return this.#all.includes(peer) && peer.connected && !refused.has(peer);
  }

  /** The sockets that a session would be for which may come of an attempt. */
  concerned({ newcomers }: Attempt<S>): Peer<S>[] {
    const isPending = this.#connection.state.phase === "pending";
    const peers = isPending ? this.connected : this.#admitted;
    if (newcomers.length === 0) return peers;
    return [...new Set([...peers, ...newcomers.map(({ peer }) => peer)])];
  }

  /** Whether none is in, or on the way in, but for some that have not been let in. */
  isDeserted(knocking: readonly Peer<S>[]): boolean {
    return [...this.connected, ...this.#coming].every((peer) => knocking.includes(peer));
  }

  get #coming(): Peer<S>[] {
    return this.#outside.filter((peer) => !refused.has(peer));
  }

  /** How many there are, those included that are not connected yet. */
  get count(): number {
    return this.#all.length + this.#outside.length;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  has(peer: Peer<S>): boolean {
    return this.#all.includes(peer);
  }

  // Who comes and goes.

  /** A socket brings credentials, and is connected if they are good. It has a place from now on. */
  expect(peer: Peer<S>): void {
    this.#outside = this.#outside.concat(peer);
    this.#guard.journal.count("pending", 1);
  }

  /** A socket that was expected does not come, or has come. */
  forget(peer: Peer<S>): void {
    refused.delete(peer);
    this.#vacate(peer);
  }

  /** A socket that was expected has no place any more. */
  #vacate(peer: Peer<S>): void {
    if (!this.#outside.includes(peer)) return;
    this.#outside = without(this.#outside, peer);
    this.#guard.journal.count("pending", -1);
  }

  add(peer: Peer<S>): void {
    this.forget(peer);
    // Not spread: an array that grows takes room for sixteen more.
    this.#all = this.#all.concat(peer);
    this.#guard.journal.count("pending", 1);
  }

  /** One of them is gone. */
  remove(peer: Peer<S>, reason: string): void {
    refused.delete(peer);
    this.#all = without(this.#all, peer);
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
    for (const peer of this.#all) this.remove(peer, reason);
    for (const peer of this.#outside) this.forget(peer);
  }

  // A session begins, is joined, is renewed.

  /**
   * Calls `go` once those of an attempt's sockets that were recovered know what they have missed; at
   * once, where there are none. Those of another user are not waited for.
   */
  whenCaughtUp(attempt: Attempt<S>, session: Session<unknown>, go: () => void): void {
    const connection = this.#connection;
    // A refresh does not wait: a socket that joins a session waits on its own.
    const isWaitedFor = (peer: Peer<S>) =>
      connection.state.phase === "pending" && attempt === connection.running &&
      attempt.isAllowed(peer) && (!peer.previous || sameUser(peer.previous, session));
    this.#whenCaughtUp(isWaitedFor, go, () => {
      // An attempt that is over ends nothing.
      if (attempt === connection.running) connection.reject(unauthorized("server_error"));
    });
  }

  /**
   * Has those of some that were recovered fetch what they have missed. Then calls
   * `go`, at once if there is nothing to fetch; or `fail` if it is not to be had.
   */
  #whenCaughtUp(isMeant: (peer: Peer<S>) => boolean, go: () => void, fail: () => void): void {
    const behind = this.connected.find((peer) => peer.isBehind && isMeant(peer));
    if (!behind) return go();
    const goOn = () => this.#whenCaughtUp(isMeant, go, fail);
    behind.catchUp!().then(goOn, (error) => {
      // One that has left meanwhile does not hold up the others.
      if (!behind.connected) return goOn();
      this.#guard.policy.report(error, { during: "recovery", socket: behind.socket });
      fail();
    });
  }

  /** No session begins after all: what they have caught up with is given up again. */
  fallBehind(): void {
    this.#forEach(this.connected, (peer) => {
      if (!peer.session) peer.fallBehind?.();
    });
  }

  /**
   * What each socket is to be told with `authenticated`.
   *
   * @throws what the option `reply` throws
   */
  repliesOf(attempt: Attempt<S>, session: Session<unknown>): Map<Peer<S>, unknown> {
    const isTold = (peer: Peer<S>) => this.hasConnected(peer) && attempt.isAllowed(peer);
    return this.#repliesOf(this.concerned(attempt).filter(isTold), session);
  }

  #repliesOf(peers: readonly Peer<S>[], { user }: Session<unknown>): Map<Peer<S>, unknown> {
    const { reply } = this.#guard.policy;
    return new Map(peers.map((peer) => [peer, reply(user, peer.socket)]));
  }

  /** A session begins. */
  admit(attempt: Attempt<S>, session: Session<unknown>): void {
    this.#noteAllowed(attempt, session);
    const peers = this.connected;
    const admitted = peers.filter((peer) => attempt.isAllowed(peer));
    if (!this.#announce(admitted, session, attempt)) {
      return this.#connection.reject(unauthorized("server_error"));
    }
    this.#open(admitted);
    // Those that have been connected since others were asked about.
    for (const peer of peers) if (!attempt.isAllowed(peer)) this.admitJoined(peer);
    // The application may have disconnected them since.
    this.#connection.checkDeserted();
  }

  /**
   * A socket has joined the session. The user may have to be allowed its namespace. A refresh that
   * is being verified goes on: nothing has come of it yet.
   */
  admitJoined(peer: Peer<S>): void {
    const known = allowed.get(peer);
    const isAsked = this.#guard.policy.authorize && known !== this.#connection.session;
    if (isAsked) this.#authorize(peer);
    else this.#catchUp(peer, known);
  }

  /** Those that have not come yet are not asked about again. */
  #noteAllowed(attempt: Attempt<S>, session: Session<unknown>): void {
    for (const { peer } of attempt.newcomers) {
      if (attempt.isAllowed(peer)) allowed.set(peer, session);
    }
  }

  #authorize(peer: Peer<S>): void {
    const { clock, policy } = this.#guard;
    const refuse = (refusal: Unauthorized) => {
      cancel();
      if (this.#isJoining(peer)) this.refuse(peer, refusal);
    };
    const cancel = clock.after(JOIN_LIMIT, () => refuse(unauthorized("timeout")));
    const ask = () => {
      const { session } = this.#connection;
      if (!session || !this.#isJoining(peer)) return cancel();
      refusalFor(policy, session.user, peer).then((refusal) => {
        // It was asked about a session that has been renewed since.
        if (this.#connection.session !== session) return ask();
        if (refusal) return refuse(refusal);
        cancel();
        this.#catchUp(peer, session);
      }, (error) => {
        policy.report(error, { during: "authorize", socket: peer.socket });
        refuse(unauthorized("server_error"));
      });
    };
    this.#connection.afterwards(ask);
  }

  /** A socket gets the session there is, unless it may have to be asked about that. */
  #catchUp(peer: Peer<S>, asked?: Session<unknown>): void {
    const fail = () => this.#connection.end(unauthorized("server_error"));
    this.#whenCaughtUp((other) => other === peer, () => {
      // The session may be another by now, or over.
      const { session } = this.#connection;
      if (!session || !this.#isJoining(peer)) return;
      if (asked && asked !== session) return this.#authorize(peer);
      if (!this.#announce([peer], session)) fail();
      else this.#open([peer]);
    }, fail);
  }

  #isJoining(peer: Peer<S>): boolean {
    return this.#connection.isSignedIn && this.hasConnected(peer) && !peer.session;
  }

  /**
   * A session is renewed. A socket that is still catching up gets it after that; one that the user
   * may not have any more ends.
   */
  refresh(attempt: Attempt<S>, session: Session<unknown>): void {
    this.#noteAllowed(attempt, session);
    for (const peer of this.connected) {
      const refusal = attempt.refusalOf(peer);
      if (!refusal || !peer.session) continue;
      if (peer === attempt.peer) attempt.answer({ ok: false, ...refusal });
      this.#connection.ignoreClient();
      this.#expel(peer, refusal);
    }
    const peers = this.#admitted;
    const before = new Map(peers.map((peer) => [peer, peer.session!]));
    if (!this.#announce(peers, session, attempt)) {
      return this.#connection.end(unauthorized("server_error"));
    }
    for (const peer of peers) this.#note(peer, { type: "refreshed" });
    for (const [peer, previous] of before) {
      this.#connection.afterwards(() => this.#refreshed(peer, session, previous));
    }
    for (const { peer } of attempt.newcomers) if (this.#isJoining(peer)) this.admitJoined(peer);
  }

  /** Those that have a session. */
  get #admitted(): Peer<S>[] {
    return this.connected.filter((peer) => peer.session);
  }

  /** Tells the application that one of them has another session now, if it still has that. */
  #refreshed(peer: Peer<S>, session: Session<unknown>, previous: Session<unknown>): void {
    const { policy } = this.#guard;
    const { postRefresh } = policy;
    if (!postRefresh || !peer.connected || peer.session !== session) return;
    const { socket } = peer;
    const call = () => postRefresh(socket, previous);
    callHook(policy, { during: "postRefresh", socket }, call);
  }

  /** A session has another end now. */
  tellEnd(session: Session<unknown>): void {
    const isTold = this.#announce(this.#admitted, session);
    if (!isTold) this.#connection.end(unauthorized("server_error"));
  }

  /** Those that have a session have this one now, of which there is nothing to tell. */
  replaceSession(session: Session<unknown>): void {
    for (const peer of this.#admitted) peer.session = session;
  }

  /**
   * Puts a session in force for some of them, then tells them so, and the sender of the
   * credentials, if an attempt has led to it. Returns false if that has failed: for instance, what
   * `reply` has returned cannot be sent.
   */
  #announce(
    peers: readonly Peer<S>[],
    session: Session<unknown>,
    attempt?: Attempt<S>,
  ): boolean {
    const { policy, clock } = this.#guard;
    const { expiresAt } = session;
    const end: [AuthenticatedInfo?] = expiresAt === undefined
      ? []
      : [{ expiresAt, expiresIn: Math.max(expiresAt - clock.now(), 0) }];
    if (attempt && policy.postAuthenticate) lastCredentials.set(this, attempt.credentials);
    try {
      const replies = attempt?.replies ?? this.#repliesOf(peers, session);
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

  #setSession(peer: Peer<S>, session: Session<unknown> | undefined): void {
    const { journal } = this.#guard;
    // One that has left meanwhile has been counted out.
    if (this.#all.includes(peer) && !peer.session !== !session) {
      journal.count("pending", session ? -1 : 1);
      journal.count("authenticated", session ? 1 : -1);
    }
    peer.session = session;
  }

  /** Opens the gates of some of them, whose session has been announced; then they are met. */
  #open(peers: readonly Peer<S>[]): void {
    this.#forEach(peers, (peer) => {
      this.#note(peer, { type: "authenticated" });
      peer.open();
    });
    for (const peer of peers) this.#connection.afterwards(() => this.#welcome(peer));
  }

  /** The application meets one of them, signed in or not. */
  introduce(peer: Peer<S>): void {
    this.#forEach([peer], (peer) => peer.introduce());
  }

  /**
   * The application meets one of them: its `connection` handlers, then the
   * hook, then what the client has sent meanwhile, which waits for a hook that
   * returns a promise. Each may end the session, and the next does not run.
   */
  #welcome(peer: Peer<S>): void {
    const { policy } = this.#guard;
    const { postAuthenticate } = policy;
    const isIn = () => peer.connected && peer.session !== undefined;
    const deliver = () => this.#forEach([peer], (peer) => peer.deliver());
    if (isIn()) this.introduce(peer);
    if (!isIn()) return;
    if (!postAuthenticate) return deliver();
    const { socket } = peer;
    const call = () => postAuthenticate(socket, lastCredentials.get(this));
    callHook(policy, { during: "postAuthenticate", socket }, call, deliver);
  }

  // Some are refused while others stay.

  /** A socket that has brought the credentials of the session joins it, if it is that user's. */
  letIn(newcomer: Newcomer<S>): void {
    const { previous } = newcomer.peer;
    if (!previous || sameUser(previous, this.#connection.session!)) return newcomer.letIn();
    this.turnDown(newcomer, unauthorized("subject_mismatch"));
  }

  /** Refuses the sockets that may not have their namespace; those of a session stay until it is renewed. */
  forbid(attempt: Attempt<S>, newcomers: readonly Newcomer<S>[]): void {
    for (const newcomer of newcomers) this.turnDown(newcomer, attempt.refusalOf(newcomer.peer)!);
    if (this.#connection.state.phase !== "pending") return;
    for (const peer of this.connected) {
      const refusal = attempt.refusalOf(peer);
      if (!refusal) continue;
      // Once it is silenced, no acknowledgement goes out.
      if (peer === attempt.peer) attempt.answer({ ok: false, ...refusal });
      this.refuse(peer, refusal);
    }
  }

  /** Refuses one socket, and no other: it is told why at once, and to stay away a while later. */
  refuse(peer: Peer<S>, refusal: Unauthorized, cause?: Cause): void {
    const connection = this.#connection;
    this.#markRefused(peer, refusal, cause);
    const wasSignedIn = connection.isSignedIn;
    this.#guard.clock.after(CLOSING, () => {
      // Then it is told along with the others, when that is over.
      if (connection.isClosing) return;
      connection.ignoreClient();
      this.#dismissRefused(peer);
      // If it was the last socket of a session, nothing else closes the transport.
      const isLast = connection.state.phase === "idle" && this.count === 0;
      if (wasSignedIn && isLast) connection.closeTransport();
    });
    connection.checkDeserted();
  }

  /** Refuses a socket that has brought credentials. Without a refusal, its transport is gone. */
  turnDown(
    newcomer: Newcomer<S>,
    refusal: Unauthorized | undefined,
    cause?: Cause,
    mayAskAgain = false,
  ): void {
    const { peer } = newcomer;
    const { phase } = this.#connection.state;
    const isIn = this.hasConnected(peer);
    // It is told along with the others, but by those who are signed in.
    if (isIn && (phase !== "authenticated" || !refusal)) return;
    if (!isIn && !this.#outside.includes(peer)) return;
    newcomer.refuse(refusal);
    if (!refusal) return this.forget(peer);
    // It has heard of it only now, and is told to stay away later than the others.
    if (phase === "idle") this.#vacate(peer);
    if (mayAskAgain) this.#markRefused(peer, refusal, cause);
    else this.refuse(peer, refusal, cause);
  }

  /** Refuses those that were let in, and have not come yet: the session is over, or another's. */
  refuseComing(refusal: Unauthorized, cause: Cause): void {
    for (const peer of this.#coming) {
      peer.refuse?.(refusal);
      if (this.#connection.state.phase === "idle") this.#vacate(peer);
      this.refuse(peer, refusal, cause);
    }
  }

  #markRefused(peer: Peer<S>, refusal: Unauthorized, cause: Cause = "unauthorized"): void {
    if (peer.connected) this.#try(peer, () => peer.silence());
    this.turnAway(peer, refusal, cause);
    refused.add(peer);
  }

  /** Ends one of them while others stay. */
  #expel(peer: Peer<S>, refusal: Unauthorized): void {
    this.#try(peer, () => peer.silence());
    this.turnAway(peer, refusal, "unauthorized");
    this.#dismiss(peer);
  }

  /** Tells those to stay away that were refused before they were connected. */
  dismissOutside(): void {
    for (const peer of this.#outside) this.#dismissRefused(peer);
  }

  /** Tells one to stay away that was refused, if it has not left. */
  #dismissRefused(peer: Peer<S>): void {
    if (refused.has(peer)) this.#dismiss(peer);
  }

  #dismiss(peer: Peer<S>): void {
    refused.delete(peer);
    this.#try(peer, () => peer.disconnect());
    this.forget(peer);
    // Should the binding not have said so by now.
    if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  // All of them end.

  /** Silences them, and tells them why. */
  end(refusal: Unauthorized, cause: Cause): void {
    lastCredentials.delete(this);
    const peers = this.connected;
    // All of them first: what the application does as the first ones go must
    // not reach the others, and one that breaks over the news is not recoverable.
    this.#forEach(peers, (peer) => peer.silence());
    // A connection that is cut by a limit is one event, however many sockets it has.
    const noted = isLimit(refusal.code) ? peers.slice(0, 1) : peers;
    this.#forEach(peers, (peer) => {
      this.#guard.journal.countEnd(refusal.code);
      this.#tell(peer, refusal, cause, noted.includes(peer));
    });
  }

  /** Disconnects them; they are silenced. */
  disconnect(): void {
    for (const peer of this.#outside) this.#dismiss(peer);
    for (const peer of this.#all) this.#dismissRefused(peer);
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

  // What is told.

  /** Tells the sender of credentials why they are refused. One that is not connected is told otherwise. */
  tellSender(peer: Peer<S>, refusal: Unauthorized): void {
    if (peer.connected) this.#tell(peer, refusal, "unauthorized");
  }

  /** Tells one of them why, which ends by that. */
  turnAway(peer: Peer<S>, refusal: Unauthorized, cause: Cause): void {
    this.#guard.journal.countEnd(refusal.code);
    this.#tell(peer, refusal, cause);
  }

  #tell(peer: Peer<S>, refusal: Unauthorized, cause: Cause, isNoted = true): void {
    if (peer.connected) peer.send(UNAUTHORIZED, refusal);
    if (!isNoted) return;
    if (cause === "unauthorized") return this.#note(peer, { type: cause, code: refusal.code });
    const { authenticatedAt = this.#guard.clock.now() } = peer.session ?? {};
    this.#note(peer, { type: cause }, authenticatedAt);
  }

  /** Notes what has happened to a socket, and how long it is since it was connected, or since `from`. */
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

function without<P>(peers: readonly P[], gone: P): readonly P[] {
  const others = peers.filter((peer) => peer !== gone);
  return others.length > 0 ? others : NONE;
}
