/**
 * The gated prototype: what a socket wears while its gate is not open both
 * ways, and again when it is over. It stands between the socket and its own
 * prototype, so that shutting and opening the gate is one step, atomic, and
 * leaves no wrapper behind.
 *
 * What is taken over is what everything else goes through, also a method that
 * the application has bound, wrapped or kept from before: `packet` on the way
 * out, `_onpacket` on the way in. (Rooms go through the adapter: `stand_in.ts`.)
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

/** The gate of a socket, if it has one. */
export function gateOf(socket: object): Gate<unknown> | undefined {
  return (socket as Slot)[GATE];
}

/** Gives a socket its gate. On the socket itself, which is cheaper than a `WeakMap`. */
export function setGate(socket: object, gate: Gate<unknown>): void {
  (socket as Slot)[GATE] = gate;
}

/** The acknowledgements that are answers to challenges; those may pass a shut gate. */
export const answers: WeakSet<object> = new WeakSet();

/** For each prototype of a socket, its gated one; and the other way round. */
const gatedPrototypes = new WeakMap<object, object>();
const basePrototypes = new WeakMap<object, RawSocket>();

/** The prototype a socket wears while its gate is open. */
export function baseOf(socket: RawSocket): RawSocket {
  const worn: RawSocket = Object.getPrototypeOf(socket);
  return basePrototypes.get(worn) ?? worn;
}

/** The prototype a socket wears while its gate is not. */
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
        // Behind the listeners, and whichever of them are left.
        if (event === "disconnect") gateOf(this)!.gone(args[0] as string);
      }
    },
  };
  return Object.setPrototypeOf(gated, base);
}

/** Whether the client's packet may go on to the socket now. If not, it is held, or lost. */
function mayReceive(socket: RawSocket, packet: Packet): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting) return true;
  const { type, nsp, data, id } = packet;
  const isOver = waiting.outwards === "over";
  const isAck = type === ACK || type === BINARY_ACK;
  if (type === DISCONNECT) {
    // One that was refused while others stay may leave, and be asked for again.
    if (!isOver || socket.connected && !gate.connection.isClosing) return true;
    callOff(socket);
    return false;
  }
  if (!isOver && !waiting.isOpenInwards) {
    if (isAck && answers.has(Object(socket.acks.get(id!)))) return true;
    // What a client sends may lack its data.
    const [name, ...args] = Array.isArray(data) ? data : [];
    if (name === AUTHENTICATION && (type === EVENT || type === BINARY_EVENT)) {
      if (id != null) args.push(socket.ack(id));
      gate.authenticate(args);
      return false;
    }
    if (type === EVENT) gate.connection.heard(name);
  }
  // What is held is what is measured, and no more: parsers may leave other things in a packet.
  const held: Packet = { type, ...nsp !== undefined && { nsp }, data, ...id != null && { id } };
  return waiting.mayReceive(held, data, isAck);
}

/** Whether a packet may go out to the client now. If not, it is held, or lost. */
function maySend(socket: RawSocket, packet: Packet, flags: Flags = {}): boolean {
  const { waiting } = gateOf(socket)!;
  if (!waiting) return true;
  const { type, data, id } = packet;
  // That a middleware has refused a socket is of no use once the gate has.
  if (type === CONNECT_ERROR && waiting.isEnded) return false;
  if (type !== EVENT) {
    return waiting.outwards !== "over" || type === DISCONNECT || type === CONNECT_ERROR;
  }
  const [name] = data as unknown[];
  const isVolatile = Boolean(flags.volatile);
  return waiting.maySend({ packet, flags }, name, data, isVolatile, () => {
    // It is not going to be answered.
    if (id != null) socket.acks.delete(id);
  });
}
