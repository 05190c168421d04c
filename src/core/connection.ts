import { Attempt } from "./attempt.ts";
import type { Peer } from "./interface.ts";
import { adoptConnectionId, connectionId } from "./ids.ts";
import { isOverLimit } from "./measure.ts";
import { Newcomer } from "./newcomer.ts";
import type { Notice } from "./notices.ts";
import { Performer } from "./performer.ts";
import { type Acknowledge, type Unauthorized, unauthorized } from "../protocol.ts";
import { sameUser } from "./session.ts";

/**
 * How many namespaces may be asked for before anybody is authenticated, the same
 * ones again counted. Each costs the application a `connection` event, and
 * perhaps a dynamic namespace.
 */
const ASKED_LIMIT = 64;

/** What the operator is told where the deadline ends a connection. */
type Clue = [notice: Notice, message: string];

const CREDENTIALS_IN_CONNECT = "The deadline ended a connection whose client had sent a payload " +
  "with CONNECT (the option auth of socket.io-client), where credentials are not looked for. " +
  "Give the option handshake: true, or have the client send them in an authentication event.";

/** Names of events in which a client may have meant to send its credentials. */
const LIKE_AUTHENTICATION = /^(auth|log[-_ ]?in|sign[-_ ]?in|token|credential)/i;

/** Whether there is more in a payload of CONNECT than Socket.IO's own. */
function hasCredentials(payload: unknown): boolean {
  const keys = typeof payload === "object" && payload !== null ? Object.keys(payload) : [];
  return keys.some((key) => key !== "pid" && key !== "offset");
}

/** One client connection under one policy: what a binding calls. */
export class Connection<S, T> extends Performer<S, T> {
  #attempts = 0;
  /** What the client has sent where the server does not look for credentials. */
  #clue: Clue | undefined;

  /**
   * The client asks for a namespace, with a payload perhaps. Returns why it must
   * not have it, if so: then {@linkcode turnAway} the peer.
   */
  refusalToJoin(payload: unknown): Unauthorized | undefined {
    const isKnown = this.state.phase === "authenticated";
    if (!isKnown && ++this.asked > ASKED_LIMIT) return unauthorized("too_many_attempts");
    const { handshake, maxCredentials } = this.guard.policy;
    if (!isKnown && handshake === false && hasCredentials(payload)) {
      this.#clue = ["handshake is off", CREDENTIALS_IN_CONNECT];
    }
    const isTooMuch = isOverLimit(payload, maxCredentials);
    return isTooMuch ? unauthorized("invalid_credentials") : undefined;
  }

  /** A socket must not be connected, and has been told so. */
  turnAway(peer: Peer<S>, refusal: Unauthorized): void {
    const { journal, policy } = this.guard;
    const { code } = refusal;
    const isLimit = code === "too_many_attempts" || code === "server_busy";
    const isAttempt = policy.handshake !== false && code !== "too_many_attempts";
    if (isAttempt) journal.noteAttempt(peer, code, () => ({ duration: 0 }));
    // Where there is no place, it has none.
    if (!isLimit) this.peers.expect(peer);
    this.refuse(peer, refusal);
    if (this.isSignedIn) return;
    if (isLimit) this.end(refusal);
    else this.reject(refusal);
  }

  /** A socket has come while the client is about to be closed: it is told to stay away then. */
  drop(peer: Peer<S>): void {
    this.peers.expect(peer);
  }

  /**
   * The client has sent credentials along with its request for a namespace. They are verified as
   * those of an `authentication` event are, one at a time. Those that the session came of, or the
   * attempt in flight, are not verified again.
   */
  handshake(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge): void {
    if (this.state.phase === "idle" && this.guard.journal.isFull) {
      const refusal = this.guard.busy("server_busy");
      acknowledge({ ok: false, ...refusal });
      return this.turnAway(peer, refusal);
    }
    this.peers.expect(peer);
    this.take(new Newcomer(peer, credentials, acknowledge));
    this.countSockets();
  }

  protected take(newcomer: Newcomer<S>): void {
    const { peer, credentials } = newcomer;
    if (this.isOfSession(credentials)) this.#letIn(newcomer);
    else if (this.running) this.waiting = [...this.waiting, newcomer];
    else this.#submit(peer, credentials, newcomer);
  }

