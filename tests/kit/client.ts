import { io as connect, type Socket, type SocketOptions } from "socket.io-client";
import { onDispose } from "./disposal.ts";
import { EventQueue } from "./events.ts";
import type { Place } from "./targets.ts";

/** A socket.io-client whose every event is kept. */
export class Client {
  readonly socket: Socket;
  readonly events: EventQueue = new EventQueue();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("connect", () => this.events.push("connect"));
    socket.on("disconnect", (reason) => this.events.push("disconnect", reason));
    socket.on("connect_error", (error) => this.events.push("connect_error", error));
    socket.onAny((event, ...args) => this.events.push(event, ...args));
    onDispose(() => socket.disconnect());
  }

  next(event: string): Promise<unknown[]> {
    return this.events.next(event);
  }

  emit(event: string, ...args: unknown[]): void {
    this.socket.emit(event, ...args);
  }

  /** Signs in; right credentials unless told otherwise. */
  async signIn(credentials: unknown = { username: "ada", password: "right" }): Promise<unknown[]> {
    this.emit("authentication", credentials);
    return await this.next("authenticated");
  }

  /** Breaks the transport, as a bad network does. */
  async drop(): Promise<void> {
    this.socket.io.engine.close();
    await this.next("disconnect");
  }

  /** Connects again, and lets Socket.IO recover the connection if it can. */
  async reconnect(): Promise<void> {
    this.socket.connect();
    await this.next("connect");
  }

  /** What came from the server, without connect and disconnect. */
  get received(): string[] {
    return this.events.names.filter((name) => name !== "connect" && name !== "disconnect");
  }

  /** Another namespace over the same connection. */
  sibling(namespace: string, auth?: Record<string, unknown>): Client {
    return new Client(this.socket.io.socket(namespace, auth && { auth }));
  }
}

/** A client that is on its way; `auth` goes into its CONNECT payload. */
export function openClient(
  { transport }: Place,
  url: string,
  { path = "/", auth, headers }: {
    path?: string;
    auth?: SocketOptions["auth"];
    headers?: Record<string, string>;
  } = {},
): Client {
  const options = {
    ...transport,
    forceNew: true,
    reconnection: false,
    ...auth && { auth },
    ...headers && { extraHeaders: headers },
  };
  return new Client(connect(url + path, options));
}

/** Connects, and waits until the namespace is connected and the transport settled. */
export async function connectClient(place: Place, url: string, path = "/"): Promise<Client> {
  const client = openClient(place, url, { path });
  const upgraded = new Promise<void>((resolve) => {
    client.socket.io.engine.once("upgrade", () => resolve());
  });
  await client.next("connect");
  if (place.upgrades) await upgraded;
  return client;
}
