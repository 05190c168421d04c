/**
 * The gated prototype: the prototype of a socket while its gate is not open both ways, and again
 * when the session is over. It stands between the socket and its own prototype. Shutting and
 * opening the gate is therefore one atomic step, and leaves no wrapper behind.
 *
 * It overrides the methods that everything else goes through, including methods that the
 * application has bound, wrapped or kept from before: `packet` on the way out, `_onpacket` on the
 * way in. (Rooms go through the adapter: see `stand_in.ts`.)
 *
 * @module
 */
import { AUTHENTICATION } from "../../protocol.ts";
import {
  ACK,
  BINARY_ACK,
  BINARY_EVENT,
  CONNECT_ERROR,
  DISCONNECT,
  EVENT,
  type Flags,
  type Packet,
  type RawSocket,
} from "../internals.ts";
import { callOff } from "../joining.ts";
import type { Gate } from "./gate.ts";

const GATE = Symbol("socketio-auth gate");

interface Slot {
  [GATE]?: Gate<unknown>;
}

export function gateOf(socket: object): Gate<unknown> | undefined {
  return (socket as Slot)[GATE];
}

/** Gives a socket its gate, as a property of the socket, which is cheaper than a `WeakMap`. */
export function setGate(socket: object, gate: Gate<unknown>): void {
  (socket as Slot)[GATE] = gate;
}

/** The acknowledgements that are answers to challenges, which may pass a shut gate. */
export const answers: WeakSet<object> = new WeakSet();

/** The gated prototype for each prototype of sockets, and the reverse. */
const gatedPrototypes = new WeakMap<object, object>();
const basePrototypes = new WeakMap<object, RawSocket>();

/** Returns the prototype of a socket while its gate is open. */
export function baseOf(socket: RawSocket): RawSocket {
  const worn: RawSocket = Object.getPrototypeOf(socket);
  return basePrototypes.get(worn) ?? worn;
}

export function gatedPrototypeOf(socket: RawSocket): object {
  const base = baseOf(socket);
  let gated = gatedPrototypes.get(base);
  if (!gated) {
    gated = createGatedPrototype(base);
    gatedPrototypes.set(base, gated);
    basePrototypes.set(gated, base);
  }
  return gated;
}

function createGatedPrototype(base: RawSocket): object {
  const gated: ThisType<RawSocket> & Partial<RawSocket> = {
    packet(packet: Packet, flags?: Flags): void {
      if (maySend(this, packet, flags)) base.packet.call(this, packet, flags);
    },
    _onpacket(packet: Packet): void {
      if (mayReceive(this, packet)) base._onpacket.call(this, packet);
    },
    _cleanup(): void {
      base._cleanup.call(this);
      gateOf(this)!.removed();
    },
    emitReserved(event: string, ...args: unknown[]): unknown {
      try {
        return base.emitReserved.call(this, event, ...args);
      } finally {
        // After the listeners, however many are left.
        if (event === "disconnect") gateOf(this)!.gone(args[0] as string);
      }
    },
  };
  return Object.setPrototypeOf(gated, base);
}

/** Returns whether a packet of the client may go on to the socket. If not, it is held or lost. */
function mayReceive(socket: RawSocket, packet: Packet): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting) return true;
  const { type, nsp, data, id } = packet;
  const isOver = waiting.outwards === "over";
  const isAck = type === ACK || type === BINARY_ACK;
  if (type === DISCONNECT) {
    // A socket that was refused while others stay may leave, and be asked for again.
    if (!isOver || socket.connected && !gate.connection.isClosing) return true;
    callOff(socket);
    return false;
  }
  if (!isOver && !waiting.isOpenInwards) {
    if (isAck && answers.has(Object(socket.acks.get(id!)))) return true;
    // A packet of a client may lack its data.
    const [name, ...args] = Array.isArray(data) ? data : [];
    if (name === AUTHENTICATION && (type === EVENT || type === BINARY_EVENT)) {
      if (id != null) args.push(socket.ack(id));
      gate.authenticate(args);
      return false;
    }
    if (type === EVENT) gate.connection.heard(name);
  }
  // Hold what is measured and no more: parsers may leave other members in a packet.
  const held: Packet = { type, ...nsp !== undefined && { nsp }, data, ...id != null && { id } };
  return waiting.mayReceive(held, data, isAck);
}

/** Returns whether a packet may go out to the client. If not, it is held or lost. */
function maySend(socket: RawSocket, packet: Packet, flags: Flags = {}): boolean {
  const { waiting } = gateOf(socket)!;
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
    if (id != null) socket.acks.delete(id);
  });
}
