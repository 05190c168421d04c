/**
 * The gated prototype: what a socket wears while its gate is shut. It stands
 * between the socket and its own prototype, so that shutting and opening the
 * gate is one step, atomic, and leaves no wrapper behind.
 *
 * Every method asks for the gate again: the application may have kept a
 * reference to one from before the gate opened.
 *
 * @module
 */
import type { Packet, RawAdapter, RawSocket } from "./internals.ts";
import { endJoining } from "./joining.ts";
import { gateOf } from "./slot.ts";
import type { Waiting } from "./waiting.ts";

/** For each prototype of a socket, its gated one; and the other way round. */
const gatedPrototypes = new WeakMap<object, object>();
const basePrototypes = new WeakMap<object, object>();

/** The prototype a socket wears while its gate is open. */
export function baseOf(socket: RawSocket): object {
  const worn: object = Object.getPrototypeOf(socket);
  return basePrototypes.get(worn) ?? worn;
}

/** The prototype a socket wears while its gate is shut. */
export function gatedPrototypeOf(socket: RawSocket): object {
  const base = baseOf(socket);
  let gated = gatedPrototypes.get(base);
  if (!gated) {
    gated = createGatedPrototype(base as RawSocket);
    gatedPrototypes.set(base, gated);
    basePrototypes.set(gated, base);
  }
  return gated;
}

/** What waits at the gate of a socket; nothing if it is open. */
function waitingAt(socket: RawSocket): Waiting | undefined {
  return gateOf(socket)?.waiting;
}

function createGatedPrototype(base: RawSocket): object {
  const gated: ThisType<RawSocket> & Partial<RawSocket> = {
    get rooms(): Set<string> {
      const waiting = waitingAt(this as RawSocket);
      return waiting ? new Set(waiting.rooms) : Reflect.get(base, "rooms", this);
    },
    join(rooms: string | string[]): unknown {
      const waiting = waitingAt(this);
      if (!waiting) return base.join.call(this, rooms);
      for (const room of [rooms].flat()) waiting.join(room);
    },
    leave(room: string): unknown {
      const waiting = waitingAt(this);
      return waiting ? waiting.leave(room) : base.leave.call(this, room);
    },
    leaveAll(): void {
      const waiting = waitingAt(this);
      return waiting ? waiting.leave() : base.leaveAll.call(this);
    },
    emit(event: string, ...args: unknown[]): boolean {
      const waiting = waitingAt(this);
      if (!waiting) return base.emit.call(this, event, ...args);
      if (!gateOf(this)!.emit(event, args, waiting)) return true;
      const emit = () => base.emit.call(this, event, ...args);
      return this.nsp.server.opts.connectionStateRecovery ? emitStraight(this, emit) : emit();
    },
    _onpacket(packet: Packet): void {
      const waiting = waitingAt(this);
      if (!waiting || gateOf(this)!.receive(packet, waiting)) base._onpacket.call(this, packet);
    },
    _onconnect(): void {
      endJoining(this.nsp, this.client);
      base._onconnect.call(this);
      if (waitingAt(this)) gateOf(this)!.connect();
    },
    _cleanup(): void {
      endJoining(this.nsp, this.client);
      base._cleanup.call(this);
    },
  };
  return Object.setPrototypeOf(gated, base);
}

/**
 * With connection state recovery, `emit` broadcasts to the socket's own room,
 * in which a socket with a shut gate is not: send that straight to it.
 */
function emitStraight(socket: RawSocket, emit: () => boolean): boolean {
  const { adapter } = socket;
  const own = Object.getOwnPropertyDescriptor(adapter, "broadcast");
  const packets: [packet: Packet, flags: object | undefined][] = [];
  adapter.broadcast = (packet, { flags }) => void packets.push([packet, flags]);
  try {
    return emit();
  } finally {
    if (own) Object.defineProperty(adapter, "broadcast", own);
    else delete (adapter as Partial<RawAdapter>).broadcast;
    for (const [packet, flags] of packets) {
      socket.notifyOutgoingListeners(packet);
      socket.packet(packet, flags);
    }
  }
}
