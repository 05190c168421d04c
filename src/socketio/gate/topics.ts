import type { RawSocket } from "../internals.ts";

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
