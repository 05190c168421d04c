import { callHook, forEachPeer } from "./contain.ts";
import type { Host, Peer } from "./interface.ts";
import { type Effect, type Event, initial, type State, transition } from "./machine.ts";
import {
  type Acknowledge,
  AUTHENTICATED,
  type AuthenticatedInfo,
  UNAUTHORIZED,
  type Unauthorized,
  unauthorized,
} from "./protocol.ts";
import type { Session } from "./session.ts";
import { Submission } from "./submission.ts";
import { startDeadline, startExpiry, type Timer } from "./timer.ts";

/**
 * How many namespaces may be asked for before anybody is authenticated, the same
 * ones again counted. Each costs the application a `connection` event, and
 * perhaps a dynamic namespace.
 */
const APPROACHES_LIMIT = 64;

/** One event in the queue, with what its effects need besides. */
interface Entry<S> {
  readonly event: Event;
  readonly peer?: Peer<S>;
  readonly submission?: Submission<S>;
}

/**
 * One client connection under one policy: feeds the machine and carries out
 * its effects. Every event runs to completion before the next one, also when a
 * hook or an application listener causes that next one in the middle.
 */
export class Connection<S, T> {
  /** The policy it is under, and all that comes with it. */
  readonly host: Host<S, T>;
  readonly #transport: T;
  /** Never changed in place: hooks may come and go while it is walked. */
  #peers: readonly Peer<S>[] = [];
  #state: State = initial;
  #queue: Entry<S>[] | undefined;
  #isJoining = false;
  #attempts = 0;
  #approaches = 0;
  #timer: Timer | undefined;
  /** The attempt in flight. */
  #running: Submission<S> | undefined;
  /** Of the last success, for the `postAuthenticate` of sockets that join later. */
  #credentials: unknown;

  constructor(host: Host<S, T>, transport: T) {
    this.host = host;
    this.#transport = transport;
  }

