import type { RawClient, RawTransport } from "./internals.ts";
import { gateOf } from "./gate/slot.ts";
import { upgradeOf } from "./upgrades.ts";

/** Whether a socket past its gate, or one that has none, still uses the transport. */
export function isInUse(client: RawClient): boolean {
  for (const socket of client.sockets.values()) {
    const gate = gateOf(socket);
    if (!gate || gate.isAdmitted) return true;
  }
  return false;
}

/** How long a WebTransport session stays open for what was written last, in ms. */
const FLUSH = 50;

/** Engine.IO closes a WebTransport session at once, and what was written to it just before is lost. */
function closeBehindWrites(transport: RawTransport): void {
  const { doClose } = transport;
  if (transport.name !== "webtransport" || !doClose) return;
  transport.doClose = (done) => {
    setTimeout(() => doClose.call(transport), FLUSH);
    done?.();
  };
}

/** Closes a transport behind what was sent before. */
export function closeTransport(client: RawClient, linger: number): void {
  const { transport } = client.conn;
  closeBehindWrites(transport);
  // It waits for its client to fetch and confirm that: half a minute, unless it is told less.
  if (transport.closeTimeout !== undefined) transport.closeTimeout = linger;
  try {
    client._disconnect();
  } finally {
    // A listener of the application may have thrown in the middle.
    client.conn.close();
  }
}

/**
 * Drops a transport whose client has not confirmed the close, or not fetched it;
 * and what it has begun to upgrade to.
 */
export function dropTransport({ conn }: RawClient): void {
  const { socket } = conn.transport;
  if (conn.readyState !== "closed") conn.onClose?.("forced close");
  socket?.terminate?.();
  upgradeOf(conn)?.socket?.terminate?.();
}
