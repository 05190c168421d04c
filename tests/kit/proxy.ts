import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onDispose } from "./disposal.ts";

/** Stands between a node and its backend, and may cut them off from each other. */
export class Proxy {
  /** Where the backend seems to be. */
  readonly url: string;
  readonly #sockets: Set<Socket>;
  #isCut = false;

  private constructor(url: string, sockets: Set<Socket>) {
    this.url = url;
    this.#sockets = sockets;
  }

  static async open(backend: string): Promise<Proxy> {
    const { hostname, port } = new URL(backend);
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      if (proxy.#isCut) return void near.destroy();
      const far = connect(Number(port), hostname);
      for (const socket of [near, far]) {
        sockets.add(socket);
        // Whichever goes takes the other along.
        socket.on("error", () => {});
        socket.on("close", () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = new URL(backend);
    url.hostname = "127.0.0.1";
    url.port = `${(server.address() as AddressInfo).port}`;
    const proxy = new Proxy(url.href, sockets);
    onDispose(() => {
      proxy.cut();
      server.close();
    });
    return proxy;
  }

  /** From now on nothing passes. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** It does again, for whoever connects anew. */
  heal(): void {
    this.#isCut = false;
  }
}
