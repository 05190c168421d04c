import { systemClock } from "../core/clock.ts";
import type { RawClient, RawConn, RawTransport } from "./internals.ts";
import { upgradeOf } from "./upgrades.ts";

/** Time limit for a client to fetch and confirm a close, in ms. */
const LINGER = 1000;

/** How long a WebTransport session stays open for what was written last, in ms. */
const FLUSH = 50;

/** Delays the close of a WebTransport session: Engine.IO would lose the last packets. */
function closeBehindWrites(transport: RawTransport): void {
  const { doClose } = transport;
  if (transport.name !== "webtransport" || !doClose) return;
  transport.doClose = (done) => {
    setTimeout(() => doClose.call(transport), FLUSH);
    done?.();
  };
}

/** Closes a transport, after what was sent before. */
export function closeTransport(client: RawClient, linger: number): void {
  prepareClose(client.conn, linger);
  try {
    client._disconnect();
  } finally {
    // A listener of the application may have thrown.
    client.conn.close();
  }
}

function prepareClose({ transport }: RawConn, linger: number): void {
  closeBehindWrites(transport);
  // The engine waits for the client to fetch and confirm the close: by default half a minute.
  if (transport.closeTimeout !== undefined) transport.closeTimeout = linger;
}

/** Closes a transport that no namespace uses yet, and drops it if its client does not cooperate. */
export function closeUnused(conn: RawConn): void {
  prepareClose(conn, LINGER);
  conn.close();
  systemClock.after(LINGER, () => dropTransport({ conn }));
}

/**
 * Drops a transport whose client has not confirmed the close, or not fetched it, along with the
 * transport that the client has begun to upgrade to.
 */
export function dropTransport({ conn }: Pick<RawClient, "conn">): void {
  const { socket } = conn.transport;
  if (conn.readyState !== "closed") conn.onClose?.("forced close");
  socket?.terminate?.();
  upgradeOf(conn)?.socket?.terminate?.();
}
