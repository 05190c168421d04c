import type { Connection } from "../core/connection.ts";
import type { Guard } from "../core/guard.ts";
import type { RawClient, RawConn } from "./internals.ts";

const CONNECTIONS = Symbol("socketio-auth connections");

interface GuardedConn extends RawConn {
  /** One for each policy that a socket on this transport is under. */
  [CONNECTIONS]?: readonly Connection<unknown, RawClient>[];
}

/** The connection of a client under one policy. */
export function connectionOf<S>(
  client: RawClient,
  guard: Guard<S, RawClient>,
): Connection<S, RawClient> {
  const conn: GuardedConn = client.conn;
  const others = conn[CONNECTIONS];
  const existing = others?.find((connection) => connection.guard === guard);
  if (existing) return existing as Connection<S, RawClient>;
  const created = guard.connect(client);
  const added = created as Connection<unknown, RawClient>;
  if (!others) conn.on("close", onClose);
  conn[CONNECTIONS] = others ? [...others, added] : [added];
  return created;
}

/** Shared by all transports, so that it costs no closure for each. */
function onClose(this: GuardedConn): void {
  for (const connection of this[CONNECTIONS] ?? []) connection.close();
}
