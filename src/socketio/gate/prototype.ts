/**
 * The gated prototype: the prototype of a socket while its gate is not open both ways, and again
 * when the session is over. It stands between the socket and its own prototype. Shutting and
 * opening the gate is therefore one atomic step, and leaves no wrapper behind.
 *
 * It overrides the methods that everything else goes through, including methods that the
 * application has bound, wrapped or kept from before: `packet` on the way out, `_onpacket` on the
 * way in. (Rooms go through the adapter: see `stand_in.ts`.) What the gate itself sends goes past it,
 * by the methods of the own prototype.
 *
 * @module
 */
import { CHALLENGE } from "../../protocol.ts";
import { EVENT, type Flags, type Packet, type RawSocket } from "../internals.ts";
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
  const gated: ThisType<RawSocket & Required<Slot>> & Partial<RawSocket> = {
    packet(packet: Packet, flags?: Flags): void {
      if (this[GATE].maySend(packet, flags ?? {})) base.packet.call(this, packet, flags);
    },
    _onpacket(packet: Packet): void {
      if (this[GATE].receive(packet)) base._onpacket.call(this, packet);
    },
    _cleanup(): void {
      base._cleanup.call(this);
      this[GATE].removed();
    },
    emitReserved(event: string, ...args: unknown[]): unknown {
      try {
        return base.emitReserved.call(this, event, ...args);
      } finally {
        // After the listeners, however many are left.
        if (event === "disconnect") this[GATE].gone(args[0] as string);
      }
    },
  };
  return Object.setPrototypeOf(gated, base);
}

/** A direct emit, as the packet that socket.io has made of it. */
export interface HeldEmit {
  readonly packet: Packet;
  readonly flags: Flags;
}

/**
 * Sends a direct emit past the gate, as `emit` would have done. With connection state recovery,
 * `emit` broadcasts to the socket's own room, and the adapter keeps the packet for clients that are
 * away.
 */
export function sendEmit(socket: RawSocket, packet: Packet, flags: Flags): void {
  const { nsp } = socket;
  if (!nsp.server.opts.connectionStateRecovery) return sendPast(socket, packet, flags);
  nsp.adapter.broadcast(packet, { rooms: new Set([socket.id]), except: new Set(), flags });
}

/** Sends a packet straight to the client, in any state of the gate. */
export function sendPast(socket: RawSocket, packet: Packet, flags?: Flags): void {
  baseOf(socket).packet.call(socket, packet, flags);
}

/** The acknowledgements that are answers to challenges, which may pass a shut gate. */
const answers = new WeakSet<object>();

/** Returns whether a client answers a challenge by the acknowledgement with an id. */
export function isAnswer(socket: RawSocket, id: number | null | undefined): boolean {
  return answers.has(Object(socket.acks.get(id!)));
}

/** Sends a challenge past the gate. Returns a function that takes the challenge back. */
export function sendChallenge(
  socket: RawSocket,
  data: unknown,
  onAnswer: (answer: unknown) => void,
): () => void {
  const id = socket.nsp._ids++;
  const acknowledge = (answer: unknown) => onAnswer(answer);
  answers.add(acknowledge);
  socket.acks.set(id, acknowledge);
  sendPast(socket, { type: EVENT, id, data: [CHALLENGE, data] });
  return () => void socket.acks.delete(id);
}
