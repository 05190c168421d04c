import type { Connection } from "../../core/connection.ts";
import type { Origin } from "../../core/events.ts";
import type { Peer } from "../../core/interface.ts";
import {
  type Acknowledge,
  AUTHENTICATION,
  type Unauthorized,
  unauthorized,
} from "../../protocol.ts";
import type { Session } from "../../core/session.ts";
import type { Previous } from "../../core/states.ts";
import { normalizeAddress } from "../address.ts";
import type { Guard } from "../../core/guard.ts";
import type { Ledger } from "../../core/holdings.ts";
import type { Policy } from "../../core/policy.ts";
import type { Owner } from "../../core/waiting.ts";
import {
  ACK,
  BINARY_ACK,
  BINARY_EVENT,
  CONNECT_ERROR,
  DISCONNECT,
  EVENT,
  type Flags,
  type Packet,
  type RawClient,
  type RawSocket,
} from "../internals.ts";
import { readPayload } from "../payload.ts";
import {
  callOff,
  endJoining,
  forgetRefused,
  joinAgain,
  refusedSocket,
  refuseJoining,
  removeStale,
} from "../joining.ts";
import {
  baseOf,
  gatedPrototypeOf,
  gateOf,
  isAnswer,
  sendChallenge,
  sendEmit,
  sendPast,
  setGate,
} from "./prototype.ts";
import { leaveTopics, standIn } from "./stand_in.ts";
import { connectionOf, followTransport } from "../connections.ts";
import { startMeter, stopMeter } from "./meter.ts";
import { Gated } from "./gated.ts";
import { endCatchUp } from "../recovery/catch_up.ts";
import { giveBack, type Recovered } from "../recovery/recovered.ts";

/** Socket.IO's reason when the server disconnects a client from a namespace. */
const BY_SERVER = "server namespace disconnect";

/** Shared by all new sockets. */
const NO_ROOMS: readonly string[] = [];

/**
 * A socket with its gate. While the gate is not open both ways, the socket has the gated prototype
 * and a stand-in for its adapter, which pass everything through this object. When the gate opens,
 * the socket gets its own prototype and adapter back: a property, a symbol and the listener for
 * refreshes stay on it. When the session is over, the gate is shut for good.
 */
export class Gate<S> implements Peer<S>, Owner {
  readonly connection: Connection<S, RawClient>;
  readonly socket: S & RawSocket;
  session: Session<unknown> | undefined;
  #waiting: Gated | undefined;

  /**
   * Puts a shut gate on a socket. A connected socket was met by the application already. A socket
   * that `isNew` is in no rooms; its transport may be subscribed to topics, though.
   */
  constructor(
    raw: RawSocket,
    guard: Guard<S, RawClient>,
    recovered: Recovered | undefined,
    isNew: boolean,
  ) {
    this.socket = raw as S & RawSocket;
    this.connection = connectionOf(raw.client, guard);
    setGate(raw, this as Gate<unknown>);
    raw.auth = false;
    if (isNew) leaveTopics(raw);
    const waiting = isNew ? this.#stand(new Gated(this, NO_ROOMS, false)) : this.#shut();
    waiting.recovered = recovered;
    if (recovered) waiting.enter(recovered.rooms);
  }

  // Events of the socket, for the core.

  joined(): void {
    this.connection.join(this);
  }

  handshake(credentials: unknown, acknowledge: Acknowledge): void {
    followTransport(this.socket.client);
    this.connection.handshake(this, credentials, acknowledge);
  }

  /** Returns whether a packet of the client may go on to the socket. If not, it is held or lost. */
  receive(packet: Packet): boolean {
    const waiting = this.#waiting;
    if (!waiting) return true;
    const { socket } = this;
    const { type, nsp, data, id } = packet;
    const isOver = waiting.outwards === "over";
    const isAck = type === ACK || type === BINARY_ACK;
    if (type === DISCONNECT) {
      // A socket that was refused while others stay may leave, and be asked for again.
      if (!isOver || socket.connected && !this.connection.isClosing) return true;
      callOff(socket);
      return false;
    }
    if (!isOver && !waiting.isOpenInwards) {
      if (isAck && isAnswer(socket, id)) return true;
      // A packet of a client may lack its data.
      const [name, credentials] = Array.isArray(data) ? data : [];
      if (name === AUTHENTICATION && (type === EVENT || type === BINARY_EVENT)) {
        const acknowledge = id == null ? undefined : socket.ack(id);
        this.connection.authenticate(this, credentials, acknowledge);
        return false;
      }
      if (type === EVENT) this.connection.heard(name);
    }
    // Hold what is measured and no more: parsers may leave other members in a packet.
    const held: Packet = { type, ...nsp !== undefined && { nsp }, data, ...id != null && { id } };
    return waiting.mayReceive(held, data, isAck);
  }

