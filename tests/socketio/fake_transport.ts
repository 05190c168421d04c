import { setImmediate } from "node:timers";
import type { Server, Socket } from "socket.io";

/** Socket.IO leaves middleware on the next tick, even if there is none. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Sent {
  readonly type: number;
  readonly id?: number;
  readonly nsp: string;
  readonly data?: unknown[];
}

/** A client of socket.io without a wire: what would be sent is written down. */
export class FakeClient {
  readonly id: string = "client";
  readonly sockets: Map<string, Socket> = new Map();
  readonly nsps: Map<string, Socket> = new Map();
  /** Events sent to each namespace since it was connected, in order. */
  readonly sent: Map<string, unknown[][]> = new Map();
  /** Events that were acknowledged, by their ids. */
  readonly acknowledged: { readonly id: number; readonly outcome: unknown }[] = [];
  readonly conn = {
    readyState: "open",
    protocol: 4,
    request: { headers: {}, connection: {} },
    remoteAddress: "127.0.0.1",
    transport: { name: "websocket", writable: true },
    closing: [] as (() => void)[],
    on(event: string, listener: () => void): void {
      if (event === "close") this.closing.push(listener);
    },
    removeListener(): void {},
    close: (): void => this.break("forced close"),
  };
  readonly #io: Server;
  /** The id of the last event of each namespace that wants an answer. */
  readonly #asked: Map<string, number> = new Map();

  constructor(io: Server) {
    this.#io = io;
  }

  get request(): unknown {
    return this.conn.request;
  }

  /** Sends a CONNECT for a namespace, with credentials or without. */
  async connect(namespace: string, auth: object = {}): Promise<void> {
    // deno-lint-ignore no-explicit-any -- socket.io's own way in is private
    const nsp = this.#io.of(namespace) as any;
    // With credentials it is done when the verifier has answered.
    void nsp._add(this, auth, (socket: Socket) => {
      this.sockets.set(socket.id, socket);
      this.nsps.set(namespace, socket);
    });
    await turn();
    await turn();
  }

  /** Sends an event, as socket.io's decoder would hand it on. */
  receive(namespace: string, data: unknown[], id?: number): void {
    // deno-lint-ignore no-explicit-any -- socket.io's own way in is private
    (this.nsps.get(namespace) as any)?._onpacket({ type: 2, nsp: namespace, data, id });
  }

  /** Answers the last event of a namespace that wanted an answer. */
  respond(namespace: string, answer: unknown): void {
    const id = this.#asked.get(namespace);
    // deno-lint-ignore no-explicit-any -- socket.io's own way in is private
    const socket = this.nsps.get(namespace) as any;
    if (id !== undefined) socket?._onpacket({ type: 3, nsp: namespace, data: [answer], id });
  }

  /** Sends a DISCONNECT. */
  leave(namespace: string): void {
    // deno-lint-ignore no-explicit-any -- socket.io's own way in is private
    (this.nsps.get(namespace) as any)?._onpacket({ type: 1, nsp: namespace });
  }

  /** The transport is gone. */
  break(reason: string): void {
    if (this.conn.readyState !== "open") return;
    this.conn.readyState = "closed";
    // deno-lint-ignore no-explicit-any -- socket.io's own way in is private
    for (const socket of this.sockets.values()) (socket as any)._onclose(reason);
    for (const listener of this.conn.closing) listener.call(this.conn);
  }

  _packet({ type, nsp, data, id }: Sent): void {
    if (type === 0) this.sent.set(nsp, []);
    if (type === 3) this.acknowledged.push({ id: id!, outcome: data![0] });
    if (type === 2 && id !== undefined) this.#asked.set(nsp, id);
    if (type !== 2 || this.conn.readyState !== "open") return;
    this.sent.set(nsp, [...this.sent.get(nsp)!, data!]);
  }

  /** Where broadcasts come out of the adapter, encoded. */
  writeToEngine(packets: string[]): void {
    for (const packet of packets) {
      const [, nsp = "/", json] = /^2(?:(\/[^,]*),)?\d*(.*)$/.exec(packet)!;
      this._packet({ type: 2, nsp, data: JSON.parse(json!) });
    }
  }

  _remove(socket: Socket): void {
    this.sockets.delete(socket.id);
    this.nsps.delete(socket.nsp.name);
  }

  close(): void {
    this.break("forced close");
  }

  _disconnect(): void {
    for (const socket of this.sockets.values()) socket.disconnect();
    this.break("forced server close");
  }
}
