import { AUTHENTICATION } from "../core/protocol.ts";
import { ACK, BINARY_ACK, BINARY_EVENT, EVENT, type Packet } from "./internals.ts";

/** Event names that socket.io refuses to emit; it does so loudly, and at once. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** Whether socket.io refuses to emit an event of this name. */
export function isReserved(event: string): boolean {
  return RESERVED.has(event);
}

/** The arguments of a packet if it is an `authentication` event. */
export function authenticationArgs({ type, data }: Packet): unknown[] | undefined {
  if (type !== EVENT && type !== BINARY_EVENT) return undefined;
  return Array.isArray(data) && data[0] === AUTHENTICATION ? data.slice(1) : undefined;
}

/** Whether a packet is the answer to an event. */
export function isAck({ type }: Packet): boolean {
  return type === ACK || type === BINARY_ACK;
}
