import type { RawSocket } from "../internals.ts";

const away = new WeakSet<RawSocket>();

/**
 * Notes that a socket's connection was lost and may be recovered by the same user. Until then, the
 * adapter keeps what is sent to the socket, as it does for any other room.
 */
export function setAway(socket: RawSocket): void {
  away.add(socket);
}

export function isAway(socket: RawSocket): boolean {
  return away.has(socket);
}