  /** Returns whether a packet may go out to the client. If not, it is held or lost. */
  maySend(packet: Packet, flags: Flags): boolean {
    const waiting = this.#waiting;
    if (!waiting) return true;
    const { type, data, id } = packet;
    // The gate has refused the socket already: a middleware's refusal comes too late.
    if (type === CONNECT_ERROR && waiting.isEnded) return false;
    if (type !== EVENT) {
      return waiting.outwards !== "over" || type === DISCONNECT || type === CONNECT_ERROR;
    }
    const [name] = data as unknown[];
    const isVolatile = Boolean(flags.volatile);
    return waiting.maySend({ packet, flags }, name, data, isVolatile, () => {
      // The emit will not be answered.
      if (id != null) this.socket.acks.delete(id);
    });
  }

  /**
   * The socket has left its namespace, or will never be in it. Code that still runs for the
   * socket has no effect.
   */
  removed(): void {
    const { nsp, client, connected } = this.socket;
    endJoining(this.socket);
    // The client has left before it was connected, and may come back.
    if (!connected && client.conn.readyState !== "open") this.#waiting?.recovered?.keepAgain();
    this.close();
    // A connected socket is gone once its listeners have run. A refused one is gone once its client
    // is told to stay away.
    if (connected || refusedSocket(client, nsp.name) === this.socket) return;
    removeStale(client, nsp.name);
    this.gone(BY_SERVER);
  }

  /** The client asks for the namespace while it is about to be closed. */
  dropped(): void {
    this.dropJoining();
    this.connection.drop(this);
  }

  /**
   * The socket is gone. If it was connected, its `disconnect` listeners have run. The hook
   * `disconnect` runs in here.
   */
  gone(reason: string): void {
    const { client, nsp } = this.socket;
    this.connection.leave(this, reason);
    this.mute();
    // Packets of the client are counted again once none of its sockets is signed in.
    const isSignedIn = [...client.sockets.values()].some((socket) => gateOf(socket)?.isAdmitted);
    if (client.conn.readyState === "open" && !isSignedIn) startMeter(nsp.server, client.conn);
    if (this.connection.isEmpty) followTransport(client);
  }

  // What the core reads and calls.

  get guard(): Guard<S, RawClient> {
    return this.connection.guard;
  }

  get connected(): boolean {
    return this.socket.connected;
  }

  get previous(): Previous | undefined {
    return this.#waiting?.recovered?.previous;
  }

  get connectedAt(): number {
    return this.socket.handshake.issued;
  }

  origin(): Origin {
    const { id, nsp, handshake } = this.socket;
    const ask = this.guard.policy.address;
    const address = ask ? ask(this.socket) : normalizeAddress(handshake.address);
    return { socketId: id, namespace: nsp.name, ...address !== undefined && { address } };
  }

  /** The held packets, while the gate is not open both ways. */
  get waiting(): Gated | undefined {
    return this.#waiting;
  }

  /** Whether the gate is open outwards. */
  get isAdmitted(): boolean {
    return !this.#waiting || this.#waiting.isAdmitted;
  }

  /** Whether direct emits go out although the gate is shut. */
  get passesNow(): boolean {
    return this.#waiting?.outwards === "shut" && this.policy.outgoing === "pass";
  }

  /** Whether the socket may be in rooms: what is sent to them goes out, or waits. */
  get mayHear(): boolean {
    return this.isAdmitted || this.#waiting!.isCatchingUp;
  }

  send(event: string, ...args: unknown[]): void {
    // Not through `emit`: with connection state recovery, that is a broadcast. It would not reach a
    // socket that is out of the adapter, and would be replayed.
    sendPast(this.socket, { type: EVENT, data: [event, ...args] });
  }

  challenge(data: unknown, onAnswer: (answer: unknown) => void): () => void {
    return sendChallenge(this.socket, data, onAnswer);
  }

  get isBehind(): boolean {
    return this.#waiting?.isBehind ?? false;
  }

  catchUp(): Promise<void> {
    return this.#waiting!.catchUp(this.socket);
  }

  fallBehind(): void {
    if (!this.#waiting?.isCatchingUp) return;
    this.#waiting.fallBehind();
    this.#leaveRooms();
  }

  #leaveRooms(): void {
    endCatchUp(this.socket);
    leaveTopics(this.socket);
    this.socket.nsp.adapter.delAll(this.socket.id);
  }

  open(): void {
    const waiting = this.#waiting;
    if (waiting?.outwards === "shut") this.#letOut(waiting);
  }

