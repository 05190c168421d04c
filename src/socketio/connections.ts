import { Connection } from "../core/connection.ts";
import type { Guard } from "../core/guard.ts";
import type { Clock } from "../core/interface.ts";
import type { RawClient, RawConn } from "./internals.ts";

const CONNECTIONS = Symbol("socketio-auth connections");
const FOLLOWED = Symbol("socketio-auth followed");

type AnyConnection = Connection<unknown, RawClient>;

interface GuardedConn extends RawConn {
  /**
   * One connection for each policy that a socket on this transport is under. An array around a
   * single one would cost each transport 56 bytes.
   */
  [CONNECTIONS]?: AnyConnection | readonly AnyConnection[];
  /** Set once the connections end with the transport. */
  [FOLLOWED]?: true;
}

export function connectionsOf(conn: RawConn): readonly AnyConnection[] {
  const connections = (conn as GuardedConn)[CONNECTIONS];
  if (connections === undefined) return [];
  return connections instanceof Connection ? [connections] : connections;
}

/** Returns the connection of a client under one policy, and creates it if need be. */
export function connectionOf<S>(
  client: RawClient,
  guard: Guard<S, RawClient>,
): Connection<S, RawClient> {
  const conn: GuardedConn = client.conn;
  const connections = connectionsOf(conn);
  const existing = connections.find((connection) => connection.guard === guard);
  if (existing) return existing as Connection<S, RawClient>;
  const created = new Connection(guard, client);
  const first = created as AnyConnection;
  conn[CONNECTIONS] = connections.length === 0 ? first : [...connections, first];
  return created;
}

/**
 * Makes the connections of a client end with its transport. Called when a connection has no socket
 * whose own end would tell. (Not called from the start: one more listener costs 136 bytes, and most
 * connections have a socket all the time.)
 */
export function followTransport(client: RawClient): void {
  const conn: GuardedConn = client.conn;
  if (conn.readyState !== "open") return closeConnections.call(conn);
  if (conn[FOLLOWED]) return;
  conn[FOLLOWED] = true;
  conn.on("close", closeConnections);
}

/**
 * Keeps Socket.IO from closing a client, for `ms` milliseconds, for packets that belong to no
 * socket.
 */
export function ignoreInvalid(client: RawClient, clock: Clock, ms: number): void {
  const own: Partial<RawClient> = client;
  const until = clock.monotonic() + ms;
  own.close = () => {
    if (clock.monotonic() < until) return;
    delete own.close;
    client.close();
  };
  // A close by the application takes effect at once.
  own._disconnect = () => {
    delete own.close;
    delete own._disconnect;
    client._disconnect();
  };
}

/** Closes the connections that have no socket. The others are told by their sockets. */
function closeConnections(this: GuardedConn): void {
  for (const connection of connectionsOf(this)) {
    if (connection.isEmpty) connection.close();
  }
}
