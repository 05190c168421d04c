import { onDispose } from "./disposal.ts";
import { EventQueue } from "./events.ts";

/**
 * A client that speaks Engine.IO and Socket.IO by hand, and only says what it
 * is told to. Every packet it gets is an event in `packets`, named by its type:
 * "0" for the Engine.IO handshake, "40" for CONNECT, "42" for EVENT and so on.
 */
export class RawClient {
  readonly packets: EventQueue = new EventQueue();
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (data === "2") return this.send("3");
      const [, type, rest] = /^(\d\d?)(.*)$/s.exec(String(data)) ?? [];
      this.packets.push(type ?? "?", rest);
    };
    socket.onclose = () => this.packets.push("close");
  }

  /** Opens a transport; connects no namespace yet. */
  static async open(url: string, version: 3 | 4 = 4): Promise<RawClient> {
    const address = `${url.replace("http", "ws")}/socket.io/?EIO=${version}&transport=websocket`;
    const client = new RawClient(new WebSocket(address));
    onDispose(() => client.#socket.close());
    await client.packets.next("0");
    return client;
  }

  /** Opens a transport and connects the main namespace. */
  static async connect(url: string): Promise<RawClient> {
    const client = await RawClient.open(url);
    client.send("40");
    await client.packets.next("40");
    return client;
  }

  send(packet: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(packet as string);
  }

  close(): void {
    this.#socket.close();
  }

  /** The events that came, parsed. */
  get events(): unknown[] {
    return this.packets.all.filter(([type]) => type === "42").map(([, json]) =>
      JSON.parse(String(json))
    );
  }
}

/** A long-polling client that fetches nothing unless asked to. */
export class PollingClient {
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
  }

  /** Opens a transport; connects no namespace yet. */
  static async open(url: string): Promise<PollingClient> {
    const address = `${url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1));
    return new PollingClient(`${address}&sid=${sid}`);
  }

  static async connect(url: string): Promise<PollingClient> {
    const client = await PollingClient.open(url);
    await client.send("40");
    return client;
  }

  async send(packet: string): Promise<void> {
    await (await fetch(this.#address, { method: "POST", body: packet })).text();
  }

  async poll(): Promise<string> {
    return await (await fetch(this.#address)).text();
  }
}
