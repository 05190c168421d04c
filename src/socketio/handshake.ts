import { type Unauthorized, unauthorized } from "../protocol.ts";
import { CONNECT_ERROR, type RawHandshake, type RawSocket } from "./internals.ts";
import { handshake, turnedAway } from "./gate/events.ts";
import { gateOf } from "./gate/slot.ts";

/**
 * Verifies the credentials that came with a socket's CONNECT, if there are any.
 * Resolves whether the socket may be connected; if not, it has been refused. It
 * does not resolve at all if the client leaves meanwhile.
 */
export function verifyHandshake(
  socket: RawSocket,
  take: true | ((handshake: object) => unknown),
): Promise<boolean> {
  const gate = gateOf(socket)!;
  let credentials: unknown;
  try {
    credentials = take === true ? takePayload(socket.handshake) : take(socket.handshake);
  } catch (error) {
    gate.report("handshake", error);
    turnAway(socket, unauthorized("server_error"));
    return Promise.resolve(false);
  }
  const hasNone = credentials === undefined || credentials === null;
  if (hasNone || socket.client.conn.readyState !== "open") return Promise.resolve(true);
  return new Promise((resolve) => {
    handshake(socket, credentials, (outcome) => {
      if (!outcome.ok) refuse(socket, outcome);
      resolve(outcome.ok);
    });
  });
}

/**
 * The payload without what Socket.IO adds for connection state recovery. It is
 * not kept: a handshake lives as long as its socket, and travels between nodes.
 */
function takePayload(handshake: RawHandshake): object | undefined {
  const { pid: _pid, offset: _offset, ...credentials } = handshake.auth ?? {};
  handshake.auth = {};
  return Object.keys(credentials).length > 0 ? credentials : undefined;
}

/** Refuses a socket that nothing is verified for. */
export function turnAway(socket: RawSocket, refusal: Unauthorized): void {
  refuse(socket, refusal);
  turnedAway(socket, refusal);
}

/** As Socket.IO does when a middleware refuses. */
function refuse(socket: RawSocket, refusal: Unauthorized): void {
  const { message, code, reconnect, retryAfter } = refusal;
  const data = { code, reconnect, ...retryAfter !== undefined && { retryAfter } };
  socket._cleanup();
  const isOld = socket.client.conn.protocol === 3;
  socket.packet({ type: CONNECT_ERROR, data: isOld ? message : { message, data } });
}
