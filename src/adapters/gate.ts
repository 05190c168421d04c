import type { Connection } from "../core/connection.ts";
import { Hold } from "../core/hold.ts";
import type { Host, Peer } from "../core/interface.ts";
import { measure } from "../core/measure.ts";
import { AUTHENTICATION, parseAuthentication, unauthorized } from "../core/protocol.ts";
import type { Session } from "../core/session.ts";
import {
  BINARY_EVENT,
  DISCONNECT,
  EVENT,
  type Flags,
  type Packet,
  type RawClient,
  type RawSocket,
} from "./internals.ts";
import { expireAcknowledgement, Outbox } from "./outbox.ts";
import { baseOf, gatedPrototypeOf } from "./prototype.ts";
import { setGate } from "./slot.ts";
import { connectionOf } from "./transport.ts";

/** Socket.IO's reason when a client leaves a namespace of its own accord. */
const BY_CLIENT = "client namespace disconnect";

/** Event names that socket.io refuses to emit; it does so loudly, and at once. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/**
 * A socket with its gate. While the gate is shut the socket wears the gated
 * prototype, which hands every way in and out to this object; when it opens,
 * the socket gets its own prototype back and nothing of the gate stays on it.
 */
export class Gate<S> implements Peer<S> {
  /** The policy it stands for. */
  readonly host: Host<S, RawClient>;
  readonly #raw: RawSocket;
  #session: Session<unknown> | undefined;
  #isShut = false;
  /** Disconnected with the gate shut: nothing passes any more. */
  #isDead = false;
  #rooms: string[] = [];
  #inbox: Hold<Packet> | undefined;
  #outbox: Outbox | undefined;

  /** Puts a shut gate on a socket. */
  constructor(raw: RawSocket, host: Host<S, RawClient>) {
    this.#raw = raw;
    this.host = host;
    setGate(raw, this as Gate<unknown>);
    this.session = undefined;
    this.shut(true);
  }

  get socket(): S {
    return this.#raw as S;
  }

  get connected(): boolean {
    return this.#raw.connected;
  }

  /** Whether the gate is shut. */
  get isShut(): boolean {
    return this.#isShut;
  }

  get session(): Session<unknown> | undefined {
    return this.#session;
  }

  /** The flag of the original module, `socket.auth`, follows the session. */
  set session(session: Session<unknown> | undefined) {
    this.#session = session;
    this.#raw.auth = session !== undefined;
  }

  /** The rooms to enter when the gate opens. */
  get rooms(): Set<string> {
    return new Set(this.#rooms);
  }

  /** Remembers a room. */
  join(room: string): void {
    if (!this.#rooms.includes(room)) this.#rooms.push(room);
  }

  /** Forgets a room, or all of them. */
  leave(room?: string): void {
    this.#rooms = room === undefined ? [] : this.#rooms.filter((other) => other !== room);
  }

  send(event: string, ...args: unknown[]): void {
    // Not through `emit`: with connection state recovery that is a broadcast,
    // which reaches no socket that is out of the adapter and would be replayed.
    this.#raw.packet({ type: EVENT, data: [event, ...args] });
  }

  open(): void {
    const rooms = this.#rooms;
    const outbox = this.#outbox;
    this.#isShut = false;
    this.#rooms = [];
    this.#outbox = undefined;
    // The adapter may have been replaced since the socket was created.
    this.#raw.adapter = this.#raw.nsp.adapter;
    Object.setPrototypeOf(this.#raw, baseOf(this.#raw));
    const joined = this.#raw.join(rooms);
    if (joined instanceof Promise) joined.catch((error) => this.#fail(error));
    outbox?.release(this.#raw, (error) => this.#report("emit", error));
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
    this.#rooms = keepRooms ? [...this.#raw.rooms] : [this.#raw.id];
    if (this.#isShut) return;
    this.#raw.leaveAll();
    this.#isShut = true;
    Object.setPrototypeOf(this.#raw, gatedPrototypeOf(this.#raw));
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

  /** An adapter could not enter the rooms: better no connection than a deaf one. */
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

  /** The socket is gone; its stale references stay as shut as they were. */
  vanish(reason: string): void {
    this.#isDead = true;
    this.#inbox = undefined;
    const outbox = this.#outbox;
    this.#outbox = undefined;
    this.#connection.leave(this, reason, reason === BY_CLIENT);
    outbox?.discard((error) => this.#report("emit", error));
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
  receive(packet: Packet): boolean {
    if (packet.type === DISCONNECT) return true;
    const args = authenticationArgs(packet);
    if (args) {
      if (packet.id != null) args.push(this.#raw.ack(packet.id));
      this.authenticate(args);
      return false;
    }
    const { incoming, holdLimit } = this.host.policy;
    if (incoming === "hold" && !this.#isDead) {
      this.#inbox ??= new Hold();
      const { bytes } = measure(packet.data, holdLimit.bytes);
      if (!this.#inbox.add(packet, bytes, holdLimit)) {
        this.#connection.end(unauthorized("too_many_events"));
      }
    }
    return incoming === "pass";
  }

  /** A direct emit at the shut gate. Returns whether it may go out. */
  emit(event: string, args: unknown[]): boolean {
    if (RESERVED.has(event)) return true;
    if (this.host.policy.outgoing === "pass" && !this.#isDead) return true;
    const flags: Flags = this.#raw.flags;
    this.#raw.flags = {};
    const { policy, clock } = this.host;
    this.#outbox ??= new Outbox(policy.holdLimit, clock);
    const isHeld = !flags.volatile && !this.#isDead && this.#outbox.add([event, ...args], flags);
    if (isHeld) return false;
    expireAcknowledgement(args, flags, clock);
    if (!flags.volatile && !this.#isDead) {
      const error = new Error(
        `The event "${event}" to a socket that is not authenticated was lost: more is held for ` +
          `it than holdLimit allows. Emit after authentication, or raise the limit.`,
      );
      this.#report("emit", error);
    }
    return false;
  }
}

/** The arguments of a packet if it is an `authentication` event. */
function authenticationArgs({ type, data }: Packet): unknown[] | undefined {
  if (type !== EVENT && type !== BINARY_EVENT) return undefined;
  return Array.isArray(data) && data[0] === AUTHENTICATION ? data.slice(1) : undefined;
}
