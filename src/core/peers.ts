import { callHook } from "./contain.ts";
import type { Happening } from "./events.ts";
import type { Cause } from "./journal.ts";
import type { Common } from "./common.ts";
import { type Few, fewOf, listOf } from "./few.ts";
import type { Peer } from "./interface.ts";
import {
  AUTHENTICATED,
  type AuthenticatedInfo,
  type Declined,
  UNAUTHORIZED,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import type { Session } from "./session.ts";
import type { Event } from "./states.ts";
import type { Submission } from "./submission.ts";

/** What those who observe are told of a session that ends by this event. */
export function causeOf({ type }: Event): Cause {
  return type === "expired" || type === "revoked" || type === "signed_out" ? type : "unauthorized";
}

/** What happens to sockets, without whose they are and how long it took. */
type What = Happening extends infer H
  ? H extends { duration: number } ? Omit<H, "duration" | "userId"> : never
  : never;

/** The sockets of one client connection under one policy, treated alike. */
export class Peers<S> {
  readonly #guard: Common<S>;
  /** Never changed in place: hooks may come and go while it is walked. */
  #all: Few<Peer<S>>;
  /** Of the last success, for the `postAuthenticate` of sockets that join later. */
  #credentials: unknown;

  constructor(guard: Common<S>) {
    this.#guard = guard;
  }

  /** Those that are still connected. */
  get connected(): Peer<S>[] {
    return listOf(this.#all).filter((peer) => peer.connected);
  }

  get isEmpty(): boolean {
    return this.#all === undefined;
  }

  add(peer: Peer<S>): void {
    this.#all = fewOf([...listOf(this.#all), peer]);
    this.#guard.journal.count("pending", 1);
  }

  has(peer: Peer<S>): boolean {
    return listOf(this.#all).includes(peer);
  }

  /** One of them is gone. */
  remove(peer: Peer<S>, reason: string): void {
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
  }

  /**
   * Puts a session in force for some of them, then tells them so, and whoever
   * sent the credentials. Returns a refusal if `reply` has thrown, or what it
   * returned cannot be sent.
   */
  announce(
    peers: readonly Peer<S>[],
    session: Session<unknown>,
    submission: Submission<S> | undefined,
  ): Unauthorized | undefined {
    const { policy, clock } = this.#guard;
    const { expiresAt } = session;
    const info: AuthenticatedInfo = expiresAt === undefined
      ? {}
      : { expiresAt, expiresIn: Math.max(expiresAt - clock.now(), 0) };
    if (submission && policy.postAuthenticate) this.#credentials = submission.credentials;
    try {
      const replies = peers.map((peer) => policy.reply(session.user, peer.socket));
      for (const peer of peers) if (peer.connected) this.#setSession(peer, session);
      for (const [i, peer] of peers.entries()) {
        if (peer.connected) peer.send(AUTHENTICATED, replies[i], info);
      }
      // The sender of a handshake is not among them yet.
      const reply = submission && replies[peers.indexOf(submission.peer)];
      submission?.answer({ ok: true, reply, ...info });
    } catch (error) {
      for (const peer of peers) this.#setSession(peer, undefined);
      const refusal = unauthorized("server_error");
      policy.report(error, { during: "reply", socket: (submission?.peer ?? peers[0]!).socket });
      submission?.refuse(refusal);
      return refusal;
    }
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

  /** Tells them why, and ends them. */
  end(refusal: Unauthorized, cause: Cause): void {
    this.#finish(refusal, cause, (peer) => peer.disconnect());
  }

  /** The same, and new ones begin in their place. */
  replace(refusal: Unauthorized, cause: Cause): void {
    this.#finish(refusal, cause, (peer) => peer.replace());
  }

  #finish(refusal: Unauthorized, cause: Cause, leave: (peer: Peer<S>) => void): void {
    this.#credentials = undefined;
    const peers = this.connected;
    // All of them first: what the application does as the first ones go must
    // not reach the others, and one that breaks over the news is not recoverable.
    this.#forEach(peers, (peer) => peer.silence());
    this.#forEach(peers, (peer) => this.turnAway(peer, refusal, cause));
    this.#forEach(peers, leave);
    // Should the binding not have said so by now.
    for (const peer of peers) if (this.has(peer)) this.remove(peer, "server disconnect");
  }

  /** Tells one of them why. */
  refuse(peer: Peer<S>, refusal: Unauthorized, cause: Cause): void {
    if (peer.connected) peer.send(UNAUTHORIZED, refusal);
    if (cause === "unauthorized") return this.#note(peer, { type: cause, code: refusal.code });
    const { authenticatedAt = this.#guard.clock.now() } = peer.session ?? {};
    this.#note(peer, { type: cause }, authenticatedAt);
  }

  /** Sends credentials back that came at the wrong time. */
  decline(submission: Submission<S>, refusal: Declined): void {
    if (refusal.code === "attempt_in_progress") submission.ignore();
    else submission.close(refusal.code);
    submission.refuse(refusal);
    this.#noteRefused(submission, refusal, "unauthorized");
  }

  /** Stops an attempt, if there is one, and tells whoever sent the credentials why. */
  abort(
    submission: Submission<S> | undefined,
    refusal: Unauthorized | undefined,
    cause: Cause,
  ): void {
    submission?.abort(refusal);
    if (submission && refusal) this.#noteRefused(submission, refusal, cause);
  }

  /** Nobody else will note it of the sender of a handshake. */
  #noteRefused(
    { peer, isAbandoned }: Submission<S>,
    refusal: Unauthorized,
    cause: Cause,
  ): void {
    if (!peer.connected && !isAbandoned) this.turnAway(peer, refusal, cause);
  }

  /** One ends; if it has not been connected yet, it is told so otherwise. */
  turnAway(peer: Peer<S>, refusal: Unauthorized, cause: Cause): void {
    this.#guard.journal.countEnd(refusal.code, cause);
    this.refuse(peer, refusal, cause);
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
      if (!peer.connected) continue;
      try {
        call(peer);
      } catch (error) {
        this.#guard.policy.report(error, { during: "gate", socket: peer.socket });
      }
    }
  }
}
