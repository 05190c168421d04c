import type { RawSocket } from "../internals.ts";

const away = new WeakSet<RawSocket>();

/**
 * Notes that a socket's connection was lost, and may be recovered by the same
 * user: what is sent to it by then is kept by the adapter, as of any other room.
 */
export function setAway(socket: RawSocket): void {
  away.add(socket);
}

/** Whether it is so. */
export function isAway(socket: RawSocket): boolean {
  return away.has(socket);
}
