import { AUTHENTICATION, parseAuthentication } from "../protocol.ts";
import type { Guard } from "../core/guard.ts";
import { Gate } from "./gate/gate.ts";
import { gateOf } from "./gate/prototype.ts";
import type { RawClient, RawSocket } from "./internals.ts";
import { takeRecovered } from "./recovery/recovery.ts";
import { checkSocket } from "./supported.ts";

export type SocketIoGuard<S = unknown> = Guard<S, RawClient>;

/**
 * Puts a shut gate on a socket. A socket that `isNew` was just created; one that is connected
 * counts as connected now. If the socket cannot be guarded, closes its transport and returns
 * `false`.
 */
export function guardSocket(guard: SocketIoGuard, socket: RawSocket, isNew = false): boolean {
  try {
    checkSocket(socket);
    // A namespace may get its own policy while a socket is on its way into it.
    const before = gateOf(socket);
    // The recovered data belongs to a user of the other policy.
    if (before?.waiting?.recovered) throw new Error("Cannot guard a recovered socket again.");
    if (before && !socket.connected) before.connection.leave(before, "server namespace disconnect");
    new Gate(socket, guard, takeRecovered(socket), isNew);
    if (!before) socket.on(AUTHENTICATION, onAuthentication);
    if (socket.connected) gateOf(socket)!.joined();
    return true;
  } catch (error) {
    guard.policy.report(error, { during: "gate", socket });
    socket.client.conn.close();
    return false;
  }
}

/** Handles a refresh. Shared by all sockets, so that an authenticated one costs no closure. */
function onAuthentication(this: RawSocket, ...args: unknown[]): void {
  const gate = gateOf(this)!;
  const { credentials, acknowledge } = parseAuthentication(args);
  gate.connection.authenticate(gate, credentials, acknowledge);
}
