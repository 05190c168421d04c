import type { Attempt } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import { callHook } from "./contain.ts";
import type { Happening } from "./events.ts";
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

/** Time from a refusal to the close of the client, in ms. */
export const CLOSING = 1000;

/** Time limit of `authorize` for a socket that joins a session, in ms. */
const JOIN_LIMIT = 30_000;

/** An event for observers, without duration and user. */
type What = Happening extends infer H
  ? H extends { duration: number } ? Omit<H, "duration" | "userId"> : never
  : never;

/** The payloads of `authenticated`. */
export type Replies<S> = ReadonlyMap<Peer<S>, unknown>;

/** Sockets that were refused while others stay, and were not told to stay away yet. */
const refused = new WeakSet<object>();

/** Sockets that `authorize` has allowed while they were joining, and for which session. */
const allowed = new WeakMap<object, Session<unknown>>();

/** The credentials of the last sign-in, for `postAuthenticate` of sockets that join later. */
const lastCredentials = new WeakMap<object, unknown>();

/** Shared, since most connections have no joining socket. */
const NONE: readonly never[] = [];

/**
 * The sockets of one client connection under one policy. A session begins for all connected
 * sockets. Single sockets may join it later, or be refused while the others stay.
 */
export class Peers<S> {
  readonly #connection: Connection<S, unknown>;
  /** Never changed in place: hooks may add and remove sockets during an iteration. */
  #all: readonly Peer<S>[] = NONE;
  /**
   * Sockets that are counted but not connected: joining with credentials, or refused and not yet
   * told to stay away.
   */
  #outside: readonly Peer<S>[] = NONE;

  constructor(connection: Connection<S, unknown>) {
    this.#connection = connection;
  }

  // Queries.

  get connected(): readonly Peer<S>[] {
    return this.#all.every(isIn) ? this.#all : this.#all.filter(isIn);
  }

  hasConnected(peer: Peer<S>): boolean {
    return this.#all.includes(peer) && isIn(peer);
  }

  /** Returns the sockets that the session of an attempt would be for. */
  concerned({ newcomers }: Attempt<S>): readonly Peer<S>[] {
    const isPending = this.#connection.state.phase === "pending";
    const peers = isPending ? this.connected : this.#admitted;
    if (newcomers.length === 0) return peers;
    return [...new Set([...peers, ...newcomers.map(({ peer }) => peer)])];
  }

  /** Returns the connected sockets that the session of an attempt is for, and may have it. */
  ready(attempt: Attempt<S>): Peer<S>[] {
    const isPending = this.#connection.state.phase === "pending";
    const ready: Peer<S>[] = [];
    for (const peer of this.#all) {
      const isConcerned = isPending || peer.session || attempt.has(peer);
      if (!isConcerned || !peer.connected || refused.has(peer)) continue;
      if (attempt.isAllowed(peer)) ready.push(peer);
    }
    return ready;
  }

  /** Returns whether no socket is connected or joining, `knocking` ones excluded. */
  isDeserted(knocking: readonly Peer<S>[]): boolean {
    const stays = (peer: Peer<S>) => !refused.has(peer) && !knocking.includes(peer);
    return !this.#all.some((peer) => peer.connected && stays(peer)) && !this.#outside.some(stays);
  }