  /** A socket joins the session, unless it is one of another user that has been recovered. */
  #letIn(newcomer: Newcomer<S>): void {
    const { previous } = newcomer.peer;
    if (!previous || sameUser(previous, this.session!)) return newcomer.letIn();
    this.refuseNewcomer(newcomer, unauthorized("subject_mismatch"));
  }

  /** A namespace has been connected; the application has not met the socket yet. */
  join(peer: Peer<S>): void {
    this.#adopt(peer);
    const { previous } = peer;
    const { phase } = this.state;
    const refusal = phase === "closing"
      ? undefined
      : this.guard.objectionTo(previous, phase === "idle");
    this.peers.add(peer);
    if (refusal && this.isSignedIn) this.refuse(peer, refusal);
    else if (refusal) this.end(refusal);
    // It waits for what becomes of the credentials that it has brought.
    else if (this.running?.has(peer)) this.running.joined();
    else this.dispatch({ event: { type: "joined", previous }, peer });
    this.countSockets();
    if (peer.session || !peer.connected || this.isClosing) return;
    this.guard.journal.note(peer, () => ({ type: "pending" }));
    if (this.guard.policy.connection === "connected") this.peers.introduce(peer);
  }

  /** A namespace has been disconnected, or will not be connected. */
  leave(peer: Peer<S>, reason: string): void {
    const { running } = this;
    if (running?.left(peer)) this.happened({ type: "abandoned", attempt: running.id });
    this.waiting = this.waiting.filter((newcomer) => newcomer.peer !== peer);
    this.peers.forget(peer);
    if (this.peers.has(peer)) this.peers.remove(peer, reason);
    this.countSockets();
    this.checkDeserted();
  }

  /** The client has sent an `authentication` event. */
  authenticate(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge | undefined): void {
    this.lookAtClock();
    if (peer.connected) this.#submit(peer, credentials, acknowledge);
  }

  /** The client has sent another event before anybody has signed in. */
  heard(name: unknown): void {
    if (this.#clue || typeof name !== "string" || !LIKE_AUTHENTICATION.test(name)) return;
    const shown = JSON.stringify(name.slice(0, 40));
    this.#clue = [
      "another event",
      `The deadline ended a connection that had sent the event ${shown} instead of ` +
      '"authentication", which is the one that credentials come in.',
    ];
  }

  protected explainSilence(): void {
    if (!this.#clue) return;
    const [notice, message] = this.#clue;
    const socket = this.peers.connected[0]?.socket;
    this.guard.notices.hourly(notice, message, { during: "timeout", ...socket && { socket } });
  }

  /** The application signs the client out, which begins anew. */
  signOut(): void {
    this.#clue = undefined;
    this.dispatch({ event: { type: "signed_out" } });
  }

  /** Whether its client was refused, and is about to be closed: what it sends is to be dropped. */
  get isClosing(): boolean {
    return this.state.phase === "closing";
  }

  /**
   * The credentials that the transport of a socket brought, if there are any. After a sign-out
   * there are none: they were those of before.
   *
   * @throws what the option `handshake` throws
   */
  brought(peer: Peer<S>): unknown {
    return this.wasSignedOut ? undefined : peer.brought?.();
  }

  /** Tells it from all others, on every node. */
  get id(): string {
    return connectionId(this);
  }

  /** When the session began, by the monotonic clock, as far as that is known. */
  get since(): number {
    return this.state.phase === "authenticated" ? this.state.since : -Infinity;
  }

  /** When the sign-in began that there is, by the time of the cluster. */
  get stamp(): number | undefined {
    return this.state.phase === "authenticated" ? this.state.stamp : undefined;
  }

  /** Whether it has no peer. */
  get isEmpty(): boolean {
    return this.peers.isEmpty;
  }

  /** The transport is gone, and every peer with it. */
  close(): void {
    this.dispatch({ event: { type: "gone" } });
    this.peers.removeAll("transport close");
  }

  #submit(
    peer: Peer<S>,
    credentials: unknown,
    from: Newcomer<S> | Acknowledge | undefined,
  ): void {
    const id = ++this.#attempts;
    const attempt = new Attempt(id, this, peer, credentials, from);
    this.#adopt(peer);
    const { previous } = peer;
    const { isBrought } = attempt;
    this.happened({ type: "credentials", attempt: id, previous, isBrought }, attempt);
  }

  /** What spares a connection spares it also once it was lost and has come back. */
  #adopt({ previous }: Peer<S>): void {
    if (previous?.connection !== undefined) adoptConnectionId(this, previous.connection);
  }
}
