import type { Outcome } from "../protocol.ts";
import { CONNECT_ERROR, type RawSocket } from "./internals.ts";
import { gateOf } from "./gate/slot.ts";

/**
 * Verifies the credentials that came with a socket's CONNECT, if there are any.
 * Resolves whether the socket may be connected; if not, it has been refused. It
 * does not resolve at all if the client leaves meanwhile.
 */
export function verifyHandshake(socket: RawSocket): Promise<boolean> {
  const credentials = credentialsOf(socket);
  if (!credentials || socket.client.conn.readyState !== "open") return Promise.resolve(true);
  return new Promise((resolve) => {
    gateOf(socket)!.handshake(credentials, (outcome) => {
      if (!outcome.ok) refuse(socket, outcome);
      resolve(outcome.ok);
    });
  });
}

/** The payload without what Socket.IO adds for connection state recovery. */
function credentialsOf({ handshake }: RawSocket): object | undefined {
  const { pid: _pid, offset: _offset, ...credentials } = handshake.auth ?? {};
  return Object.keys(credentials).length > 0 ? credentials : undefined;
}

/** As Socket.IO does when a middleware refuses. */
function refuse(socket: RawSocket, { message, ...rest }: Outcome & { ok: false }): void {
  const { ok: _ok, ...data } = rest;
  socket._cleanup();
  socket.packet({ type: CONNECT_ERROR, data: { message, data } });
}