  get #coming(): Peer<S>[] {
    return this.#outside.filter((peer) => !refused.has(peer));
  }

  /** The number of sockets, including those that are not connected yet. */
  get count(): number {
    return this.#all.length + this.#outside.length;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  has(peer: Peer<S>): boolean {
    return this.#all.includes(peer);
  }

  // Sockets that come and go.

  /** Counts a socket that brings credentials. It is connected if they are good. */
  expect(peer: Peer<S>): void {
    this.#outside = withOne(this.#outside, peer);
    this.#connection.guard.journal.count("pending", 1);
  }

  /** Forgets that a socket was expected, because it has come, or will not come. */
  forget(peer: Peer<S>): void {
    refused.delete(peer);
    this.#vacate(peer);
  }

  #vacate(peer: Peer<S>): void {
    if (!this.#outside.includes(peer)) return;
    this.#outside = without(this.#outside, peer);
    this.#connection.guard.journal.count("pending", -1);
  }

  add(peer: Peer<S>): void {
    this.forget(peer);
    this.#all = withOne(this.#all, peer);
    this.#connection.guard.journal.count("pending", 1);
  }

  remove(peer: Peer<S>, reason: string): void {
    refused.delete(peer);
    this.#all = without(this.#all, peer);
    const { journal, policy } = this.#connection.guard;
    const { disconnect } = policy;
    const { socket } = peer;
    journal.count(peer.session ? "authenticated" : "pending", -1);
    this.#note(peer, { type: "disconnected", reason });
    if (disconnect) {
      callHook(policy, { during: "disconnect", socket }, () => disconnect(socket, reason));
    }
  }

  removeAll(reason: string): void {
    for (const peer of this.#all) this.remove(peer, reason);
    for (const peer of this.#outside) this.forget(peer);
  }

  // Sessions that begin, are joined, or are renewed.

  /**
   * Calls `go` once the recovered sockets of an attempt have fetched what they missed, or at once
   * if there are none. Sockets of another user are not waited for.
   */
  whenCaughtUp(attempt: Attempt<S>, session: Session<unknown>, go: () => void): void {
    const connection = this.#connection;
    // A refresh does not wait: a socket that joins a session waits on its own.
    const isWaitedFor = (peer: Peer<S>) =>
      connection.state.phase === "pending" && attempt === connection.running &&
      attempt.isAllowed(peer) && (!peer.previous || sameUser(peer.previous, session));
    this.#whenCaughtUp(isWaitedFor, go, () => {
      // Only the attempt in flight may refuse the client.
      if (attempt === connection.running) connection.reject(unauthorized("server_error"));
    });
  }

  /**
   * Makes the recovered sockets fetch what they missed. Then calls `go`, or `fail` if it cannot be
   * had.
   */
  #whenCaughtUp(isMeant: (peer: Peer<S>) => boolean, go: () => void, fail: () => void): void {
    const behind = this.connected.find((peer) => peer.isBehind && isMeant(peer));
    if (!behind) return go();
    const goOn = () => this.#whenCaughtUp(isMeant, go, fail);
    behind.catchUp!().then(goOn, (error) => {
      // A socket that has left meanwhile does not hold up the others.
      if (!behind.connected) return goOn();
      this.#connection.guard.policy.report(error, { during: "recovery", socket: behind.socket });
      fail();
    });
  }

  /** Undoes the catching up: no session begins. */
  fallBehind(): void {
    this.#forEach(this.connected, (peer) => {
      if (!peer.session) peer.fallBehind?.();
    });
  }

  /**
   * Returns the payload of `authenticated` for each socket, if the option `reply` is given.
   *
   * @throws if the option `reply` throws
   */
  repliesOf(peers: readonly Peer<S>[], { user }: Session<unknown>): Replies<S> | undefined {
    const { reply } = this.#connection.guard.policy;
    return reply && new Map(peers.map((peer) => [peer, reply(user, peer.socket)]));
  }

  admit(attempt: Attempt<S>, session: Session<unknown>): void {
    if (this.#outside.length > 0) this.#settleOutside(attempt, session);
    const { admitted } = attempt;
    if (!this.#announce(admitted, session, attempt)) {
      return this.#connection.reject(unauthorized("server_error"));
    }
    this.#open(admitted);
    // Sockets that were connected while `authorize` was asked about others.
    for (const peer of this.connected) if (!peer.session) this.admitJoined(peer);
    // The application may have disconnected them since.
    this.#connection.checkDeserted();
  }

  /**
   * Admits a socket to the session, if the user may have its namespace. An attempt in flight goes
   * on.
   */
  admitJoined(peer: Peer<S>): void {
    const { guard, session } = this.#connection;
    if (!guard.policy.authorize) this.#catchUp(peer);
    else if (allowed.get(peer) === session) this.#catchUp(peer, session);
    else this.#authorize(peer);
  }

  /**
   * Tells refused sockets that are not connected to stay away, and remembers joining ones that are
   * allowed, so that `authorize` is not asked again.
   */
  #settleOutside(attempt: Attempt<S>, session: Session<unknown>): void {
    for (const peer of this.#outside) this.#dismissRefused(peer);
    for (const { peer } of attempt.newcomers) {
      if (attempt.isAllowed(peer)) allowed.set(peer, session);
    }
  }

  #authorize(peer: Peer<S>): void {
    const { clock, policy } = this.#connection.guard;
    const refuse = (refusal: Unauthorized) => {
      cancel();
      if (this.#isJoining(peer)) this.refuse(peer, refusal);
    };
    const cancel = clock.after(JOIN_LIMIT, () => refuse(unauthorized("timeout")));
    const ask = () => {
      const { session } = this.#connection;
      if (!session || !this.#isJoining(peer)) return cancel();
      refusalFor(policy, session.user, peer).then((refusal) => {
        // The session was renewed since `authorize` was asked.
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

  /** Admits a socket once it has caught up; `asked` is the session that `authorize` has allowed. */
  #catchUp(peer: Peer<S>, asked?: Session<unknown>): void {
    const fail = () => this.#connection.end(unauthorized("server_error"));
    this.#whenCaughtUp((other) => other === peer, () => {
      // The session may have been renewed meanwhile, or be over.
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
   * Renews the session. A socket that is still catching up gets it afterwards. A socket whose
   * namespace the user may not have any more is ended.
   */
  refresh(attempt: Attempt<S>, session: Session<unknown>): void {
    if (this.#outside.length > 0) this.#settleOutside(attempt, session);
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

  get #admitted(): Peer<S>[] {
    return this.connected.filter((peer) => peer.session);
  }

  #refreshed(peer: Peer<S>, session: Session<unknown>, previous: Session<unknown>): void {
    const { policy } = this.#connection.guard;
    const { postRefresh } = policy;
    if (!postRefresh || !peer.connected || peer.session !== session) return;
    const { socket } = peer;
    const call = () => postRefresh(socket, previous);
    callHook(policy, { during: "postRefresh", socket }, call);
  }

  tellEnd(session: Session<unknown>): void {
    const isTold = this.#announce(this.#admitted, session);
    if (!isTold) this.#connection.end(unauthorized("server_error"));
  }

  /** Replaces the session without telling the client. */
  replaceSession(session: Session<unknown>): void {
    for (const peer of this.#admitted) peer.session = session;
  }

  /**
   * Puts a session in force for `peers`, then tells them, and the sender of the credentials if an
   * `attempt` has led to it. Returns false if that failed, for example because the value of `reply`
   * cannot be sent.
   */
  #announce(
    peers: readonly Peer<S>[],
    session: Session<unknown>,
    attempt?: Attempt<S>,
  ): boolean {
    const { policy, clock } = this.#connection.guard;
    const { expiresAt } = session;
    const end: [AuthenticatedInfo?] = expiresAt === undefined
      ? []
      : [{ expiresAt, expiresIn: Math.max(expiresAt - clock.now(), 0) }];
    if (attempt && policy.postAuthenticate) lastCredentials.set(this, attempt.credentials);
    try {
      const replies = attempt ? attempt.replies : this.repliesOf(peers, session);
      for (const peer of peers) if (peer.connected) this.#setSession(peer, session);
      for (const peer of peers) {
        if (peer.connected) peer.send(AUTHENTICATED, replies ? replies.get(peer) : true, ...end);
      }
      // The sender of a handshake is not connected yet.
      if (!attempt) return true;
      const reply = replies ? replies.get(attempt.peer) : true;
      attempt.answer({ ok: true, reply, ...end[0] });
      return true;
    } catch (error) {
      for (const peer of peers) this.#setSession(peer, undefined);
      policy.report(error, { during: "reply", socket: (attempt?.peer ?? peers[0]!).socket });
      attempt?.answer({ ok: false, ...unauthorized("server_error") });
      return false;
    }
  }

  #setSession(peer: Peer<S>, session: Session<unknown> | undefined): void {
    const { journal } = this.#connection.guard;
    // A socket that has left meanwhile is not counted.
    if (this.#all.includes(peer) && !peer.session !== !session) {
      journal.count("pending", session ? -1 : 1);
      journal.count("authenticated", session ? 1 : -1);
    }
    peer.session = session;
  }

  /** Opens the gates of sockets that were told of their session, then introduces them. */
  #open(peers: readonly Peer<S>[]): void {
    this.#forEach(peers, (peer) => {
      this.#note(peer, { type: "authenticated" });
      peer.open();
    });
    for (const peer of peers) this.#connection.afterwards(() => this.#welcome(peer));
  }

  /** Runs the `connection` handlers of a socket, signed in or not. */
  introduce(peer: Peer<S>): void {
    this.#forEach([peer], (peer) => peer.introduce());
  }

  /**
   * Runs the `connection` handlers of a socket, then `postAuthenticate`, then delivers what the
   * client has sent meanwhile, once a promise of the hook has settled. Each may end the session,
   * and the next does not run.
   */
  #welcome(peer: Peer<S>): void {
    const { policy } = this.#connection.guard;
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

  // Refusals of single sockets.

  /** Lets in a socket with the credentials of the session, unless it was another user's. */
  letIn(newcomer: Newcomer<S>): void {
    const { previous } = newcomer.peer;
    if (!previous || sameUser(previous, this.#connection.session!)) return newcomer.letIn();
    this.turnDown(newcomer, unauthorized("subject_mismatch"));
  }

  /**
   * Refuses the sockets that may not have their namespace, unless a session runs: until it is
   * renewed, its sockets stay.
   */
  forbid(attempt: Attempt<S>, newcomers: readonly Newcomer<S>[]): void {
    for (const newcomer of newcomers) this.turnDown(newcomer, attempt.refusalOf(newcomer.peer)!);
    if (this.#connection.state.phase !== "pending") return;
    for (const peer of this.connected) {
      const refusal = attempt.refusalOf(peer);
      if (!refusal) continue;
      // A silenced socket sends no acknowledgement.
      if (peer === attempt.peer) attempt.answer({ ok: false, ...refusal });
      this.refuse(peer, refusal);
    }
  }

  /** Refuses a single socket: it is told why at once, and to stay away a while later. */
  refuse(peer: Peer<S>, refusal: Unauthorized, cause?: Cause): void {
    const connection = this.#connection;
    this.#markRefused(peer, refusal, cause);
    const wasSignedIn = connection.isSignedIn;
    this.#connection.guard.clock.after(CLOSING, () => {
      // The socket is then told along with the others.
      if (connection.isClosing) return;
      connection.ignoreClient();
      this.#dismissRefused(peer);
      // Nothing else closes the transport after the last socket of a session.
      const isLast = connection.state.phase === "idle" && this.count === 0;
      if (wasSignedIn && isLast) connection.closeTransport();
    });
    connection.checkDeserted();
  }

  /** Refuses a socket that has brought credentials. Without `refusal`, the transport is gone. */
  turnDown(
    newcomer: Newcomer<S>,
    refusal: Unauthorized | undefined,
    cause?: Cause,
    mayAskAgain = false,
  ): void {
    const { peer } = newcomer;
    const { phase } = this.#connection.state;
    const isIn = this.hasConnected(peer);
    // A connected socket is told along with the others, unless those are signed in.
    if (isIn && (phase !== "authenticated" || !refusal)) return;
    if (!isIn && !this.#outside.includes(peer)) return;
    newcomer.refuse(refusal);
    if (!refusal) return this.forget(peer);
    // The socket was told only now, and is told to stay away later than the others.
    if (phase === "idle") this.#vacate(peer);
    if (mayAskAgain) this.#markRefused(peer, refusal, cause);
    else this.refuse(peer, refusal, cause);
  }

  /** Refuses the sockets that were let in and are not connected yet. */
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

  /** Ends one socket while others stay. */
  #expel(peer: Peer<S>, refusal: Unauthorized): void {
    this.#try(peer, () => peer.silence());
    this.turnAway(peer, refusal, "unauthorized");
    this.#dismiss(peer);
  }

  #dismissRefused(peer: Peer<S>): void {
    if (refused.has(peer)) this.#dismiss(peer);
  }

  #dismiss(peer: Peer<S>): void {
    refused.delete(peer);
    this.#try(peer, () => peer.disconnect());
    this.forget(peer);
    // The binding may not have called `leave`.
    if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  // The end of all sockets.

  end(refusal: Unauthorized, cause: Cause): void {
    lastCredentials.delete(this);
    const peers = this.connected;
    // All are silenced first: what the application does when the first one ends must not reach the
    // others, and a socket whose listener throws must not be recoverable.
    this.#forEach(peers, (peer) => peer.silence());
    // A connection that is cut by a limit is one event, not one for each socket.
    const noted = isLimit(refusal.code) ? peers.slice(0, 1) : peers;
    this.#forEach(peers, (peer) => {
      this.#connection.guard.journal.countEnd(refusal.code);
      this.#tell(peer, refusal, cause, noted.includes(peer));
    });
  }

  /** Disconnects all sockets, after they were silenced. */
  disconnect(): void {
    for (const peer of this.#outside) this.#dismiss(peer);
    for (const peer of this.#all) this.#dismissRefused(peer);
    this.#leave((peer) => peer.disconnect());
  }

  replace(): void {
    this.#leave((peer) => peer.replace());
  }

  #leave(leave: (peer: Peer<S>) => void): void {
    const peers = this.connected;
    this.#forEach(peers, leave);
    // The binding may not have called `leave`.
    for (const peer of peers) if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  // Messages and events.

  tellSender(peer: Peer<S>, refusal: Unauthorized): void {
    if (peer.connected) this.#tell(peer, refusal, "unauthorized");
  }

  turnAway(peer: Peer<S>, refusal: Unauthorized, cause: Cause): void {
    this.#connection.guard.journal.countEnd(refusal.code);
    this.#tell(peer, refusal, cause);
  }

  #tell(peer: Peer<S>, refusal: Unauthorized, cause: Cause, isNoted = true): void {
    if (peer.connected) peer.send(UNAUTHORIZED, refusal);
    if (!isNoted) return;
    if (cause === "unauthorized") return this.#note(peer, { type: cause, code: refusal.code });
    const { authenticatedAt = this.#connection.guard.clock.now() } = peer.session ?? {};
    this.#note(peer, { type: cause }, authenticatedAt);
  }

  /** Notes an event of a socket; `from` is the beginning of its duration. */
  #note(peer: Peer<S>, what: What, from: number = peer.connectedAt): void {
    const { clock, journal } = this.#connection.guard;
    journal.note(peer, () => {
      const { userId } = peer.session ?? {};
      const duration = Math.max(clock.now() - from, 0);
      return { ...what, ...userId !== undefined && { userId }, duration };
    });
  }

  /** Calls `call` for each socket that is still connected, also if one of the calls throws. */
  #forEach(peers: readonly Peer<S>[], call: (peer: Peer<S>) => void): void {
    for (const peer of peers) {
      if (peer.connected) this.#try(peer, () => call(peer));
    }
  }

  #try(peer: Peer<S>, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#connection.guard.policy.report(error, { during: "gate", socket: peer.socket });
    }
  }
}

function isIn<S>(peer: Peer<S>): boolean {
  return peer.connected && !refused.has(peer);
}

/** Uses `concat`, because an array that grows by spreading reserves room for sixteen more. */
function withOne<P>(peers: readonly P[], added: P): readonly P[] {
  return peers.length === 0 ? [added] : peers.concat(added);
}

function without<P>(peers: readonly P[], gone: P): readonly P[] {
  const others = peers.filter((peer) => peer !== gone);
  return others.length > 0 ? others : NONE;
}
