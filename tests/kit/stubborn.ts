import { once } from "node:events";
import { connect } from "node:net";
import { onDispose } from "./disposal.ts";

/** A WebSocket that is never closed by its client, whatever the server says. */
export class StubbornWebSocket {
  /** Settles when the server has dropped the connection. */
  readonly dropped: Promise<void>;
  readonly #socket: ReturnType<typeof connect>;

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
    socket.on("error", () => {});
    this.dropped = new Promise((resolve) => socket.once("close", () => resolve()));
    onDispose(() => void socket.destroy());
  }

  /** Opens one on the path and query of a URL. */
  static async open(url: string): Promise<StubbornWebSocket> {
    const { hostname, port, pathname, search } = new URL(url);
    const socket = connect(Number(port), hostname);
    const opened = new StubbornWebSocket(socket);
    await once(socket, "connect");
    socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "",
        "",
      ].join("\r\n"),
    );
    await once(socket, "data");
    return opened;
  }

  /** Sends a text of up to 125 bytes, masked by zeros. */
  send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#socket.write(Uint8Array.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]));
  }
}
