import { type Answer, startAttempt } from "./attempt.ts";
import type { Host, Peer } from "./interface.ts";
import { type Effect, type Event, initial, type State, transition } from "./machine.ts";
import { measure } from "./measure.ts";
import {
  type Acknowledge,
  AUTHENTICATED,
  type AuthenticatedInfo,
  UNAUTHORIZED,
  type Unauthorized,
  unauthorized,
} from "./protocol.ts";
import type { Session } from "./session.ts";
import { answer, refuse, type Submission } from "./submission.ts";
import { startDeadline, startExpiry, type Timer } from "./timer.ts";

/** Credentials larger than this, or nested deeper, never reach the verifier. */
const CREDENTIALS_LIMIT = { bytes: 16_384, depth: 32 };

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
  #timer: Timer | undefined;
  /** The attempt in flight. */
  #running: Submission<S> | undefined;
  /** Of the last success, for the `postAuthenticate` of sockets that join later. */
  #credentials: unknown;

  constructor(host: Host<S, T>, transport: T) {
    this.host = host;
    this.#transport = transport;
  }

  /** A namespace has been connected; called before its `connection` handlers run. */
  join(peer: Peer<S>): void {
    this.#peers = [...this.#peers, peer];
    this.#isJoining = true;
    this.#dispatch({ event: { type: "joined" }, peer });
    this.#isJoining = false;
  }

  /** A namespace has been disconnected; `byClient` if it was the client that left. */
  leave(peer: Peer<S>, reason: string, byClient: boolean): void {
    if (!this.#peers.includes(peer)) return;
    this.#peers = this.#peers.filter((other) => other !== peer);
    if (this.#running?.peer === peer) {
      this.#dispatch({ event: { type: "abandoned", attempt: this.#running.id, byClient } });
    }
    const { disconnect } = this.host.policy;
    if (disconnect) this.#hook("disconnect", peer, () => disconnect(peer.socket, reason));
  }

  /** The client has sent an `authentication` event. */
  authenticate(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge | undefined): void {
    const id = ++this.#attempts;
    const submission = { id, peer, credentials, acknowledge, abort: undefined };
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
        return refuse(submission, unauthorized("attempt_in_progress"));
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
    const { id: attempt, peer, credentials } = submission;
    const { bytes, depth } = measure(credentials, CREDENTIALS_LIMIT.bytes);
    if (bytes > CREDENTIALS_LIMIT.bytes || depth > CREDENTIALS_LIMIT.depth) {
      const refusal = unauthorized("invalid_credentials");
      return this.#dispatch({ event: { type: "refused", attempt, refusal } });
    }
    submission.abort = startAttempt(this.host.policy, peer.socket, credentials, (given) => {
      this.#dispatch({ event: this.#eventOf(attempt, given) });
    });
  }

  #eventOf(attempt: number, given: Answer): Event {
    if ("user" in given) {
      const session = { user: given.user, authenticatedAt: this.host.clock.now() };
      return { type: "accepted", attempt, session };
    }
    if ("error" in given) this.#report(given.error, "authenticate", this.#running?.peer);
    return { type: "refused", attempt, refusal: given.refusal };
  }

  #abort(refusal: Unauthorized | undefined): void {
    const submission = this.#settle();
    submission?.abort?.();
    if (refusal) refuse(submission, refusal);
  }

  #admit(session: Session<unknown>): void {
    const peers = this.#connected();
    if (!this.#announce(peers, session)) return;
    for (const peer of peers) this.#open(peer);
    for (const peer of peers) this.#welcome(peer);
  }

  /** A socket that joins a signed-in connection: `connection` handlers come first. */
  #admitJoined(peer: Peer<S>, session: Session<unknown>): void {
    if (!this.#announce([peer], session)) return;
    this.#open(peer);
    queueMicrotask(() => this.#welcome(peer));
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
        if (peer === submission?.peer) answer(submission, { ok: true, reply: replies[i], ...info });
      });
      return true;
    } catch (error) {
      const refusal = unauthorized("server_error");
      this.#report(error, "reply", submission?.peer ?? peers[0]);
      for (const peer of peers) peer.session = undefined;
      refuse(submission, refusal);
      this.end(refusal);
      return false;
    }
  }

  #open(peer: Peer<S>): void {
    if (peer.connected) this.#guarded(peer, () => peer.open());
  }

  /** The hook, then what the client has sent meanwhile: the hook may add listeners. */
  #welcome(peer: Peer<S>): void {
    const { postAuthenticate } = this.host.policy;
    if (!peer.connected) return;
    if (postAuthenticate) {
      this.#hook("postAuthenticate", peer, () => postAuthenticate(peer.socket, this.#credentials));
    }
    this.#guarded(peer, () => peer.deliver());
  }

  #refuse(refusal: Unauthorized): void {
    const submission = this.#settle();
    if (!submission) return;
    refuse(submission, refusal);
    this.#guarded(submission.peer, () => submission.peer.send(UNAUTHORIZED, refusal));
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
    for (const peer of peers) this.#guarded(peer, () => peer.send(UNAUTHORIZED, refusal));
    for (const peer of peers) this.#guarded(peer, () => peer.disconnect());
    if (this.host.isShared(this.#transport)) return;
    this.#guarded(undefined, () => this.host.close(this.#transport));
  }

  #connected(): Peer<S>[] {
    return this.#peers.filter((peer) => peer.connected);
  }

  /** The attempt in flight is over. */
  #settle(): Submission<S> | undefined {
    const submission = this.#running;
    this.#running = undefined;
    return submission;
  }

  /** Calls a hook of the application, which may throw or reject. */
  #hook(name: string, peer: Peer<S>, call: () => unknown): void {
    try {
      Promise.resolve(call()).catch((error) => this.#report(error, name, peer));
    } catch (error) {
      this.#report(error, name, peer);
    }
  }

  /** Calls into the peer, where listeners of the application may throw. */
  #guarded(peer: Peer<S> | undefined, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#report(error, "gate", peer);
    }
  }

  #report(error: unknown, during: string, peer: Peer<S> | undefined): void {
    this.host.policy.report(error, peer ? { during, socket: peer.socket } : { during });
  }
}
