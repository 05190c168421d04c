import { AUTHENTICATION } from "../../protocol.ts";
import {
  ACK,
  BINARY_ACK,
  BINARY_EVENT,
  CONNECT_ERROR,
  DISCONNECT,
  EVENT,
  type Packet,
} from "../internals.ts";

/** The arguments of a packet if it is an `authentication` event. */
export function authenticationArgs({ type, data }: Packet): unknown[] | undefined {
  if (type !== EVENT && type !== BINARY_EVENT) return undefined;
  return Array.isArray(data) && data[0] === AUTHENTICATION ? data.slice(1) : undefined;
}

/** Whether a packet is the answer to an event. */
export function isAck({ type }: Packet): boolean {
  return type === ACK || type === BINARY_ACK;
}

/** Whether a packet says that there is no connection, or none any more. */
export function isControl({ type }: Packet): boolean {
  return type === DISCONNECT || type === CONNECT_ERROR;
}
