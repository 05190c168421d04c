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
import type { Flags, Packet, RawSocket } from "../internals.ts";
import { gone, removed } from "./events.ts";
import { mayReceive, maySend } from "./traffic.ts";

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
      removed(this);
    },
    emitReserved(event: string, ...args: unknown[]): unknown {
      try {
        return base.emitReserved.call(this, event, ...args);
      } finally {
        // Behind the listeners, and whichever of them are left.
        if (event === "disconnect") gone(this, args[0] as string);
      }
    },
  };
  return Object.setPrototypeOf(gated, base);
}
