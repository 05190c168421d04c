import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { Server } from "socket.io";
import { type Auth, type CommonOptions, socketioAuth, type VerifyOption } from "../../mod.ts";
import { bundle } from "../../examples/kit/bundle.ts";
import { failOnPageErrors, openContext } from "../kit/browser.ts";
import { onDispose } from "../kit/disposal.ts";
import { type User, verify } from "../kit/users.ts";

// deno-lint-ignore no-explicit-any -- tests use the options as the application would
type AnyOptions = Partial<VerifyOption<any, any, any> & CommonOptions<any, any, any>>;

/** A page with its script, and the guarded chat that it talks to. */
export class Site {
  readonly #files: Record<string, [type: string, body: string]>;
  readonly #script: string;
  readonly #options: AnyOptions;
  #port = 0;
  /** The attempts there were: `ok`, or the code. */
  readonly attempts: string[] = [];
  /** Stops serving, as a server that is restarted does. */
  stop: () => Promise<unknown> = () => Promise.resolve();

  /** `script` is the name of one in `pages`. */
  constructor(html: string, script: string, options: AnyOptions = {}) {
    this.#files = { "/": ["text/html; charset=utf-8", html] };
    this.#script = script;
    this.#options = options;
    onDispose(() => this.stop());
  }

  /** Serves, at the same port as before. */
  async start(): Promise<void> {
    this.#files["/page.js"] ??= [
      "text/javascript; charset=utf-8",
      await bundle(new URL(`pages/${this.#script}`, import.meta.url)),
    ];
    const http = createServer((request, response) => {
      const [type, body] = this.#files[request.url!.split("?")[0]!] ?? ["text/plain", ""];
      response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
    });
    const io = new Server(http, { serveClient: false });
    const auth = socketioAuth(io, {
      verify,
      observe: (event) => {
        if (event.type === "attempt") this.attempts.push(event.ok ? "ok" : event.code);
      },
      ...this.#options,
    }) as Auth<User>;
    io.on("connection", (socket) => {
      const { name } = auth.user(socket);
      socket.on("chat", (text) => io.emit("chat", `${name}: ${text}`));
    });
    this.stop = () => {
      this.stop = () => Promise.resolve();
      const closed = io.close();
      http.closeAllConnections();
      return closed;
    };
    http.listen(this.#port, "127.0.0.1");
    await once(http, "listening");
    this.#port = (http.address() as AddressInfo).port;
  }

  /** Opens the page in a browser, which talks to the server over a transport. */
  async open(transport: "polling" | "websocket" = "websocket"): Promise<Page> {
    const context = await openContext();
    failOnPageErrors(context);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${this.#port}/?transport=${transport}`);
    return page;
  }
}
