import { Connection } from "../core/connection.ts";
import type { Guard } from "../core/guard.ts";
import type { RawClient, RawConn } from "./internals.ts";

const CONNECTIONS = Symbol("socketio-auth connections");

type AnyConnection = Connection<unknown, RawClient>;

interface GuardedConn extends RawConn {
  /** One for each policy that a socket on this transport is under; as it is, if there is but one. */
  [CONNECTIONS]?: AnyConnection | readonly AnyConnection[];
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
  const added = created as AnyConnection;
  if (connections.length === 0) conn.on("close", onClose);
  conn[CONNECTIONS] = connections.length === 0 ? added : [...connections, added];
  return created;
}

function connectionsOf({ [CONNECTIONS]: kept }: GuardedConn): readonly AnyConnection[] {
  return kept === undefined ? [] : kept instanceof Connection ? [kept] : kept;
}

/** Shared by all transports, so that it costs no closure for each. */
function onClose(this: GuardedConn): void {
  for (const connection of connectionsOf(this)) connection.close();
}
