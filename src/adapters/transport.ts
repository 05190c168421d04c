import { Connection } from "../core/connection.ts";
import type { Clock, Host } from "../core/interface.ts";
import type { RawClient, RawConn, RawSocket } from "./internals.ts";
import { gateOf } from "./slot.ts";

/** How long a client may take to fetch and confirm a close before it is dropped, in ms. */
const LINGER = 1000;

const CONNECTIONS = Symbol("socketio-auth connections");

interface GuardedConn extends RawConn {
  /** One for each policy that a socket on this transport is under. */
  [CONNECTIONS]?: readonly Connection<unknown, RawClient>[];
}

/** The connection of a client under one policy. */
export function connectionOf<S>(
  client: RawClient,
  host: Host<S, RawClient>,
): Connection<S, RawClient> {
  const conn: GuardedConn = client.conn;
  const existing = conn[CONNECTIONS]?.find((connection) => connection.host === host);
  if (existing) return existing as Connection<S, RawClient>;
  const created = new Connection(host, client);
  if (!conn[CONNECTIONS]) conn.on("close", onClose);
  conn[CONNECTIONS] = [...conn[CONNECTIONS] ?? [], created as Connection<unknown, RawClient>];
  return created;
}

/** Shared by all transports, so that it costs no closure for each. */
function onClose(this: GuardedConn): void {
  for (const connection of this[CONNECTIONS] ?? []) connection.close();
}

/** Whether a socket past its gate, or one that has none, still uses the transport. */
export function isInUse(client: RawClient): boolean {
  for (const socket of client.sockets.values()) {
    const gate = gateOf(socket);
    if (!gate || gate.isAdmitted) return true;
  }
  return false;
}

/** Closes a transport behind what was sent before, without waiting for the client. */
export function closeTransport(client: RawClient, clock: Clock): void {
  const { conn } = client;
  const { socket } = conn.transport;
  // It closes once it has sent what is left in its buffer, and its client has
  // confirmed. One that does neither could keep it for half a minute, or for as
  // long as the heartbeat allows.
  if (conn.transport.closeTimeout !== undefined) conn.transport.closeTimeout = LINGER;
  const drop = () => {
    if (conn.readyState !== "closed") conn.onClose?.("forced close");
    socket?.terminate?.();
  };
  clock.after(LINGER, drop);
  try {
    client._disconnect();
  } finally {
    // A listener of the application may have thrown in the middle.
    conn.close();
  }
}

/** What separates namespace and room in a topic. */
const SEPARATOR = "\x1f";

/**
 * uWebSockets.js publishes to the topics that a WebSocket is subscribed to,
 * past the adapter; and Socket.IO unsubscribes one only from single rooms.
 */
export function leaveTopics({ client, nsp }: RawSocket): void {
  const { socket } = client.conn.transport;
  if (!socket?.getTopics || !socket.unsubscribe) return;
  try {
    for (const topic of socket.getTopics()) {
      const isOurs = topic === nsp.name || topic.startsWith(nsp.name + SEPARATOR);
      if (isOurs) socket.unsubscribe(topic);
    }
  } catch {
    // It is closed, which it says by throwing: then it has no topics any more.
  }
}
