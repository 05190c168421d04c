import { Connection } from "../core/connection.ts";
import type { Guard } from "../core/guard.ts";
import type { Clock } from "../core/interface.ts";
import type { RawClient, RawConn } from "./internals.ts";

const CONNECTIONS = Symbol("socketio-auth connections");
const FOLLOWED = Symbol("socketio-auth followed");

type AnyConnection = Connection<unknown, RawClient>;

interface GuardedConn extends RawConn {
  /**
   * One for each policy that a socket on this transport is under. An array around a single one would
   * cost each transport 56 bytes.
   */
  [CONNECTIONS]?: AnyConnection | readonly AnyConnection[];
  /** Its own end tells them. */
  [FOLLOWED]?: true;
}

/** The connections on a transport, one for each policy. */
export function connectionsOf(conn: RawConn): readonly AnyConnection[] {
  const connections = (conn as GuardedConn)[CONNECTIONS];
  if (connections === undefined) return [];
  return connections instanceof Connection ? [connections] : connections;
}

/** The connection of a client under one policy. */
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
 * Has the connections of a client end with its transport: called whenever one
 * has no socket, whose own end would tell. (Not from the start, because one more
 * listener costs 136 bytes, and most connections have a socket all the time.)
 */
export function followTransport(client: RawClient): void {
  const conn: GuardedConn = client.conn;
  if (conn.readyState !== "open") return closeConnections.call(conn);
  if (conn[FOLLOWED]) return;
  conn[FOLLOWED] = true;
  conn.on("close", closeConnections);
}

/**
 * Has a client not be closed, for a while, for packets that belong to no socket, as Socket.IO does
 * by `close`.
 */
export function ignoreInvalid(client: RawClient, clock: Clock, ms: number): void {
  const own: Partial<RawClient> = client;
  const until = clock.monotonic() + ms;
  own.close = () => {
    if (clock.monotonic() < until) return;
    delete own.close;
    client.close();
  };
  // What the application closes is closed.
  own._disconnect = () => {
    delete own.close;
    delete own._disconnect;
    client._disconnect();
  };
}

/** Those without a socket: the others hear of it from theirs. */
function closeConnections(this: GuardedConn): void {
  for (const connection of connectionsOf(this)) {
    if (connection.isEmpty) connection.close();
  }
}
