import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type Chat, type ChatOptions, createChat } from "../../examples/chat/app.ts";
import { onDispose } from "../kit/disposal.ts";

/** The demo's server, which can go away and come back at the same address. */
export class Host {
  #chat: Chat | undefined;
  #port = 0;
  #connections = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How many connections there have been, to tell a new one from the same. */
  get connections(): number {
    return this.#connections;
  }

  async start(options: ChatOptions = {}): Promise<void> {
    this.#chat = await createChat({ tick: 100, ...options });
    const { http, io } = this.#chat;
    io.engine.on("connection", () => this.#connections++);
    http.listen(this.#port, "127.0.0.1");
    await once(http, "listening");
    this.#port = (http.address() as AddressInfo).port;
  }

  /** Ends it as Ctrl+C does, without a word to the clients. */
  async stop(): Promise<void> {
    this.#chat?.io.engine.close();
    await this.#chat?.io.close();
    this.#chat = undefined;
  }
}

export async function startHost(options?: ChatOptions): Promise<Host> {
  const host = new Host();
  onDispose(() => host.stop());
  await host.start(options);
  return host;
}