  /** The client asks for a namespace. Returns whether it may have a socket there. */
  approach(): boolean {
    if (this.#state.phase === "authenticated") return true;
    if (++this.#approaches <= APPROACHES_LIMIT) return true;
    this.end(unauthorized("too_many_attempts"));
    return false;
  }

  /** A namespace has been connected; called before its `connection` handlers run. */
  join(peer: Peer<S>): void {
    this.#peers = [...this.#peers, peer];
    this.#isJoining = true;
    this.#dispatch({ event: { type: "joined", previous: peer.previous }, peer });
    this.#isJoining = false;
  }

  /** A namespace has been disconnected; `byClient` if it was the client that left. */
  leave(peer: Peer<S>, reason: string, byClient: boolean): void {
    if (!this.#peers.includes(peer)) return;
    this.#peers = this.#peers.filter((other) => other !== peer);
    if (this.#running?.peer === peer) {
      this.#dispatch({ event: { type: "abandoned", attempt: this.#running.id, byClient } });
    }
    const { policy } = this.host;
    const { disconnect } = policy;
    if (disconnect) {
      callHook(policy, "disconnect", peer.socket, () => disconnect(peer.socket, reason));
    }
  }

  /** The client has sent an `authentication` event. */
  authenticate(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge | undefined): void {
    const id = ++this.#attempts;
    const submission = new Submission(id, peer, credentials, acknowledge);
    this.#dispatch({ event: { type: "credentials", attempt: id }, submission });
  }

  /** The server ends the connection for a reason of its own. */
  end(refusal: Unauthorized): void {
    this.#dispatch({ event: { type: "ended", refusal } });
  }

  /** The transport is gone, and every peer with it. */
  close(): void {
    this.#dispatch({ event: { type: "gone" } });
  }

  #dispatch(entry: Entry<S>): void {
    if (this.#queue) {
      this.#queue.push(entry);
      return;
    }
    this.#queue = [entry];
    try {
      for (const { event, ...context } of this.#queue) {
        const { state, effects } = transition(this.#state, event, this.host.policy);
        this.#state = state;
        for (const effect of effects) this.#perform(effect, context);
      }
    } finally {
      // Whatever went wrong, the deadline must still find somebody at work.
      this.#queue = undefined;
    }
  }

  #perform(effect: Effect, { peer, submission }: Omit<Entry<S>, "event">): void {
    switch (effect.type) {
      case "verify":
        return this.#verify(submission!);
      case "decline":
        return submission!.refuse(unauthorized("attempt_in_progress"));
      case "abort":
        return this.#abort(effect.refusal);
      case "start_deadline":
        this.#stopTimer();
        this.#timer = startDeadline(this.host.clock, effect.ms, () => this.#passed("deadline"));
        return;
      case "pause_deadline":
        return this.#timer?.pause();
      case "resume_deadline":
        return this.#timer?.resume();
      case "start_expiry":
        this.#stopTimer();
        this.#timer = startExpiry(this.host.clock, effect.at, () => this.#passed("expired"));
        return;
      case "stop_timer":
        return this.#stopTimer();
      case "admit":
        return this.#admit(effect.session);
      case "admit_joined":
        return this.#admitJoined(peer!, effect.session);
      case "refresh":
        return void this.#announce(this.#connected(), effect.session);
      case "refuse":
        return this.#refuse(effect.refusal);
      case "shut":
        return this.#shut(effect.refusal, effect.keepRooms);
      case "end":
        // Not while the server is still busy connecting the socket.
        if (this.#isJoining) return queueMicrotask(() => this.#end(effect.refusal));
        return this.#end(effect.refusal);
    }
  }

  #passed(type: "deadline" | "expired"): void {
    this.#dispatch({ event: { type } });
  }

  #stopTimer(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #verify(submission: Submission<S>): void {
    this.#running = submission;
    submission.verify(this.host, (event) => this.#dispatch({ event }));
  }

  #abort(refusal: Unauthorized | undefined): void {
    const submission = this.#settle();
    submission?.abort();
    if (refusal) submission?.refuse(refusal);
  }

  #admit(session: Session<unknown>): void {
    const peers = this.#connected();
    if (!this.#announce(peers, session)) return;
    this.#forEach(peers, (peer) => peer.open());
    this.#welcome(peers);
  }

  /** A socket that joins a signed-in connection: `connection` handlers come first. */
  #admitJoined(peer: Peer<S>, session: Session<unknown>): void {
    const peers = [peer];
    if (!this.#announce(peers, session)) return;
    this.#forEach(peers, () => peer.open());
    queueMicrotask(() => this.#welcome(peers));
  }

  /** Puts the session in force, then says so. Returns false if that failed. */
  #announce(peers: readonly Peer<S>[], session: Session<unknown>): boolean {
    const { expiresAt } = session;
    const info: AuthenticatedInfo = expiresAt === undefined ? {} : { expiresAt };
    const submission = this.#settle();
    if (submission && this.host.policy.postAuthenticate) this.#credentials = submission.credentials;
    try {
      const replies = peers.map((peer) => this.host.policy.reply(session.user, peer.socket));
      for (const peer of peers) if (peer.connected) peer.session = session;
      peers.forEach((peer, i) => {
        if (!peer.connected) return;
        peer.send(AUTHENTICATED, replies[i], info);
        if (peer === submission?.peer) submission.answer({ ok: true, reply: replies[i], ...info });
      });
      return true;
    } catch (error) {
      const refusal = unauthorized("server_error");
      this.#report(error, "reply", submission?.peer ?? peers[0]);
      for (const peer of peers) peer.session = undefined;
      submission?.refuse(refusal);
      this.end(refusal);
      return false;
    }
  }

  /** The hook, then what the client has sent meanwhile: the hook may add listeners. */
  #welcome(peers: readonly Peer<S>[]): void {
    const { policy } = this.host;
    const { postAuthenticate } = policy;
    this.#forEach(peers, (peer) => {
      if (postAuthenticate) {
        const call = () => postAuthenticate(peer.socket, this.#credentials);
        callHook(policy, "postAuthenticate", peer.socket, call);
      }
      peer.deliver();
    });
  }

  #refuse(refusal: Unauthorized): void {
    const submission = this.#settle();
    if (!submission) return;
    submission.refuse(refusal);
    this.#forEach([submission.peer], (peer) => peer.send(UNAUTHORIZED, refusal));
  }

  #shut(refusal: Unauthorized, keepRooms: boolean): void {
    this.#credentials = undefined;
    for (const peer of this.#connected()) {
      try {
        peer.session = undefined;
        peer.shut(keepRooms);
        peer.send(UNAUTHORIZED, refusal);
      } catch (error) {
        this.#report(error, "gate", peer);
        this.end(unauthorized("server_error"));
      }
    }
  }

  #end(refusal: Unauthorized): void {
    this.#credentials = undefined;
    const peers = this.#connected();
    // Shut first: a connection that breaks over the news must not be recoverable.
    this.#forEach(peers, (peer) => peer.shut(true));
    this.#forEach(peers, (peer) => peer.send(UNAUTHORIZED, refusal));
    this.#forEach(peers, (peer) => peer.disconnect());
    if (this.host.isShared(this.#transport)) return;
    try {
      this.host.close(this.#transport);
    } catch (error) {
      this.#report(error, "gate", undefined);
    }
  }

  #connected(): Peer<S>[] {
    return this.#peers.filter((peer) => peer.connected);
  }

  #forEach(peers: readonly Peer<S>[], call: (peer: Peer<S>) => void): void {
    forEachPeer(this.host.policy, peers, call);
  }

  /** The attempt in flight is over. */
  #settle(): Submission<S> | undefined {
    const submission = this.#running;
    this.#running = undefined;
    return submission;
  }

  #report(error: unknown, during: string, peer: Peer<S> | undefined): void {
    this.host.policy.report(error, peer ? { during, socket: peer.socket } : { during });
  }
}
