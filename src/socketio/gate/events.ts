/**
 * What happens to a guarded socket, as the core is told of it.
 *
 * @module
 */
import { type Acknowledge, parseAuthentication } from "../../protocol.ts";
import { followTransport } from "../connections.ts";
import type { RawClient, RawSocket } from "../internals.ts";
import { endJoining, forgetRefused, refusedSocket, removeStale } from "../joining.ts";
import { startMeter } from "./meter.ts";
import { gateOf } from "./slot.ts";

/** Socket.IO's reason when a client has to leave a namespace. */
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
  gate.close();
  // One that was connected is not gone before its listeners have run; one that was refused, not
  // before its client is told to stay away.
  if (connected || refusedSocket(client, nsp.name) === socket) return;
  removeStale(client, nsp.name);
  gone(socket, BY_SERVER);
}

/** The client asks for a namespace while it is about to be closed. */
export function dropped(socket: RawSocket): void {
  const gate = gateOf(socket)!;
  gate.dropJoining();
  gate.connection.drop(gate);
}

/** The client asks for a namespace again that it was refused: the former socket gives its place. */
export function askedAgain(client: RawClient, name: string): void {
  const refused = refusedSocket(client, name);
  if (!refused) return;
  forgetRefused(refused);
  gone(refused, BY_SERVER);
}

/** The socket is gone, and its listeners have run, if anybody had met it. The hook `disconnect` runs in here. */
export function gone(socket: RawSocket, reason: string): void {
  const gate = gateOf(socket)!;
  gate.connection.leave(gate, reason);
  gate.mute();
  meterAgain(socket);
  if (gate.connection.isEmpty) followTransport(socket.client);
}

/** What a client sends is counted again once none of its sockets is signed in any more. */
function meterAgain({ client, nsp }: RawSocket): void {
  const isSignedIn = [...client.sockets.values()].some((socket) => gateOf(socket)?.isAdmitted);
  if (client.conn.readyState === "open" && !isSignedIn) startMeter(nsp.server, client.conn);
}

/** Whether a socket past its gate, or one that has none, still uses the transport. */
export function isInUse(client: RawClient): boolean {
  for (const socket of client.sockets.values()) {
    const gate = gateOf(socket);
    if (!gate || gate.isAdmitted) return true;
  }
  return false;
}
