import type { RawConn, RawTransport } from "./internals.ts";

const upgrades = new WeakMap<RawConn, RawTransport>();

/** The engine's method for an upgrade. Its name has changed since engine.io 6.5. */
const METHODS = ["_maybeUpgrade", "maybeUpgrade"] as const;

/** Remembers the transport that a client upgrades to, which engines keep private. */
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

export function upgradeOf(conn: RawConn): RawTransport | undefined {
  return upgrades.get(conn);
}
