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
