import type { Connection } from "../core/connection.ts";
import { Hold } from "../core/hold.ts";
import type { Origin } from "../core/events.ts";
import type { Peer } from "../core/interface.ts";
import { measure } from "../core/measure.ts";
import { type Acknowledge, parseAuthentication, unauthorized } from "../core/protocol.ts";
import type { Session } from "../core/session.ts";
import type { Previous } from "../core/states.ts";
import type { Guard } from "./guard.ts";
import {
  DISCONNECT,
  EVENT,
  type Flags,
  type Packet,
  type RawClient,
  type RawSocket,
} from "./internals.ts";
import { expireAcknowledgement, Outbox } from "./outbox.ts";
import { normalizeAddress } from "./address.ts";
import { authenticationArgs, isReserved } from "./packets.ts";
import { baseOf, gatedPrototypeOf } from "./prototype.ts";
import { askClient, isAnswer } from "./questions.ts";
import { makeRecoverySafe, takeRecovery } from "./recovery.ts";
import { setGate } from "./slot.ts";
import { connectionOf, leaveTopics } from "./transport.ts";
import { Waiting } from "./waiting.ts";

/** Socket.IO's reason when a client leaves a namespace of its own accord. */
const BY_CLIENT = "client namespace disconnect";

/**
 * A socket with its gate. While the gate is shut the socket wears the gated
 * prototype, which hands every way in and out to this object; when it opens,
 * the socket gets its own prototype back and nothing of the gate stays on it.
 */
export class Gate<S> implements Peer<S> {
  /** The policy it stands for. */
  readonly host: Guard<S>;
  readonly #raw: RawSocket;
  #session: Session<unknown> | undefined;
  /** There while the gate is shut. */
  #waiting: Waiting | undefined;
  /** What the client has sent meanwhile. */
  #inbox: Hold<Packet> | undefined;

  /** Puts a shut gate on a socket. */
  constructor(raw: RawSocket, host: Guard<S>) {
    this.#raw = raw;
    this.host = host;
    setGate(raw, this as Gate<unknown>);
    this.session = undefined;
    const recovery = takeRecovery(raw);
    this.shut(true);
    const waiting = this.#waiting!;
    waiting.recovery = recovery;
    recovery?.rooms.forEach((room) => waiting.join(room));
  }

  get socket(): S {
    return this.#raw as S;
  }

  get connected(): boolean {
    return this.#raw.connected;
  }

  get previous(): Previous | undefined {
    return this.#waiting?.recovery?.previous;
  }

  get resumable(): Session<unknown> | undefined {
    return this.#waiting?.recovery?.resumable;
  }

  /** When the session began, by the monotonic clock. */
  get since(): number {
    return this.#connection.since;
  }

  get connectedAt(): number {
    return this.#raw.handshake.issued;
  }

  origin(): Origin {
    const { id, nsp, handshake } = this.#raw;
    const ask = this.host.policy.address;
    const address = ask ? ask(this.socket) : normalizeAddress(handshake.address);
    return { socketId: id, namespace: nsp.name, ...address !== undefined && { address } };
  }

  /** What waits at the gate, while it is shut. */
  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  /** Whether the gate is open, or about to be. */
  get isAdmitted(): boolean {
    return !this.#waiting || this.#waiting.isOpening;
  }

  get session(): Session<unknown> | undefined {
    return this.#session;
  }

  /** The flag of the original module, `socket.auth`, follows the session. */
  set session(session: Session<unknown> | undefined) {
    this.#session = session;
    this.#raw.auth = session !== undefined;
  }

  send(event: string, ...args: unknown[]): void {
    // Not through `emit`: with connection state recovery that is a broadcast,
    // which reaches no socket that is out of the adapter and would be replayed.
    this.#raw.packet({ type: EVENT, data: [event, ...args] });
  }

