import type { RawConn, RawTransport } from "./internals.ts";

/** The transports that clients have begun to upgrade to. */
const upgrades = new WeakMap<RawConn, RawTransport>();

/** What engines call for one; the name has changed since engine.io 6.5. */
const METHODS = ["_maybeUpgrade", "maybeUpgrade"] as const;

/** Remembers what a transport is upgraded to: engines keep it to themselves. */
export function watchUpgrade(conn: RawConn): void {
  if (conn.transport.name !== "polling") return;
  for (const method of METHODS) {
    const upgrade = conn[method];
    if (!upgrade) continue;
    conn[method] = (transport) => {
      upgrades.set(conn, transport);
      return upgrade.call(conn, transport);
    };
  }
}

/** What a client has begun to upgrade to, if anything. */
export function upgradeOf(conn: RawConn): RawTransport | undefined {
  return upgrades.get(conn);
}
