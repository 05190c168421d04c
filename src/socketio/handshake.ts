import { isMissing, isNothing } from "../core/checks.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { gateOf } from "./gate/prototype.ts";
import type { RawSocket } from "./internals.ts";
import { takePayload } from "./payload.ts";

/**
 * Verifies the credentials that came with a socket's CONNECT, if there are any. Resolves with
 * whether the socket may be connected; if not, it has been refused. Does not resolve if the client
 * leaves meanwhile.
 */
export function verifyHandshake(socket: RawSocket): Promise<boolean> {
  const gate = gateOf(socket)!;
  let credentials: unknown;
  try {
    if (gate.policy.handshake === true) {
      const payload = takePayload(socket.handshake);
      credentials = isNothing(payload) ? undefined : payload;
    } else if (!gate.connection.isSignedIn) credentials = gate.connection.brought(gate);
  } catch (error) {
    gate.report("handshake", error);
    turnAway(socket, unauthorized("server_error"));
    return Promise.resolve(false);
  }
  if (isMissing(credentials) || socket.client.conn.readyState !== "open") {
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    gate.handshake(credentials, (outcome) => {
      if (!outcome.ok) gate.refuse(outcome);
      resolve(outcome.ok);
    });
  });
}

export function turnAway(socket: RawSocket, refusal: Unauthorized): void {
  const gate = gateOf(socket)!;
  gate.refuse(refusal);
  gate.connection.turnAway(gate, refusal);
}