  introduce(): void {
    // Without a `waiting` state, `connection` was emitted already.
    if (this.#waiting?.isIntroduced !== false) return;
    this.#waiting.isIntroduced = true;
    this.socket.nsp.emitReserved("connect", this.socket);
    this.socket.nsp.emitReserved("connection", this.socket);
  }

  deliver(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    waiting.isOpenInwards = true;
    this.#takeOff(waiting);
    for (const packet of waiting.takeIncoming()) {
      if (!this.connected) return;
      try {
        this.socket._onpacket(packet);
      } catch (error) {
        this.report("gate", error);
      }
    }
  }

  silence(): void {
    if (this.#waiting?.outwards === "over") return;
    this.close();
    this.#waiting!.isEnded = true;
  }

  close(): void {
    if (this.#waiting?.outwards !== "over") this.#shut().outwards = "over";
  }

  /** The `disconnect` listeners of the socket have run, and so has the hook. */
  mute(): void {
    if (this.#waiting?.isEnded) this.#waiting.isMute = true;
  }

  disconnect(): void {
    if (this.connected) return this.#end(() => this.socket.disconnect());
    // The client may have asked for the namespace again, and got another socket.
    if (forgetRefused(this.socket)) sendPast(this.socket, { type: DISCONNECT });
  }

  /** Keeps a socket from being connected. Its client can be told to stay away later. */
  dropJoining(): void {
    const raw = this.socket;
    refuseJoining(raw);
    followTransport(raw.client);
    raw._cleanup();
    if (this.#waiting) this.#waiting.isEnded = true;
  }

  refuse(refusal: Unauthorized): void {
    const raw = this.socket;
    const { message, code, reconnect, retryAfter } = refusal;
    const data = { code, reconnect, ...retryAfter !== undefined && { retryAfter } };
    this.dropJoining();
    const isOld = raw.client.conn.protocol === 3;
    sendPast(raw, { type: CONNECT_ERROR, data: isOld ? message : { message, data } });
  }

  brought(): unknown {
    const { handshake } = this.policy;
    if (typeof handshake !== "function") return undefined;
    return readPayload(this.socket.handshake, (it) => handshake(it, this.socket));
  }

  replace(): void {
    this.#end(() => this.socket._onclose(BY_SERVER));
    joinAgain(this.socket, () => sendPast(this.socket, { type: DISCONNECT }));
  }

  /**
   * Calls `end` again without the listeners of `disconnecting` if one of them throws: a throw must
   * not keep the client connected.
   */
  #end(end: () => void): void {
    this.socket.auth = false;
    try {
      end();
    } catch (error) {
      this.report("gate", error);
      this.socket.removeAllListeners("disconnecting");
      end();
    }
  }

  /** Shuts the gate, in any state. The socket leaves its rooms, which are remembered. */
  #shut(): Gated {
    const waiting = new Gated(this, [...this.socket.rooms], this.socket.connected);
    this.#waiting?.discard();
    this.#waiting?.fallBehind();
    this.#leaveRooms();
    return this.#stand(waiting);
  }

  /** Puts the gate on the socket. */
  #stand(waiting: Gated): Gated {
    this.#waiting = waiting;
    standIn(this.socket);
    Object.setPrototypeOf(this.socket, gatedPrototypeOf(this.socket));
    return waiting;
  }

  /** Opens the gate outwards: sends what the client has missed, then what was held for it. */
  #letOut(waiting: Gated): void {
    const raw = this.socket;
    // The flag of the original module.
    raw.auth = true;
    waiting.outwards = "open";
    stopMeter(raw.client.conn);
    raw.adapter = raw.nsp.adapter;
    giveBack(raw, waiting.recovered);
    try {
      const report = (error: unknown) => this.report("emit", error);
      waiting.sendMissed((packet) => sendPast(raw, packet), report);
    } catch (error) {
      return this.#fail(error);
    }
    const joined = raw.join([...waiting.rooms]);
    if (joined instanceof Promise) joined.catch((error) => this.#fail(error));
    this.sendHeld();
    this.#takeOff(waiting);
  }

  /** Sends the held emits. If the client is away, the adapter keeps them. */
  sendHeld(): void {
    for (const { packet, flags } of this.#waiting?.takeOutgoing() ?? []) {
      // The acknowledgement of this emit has timed out.
      if (packet.id !== undefined && !this.socket.acks.has(packet.id!)) continue;
      try {
        sendEmit(this.socket, packet, flags);
      } catch (error) {
        this.report("emit", error);
      }
    }
  }

  /** Takes the gate off the socket once it is open both ways. */
  #takeOff(waiting: Gated): void {
    if (this.#waiting !== waiting || !waiting.isOpen) return;
    this.#waiting = undefined;
    Object.setPrototypeOf(this.socket, baseOf(this.socket));
  }

  /** Ends the connection if rooms could not be entered, or missed packets not be sent. */
  #fail(error: unknown): void {
    this.report("gate", error);
    this.connection.end(unauthorized("server_error"));
  }

  cut(code: "too_many_events"): void {
    this.connection.cut(code);
  }

  report(during: string, error: unknown): void {
    this.guard.policy.report(error, { during, socket: this.socket });
  }

  get policy(): Policy<S> {
    return this.guard.policy;
  }

  get ledger(): Ledger {
    return this.connection.ledger;
  }
}

/** Handles a client that asks for a namespace again after a refusal: the former socket is gone. */
export function askedAgain(client: RawClient, name: string): void {
  const refused = refusedSocket(client, name);
  if (!refused) return;
  forgetRefused(refused);
  gateOf(refused)!.gone(BY_SERVER);
}

/** Returns whether a socket past its gate, or one without a gate, still uses the transport. */
export function isInUse(client: RawClient): boolean {
  for (const socket of client.sockets.values()) {
    const gate = gateOf(socket);
    if (!gate || gate.isAdmitted) return true;
  }
  return false;
}
