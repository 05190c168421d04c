/**
 * What happens to a guarded socket, as the core is told of it.
 *
 * @module
 */
import { type Acknowledge, parseAuthentication, type Unauthorized } from "../../protocol.ts";
import { followTransport } from "../connections.ts";
import type { RawSocket } from "../internals.ts";
import { endJoining, removeStale } from "../joining.ts";
import { gateOf } from "./slot.ts";

/** Socket.IO's reasons when a client leaves a namespace of its own accord, and when it has to. */
const BY_CLIENT = "client namespace disconnect";
export const BY_SERVER = "server namespace disconnect";

/** The namespace connection has been accepted. */
export function joined(socket: RawSocket): void {
  const gate = gateOf(socket)!;
  gate.connection.join(gate);
}

/** Credentials came along with the request for the namespace. */
export function handshake(
  socket: RawSocket,
  credentials: unknown,
  acknowledge: Acknowledge,
): void {
  const gate = gateOf(socket)!;
  followTransport(socket.client);
  gate.connection.handshake(gate, credentials, acknowledge);
}

/** It must not be connected, and has been told so. */
export function turnedAway(socket: RawSocket, refusal: Unauthorized): void {
  const gate = gateOf(socket)!;
  gate.connection.turnAway(gate, refusal);
}

/** An `authentication` event, from a shut gate or as a refresh. */
export function authenticate(socket: RawSocket, args: readonly unknown[]): void {
  const gate = gateOf(socket)!;
  const { credentials, acknowledge } = parseAuthentication(args);
  gate.connection.authenticate(gate, credentials, acknowledge);
}

/**
 * The socket has left its namespace, or will never be in it. What somebody
 * still does with it, or with what they have kept of it, comes to nothing.
 */
export function removed(socket: RawSocket): void {
  const gate = gateOf(socket)!;
  const { nsp, client, connected } = socket;
  endJoining(socket);
  // Its client has left before it was connected, and may come back.
  if (!connected && client.conn.readyState !== "open") gate.waiting?.recovered?.keepAgain();
  gate.silence();
  // One that was connected is not gone before its listeners have run.
  if (connected) return;
  removeStale(client, nsp.name);
  gone(socket, BY_SERVER);
}

/** The socket is gone, and its listeners have run, if anybody had met it. */
export function gone(socket: RawSocket, reason: string): void {
  const gate = gateOf(socket)!;
  gate.connection.leave(gate, reason, reason === BY_CLIENT);
  if (gate.connection.isEmpty) followTransport(socket.client);
}