  ask(data: unknown, onAnswer: (answer: unknown) => void): () => void {
    return askClient(this.#raw, data, onAnswer);
  }

  open(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    const { recovery } = waiting;
    if (!recovery) return this.#pass(waiting, []);
    waiting.isOpening = true;
    recovery.missed(waiting.rooms, (error) => this.#report("gate", error))
      .then((missed) => {
        // The gate may have been shut again meanwhile, or the socket be gone.
        const isStillOpening = this.#waiting === waiting && waiting.isOpening;
        if (isStillOpening) this.#pass(waiting, missed);
      })
      .catch((error) => this.#fail(error));
  }

  deliver(): void {
    const held = this.#inbox?.drain() ?? [];
    this.#inbox = undefined;
    for (const packet of held) {
      if (!this.connected) return;
      try {
        this.#raw._onpacket(packet);
      } catch (error) {
        this.#report("gate", error);
      }
    }
  }

  shut(keepRooms: boolean): void {
    const before = this.#waiting;
    const waiting = new Waiting(keepRooms ? this.#raw.rooms : [this.#raw.id]);
    if (!before) {
      leaveTopics(this.#raw);
      this.#raw.leaveAll();
      Object.setPrototypeOf(this.#raw, gatedPrototypeOf(this.#raw));
    } else if (keepRooms) {
      waiting.recovery = before.recovery;
      waiting.outbox = before.outbox;
    } else {
      this.#discard(before);
    }
    this.#waiting = waiting;
    this.#useCurrentAdapter();
  }

  disconnect(): void {
    this.shut(true);
    this.#raw.auth = false;
    try {
      this.#raw.disconnect();
    } catch (error) {
      // A listener that throws must not keep the client connected.
      this.#report("gate", error);
      this.#raw.removeAllListeners("disconnecting");
      this.#raw.disconnect();
    }
  }

  /** Lets everything out: what the client has missed, then what was held for it. */
  #pass(waiting: Waiting, missed: readonly unknown[]): void {
    this.#waiting = undefined;
    this.#useCurrentAdapter();
    Object.setPrototypeOf(this.#raw, baseOf(this.#raw));
    for (const data of missed) this.#raw.packet({ type: EVENT, data });
    const joined = this.#raw.join([...waiting.rooms]);
    if (joined instanceof Promise) joined.catch((error) => this.#fail(error));
    waiting.outbox?.release(this.#raw, (error) => this.#report("emit", error));
  }

  #discard({ outbox }: Waiting): void {
    outbox?.discard((error) => this.#report("emit", error));
  }

  /** The adapter may have been replaced since the socket was created. */
  #useCurrentAdapter(): void {
    const { nsp } = this.#raw;
    makeRecoverySafe(nsp);
    this.#raw.adapter = nsp.adapter;
  }

  /** Rooms could not be entered, or arrears not sent: better no connection than a deaf one. */
  #fail(error: unknown): void {
    this.#report("gate", error);
    this.#connection.end(unauthorized("server_error"));
  }

  #report(during: string, error: unknown): void {
    this.host.policy.report(error, { during, socket: this.socket });
  }

  get #connection(): Connection<S, RawClient> {
    return connectionOf(this.#raw.client, this.host);
  }

  /** The namespace connection has been accepted. */
  connect(): void {
    this.#connection.join(this);
  }

  /** Credentials that came along with the request for the namespace. */
  knock(credentials: unknown, acknowledge: Acknowledge): void {
    this.#connection.knock(this, credentials, acknowledge);
  }

  /** The application signs the client out. */
  signOut(): void {
    if (this.connected) this.#connection.signOut();
  }

  /** The socket is gone; its stale references stay as shut as they were. */
  vanish(reason: string): void {
    leaveTopics(this.#raw);
    this.#inbox = undefined;
    const waiting = this.#waiting;
    if (waiting) {
      waiting.isOver = true;
      waiting.isOpening = false;
    }
    this.#connection.leave(this, reason, reason === BY_CLIENT);
    if (waiting) this.#discard(waiting);
  }

  /** An `authentication` event, from a shut gate or as a refresh. */
  authenticate(args: readonly unknown[]): void {
    const { credentials, acknowledge } = parseAuthentication(args);
    this.#connection.authenticate(this, credentials, acknowledge);
  }

  /**
   * A packet from the client at the shut gate. Returns whether the socket may
   * have it.
   */
  receive(packet: Packet, { isOver, isOpening }: Waiting): boolean {
    if (packet.type === DISCONNECT) return true;
    if (isAnswer(this.#raw, packet)) return true;
    const args = authenticationArgs(packet);
    if (args) {
      if (packet.id != null) args.push(this.#raw.ack(packet.id));
      this.authenticate(args);
      return false;
    }
    const { incoming, holdLimit } = this.host.policy;
    if (incoming === "hold" && !isOpening && !isOver) {
      this.#inbox ??= new Hold();
      const { bytes } = measure(packet.data, holdLimit.bytes);
      if (!this.#inbox.add(packet, bytes, holdLimit)) {
        this.#connection.end(unauthorized("too_many_events"));
      }
    }
    return incoming === "pass" || isOpening;
  }

  /** A direct emit at the shut gate. Returns whether it may go out. */
  emit(event: string, args: unknown[], waiting: Waiting): boolean {
    if (isReserved(event)) return true;
    const { policy, clock } = this.host;
    const { isOver } = waiting;
    if (policy.outgoing === "pass" && !isOver) return true;
    const flags: Flags = this.#raw.flags;
    this.#raw.flags = {};
    waiting.outbox ??= new Outbox(policy.holdLimit, clock);
    const isHeld = !flags.volatile && !isOver && waiting.outbox.add([event, ...args], flags);
    if (isHeld) return false;
    expireAcknowledgement(args, flags, clock);
    if (!flags.volatile && !isOver) {
      const error = new Error(
        `The event "${event}" to a socket that is not authenticated was lost: more is held for ` +
          `it than holdLimit allows. Emit after authentication, or raise the limit.`,
      );
      this.#report("emit", error);
    }
    return false;
  }
}
