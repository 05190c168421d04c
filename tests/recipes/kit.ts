import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "socket.io";
import { type Client, openClient } from "../kit/client.ts";
import { onDispose } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";

/** Waits until a recipe listens, and closes it after the test. Returns its address. */
export async function open(io: Server): Promise<string> {
  onDispose(() => close(io));
  const http = httpOf(io);
  if (!http.listening) await once(http, "listening");
  return urlOf(io);
}

/** The address of a recipe that listens. */
export function urlOf(io: Server): string {
  return `http://127.0.0.1:${(httpOf(io).address() as AddressInfo).port}`;
}

export async function close(io: Server): Promise<void> {
  const closed = io.close();
  httpOf(io).closeAllConnections?.();
  await closed;
}

function httpOf(io: Server): HttpServer {
  return (io as unknown as { httpServer: HttpServer }).httpServer;
}

/** How a client connects. */
export interface Connecting {
  /** The page it is on; none for a client that is no browser. */
  readonly origin?: string;
  readonly path?: string;
  /** What goes into the CONNECT packet. */
  readonly auth?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** Connects a client. Resolves with it once the server has answered its CONNECT, either way. */
export async function connect(url: string, connecting: Connecting = {}): Promise<Client> {
  const { origin, headers, ...others } = connecting;
  const client = openClient(engineOnly[0]!, url, {
    ...others,
    headers: { ...headers, ...origin && { origin } },
  });
  await Promise.race([client.next("connect"), client.next("connect_error")]);
  return client;
}

/** The code that a client is told next, in an event. */
export async function codeOf(client: Client): Promise<string> {
  const [payload] = await client.next("unauthorized") as [{ code: string }];
  return payload.code;
}

/** The code of the CONNECT_ERROR that a client was told last. */
export function refusalOf(client: Client): string {
  const [, error] = client.events.all.filter(([name]) => name === "connect_error").at(-1)!;
  return (error as { data: { code: string } }).data.code;
}

/** What a client asks for, and what it is answered. */
export async function ask(client: Client, event: string, ...args: unknown[]): Promise<unknown> {
  return await client.socket.timeout(10_000).emitWithAck(event, ...args);
}

/** A browser as far as servers can tell: requests with cookies, and sockets with the same ones. */
export class Browser {
  readonly url: string;
  readonly cookies: Map<string, string> = new Map();
  /** The page that it shows. */
  readonly origin: string;

  constructor(url: string, origin: string = url) {
    this.url = url;
    this.origin = origin;
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(this.url + path, {
      method,
      redirect: "manual",
      headers: {
        origin: this.origin,
        ...this.#cookieHeader(),
        ...body !== undefined && { "content-type": "application/json" },
      },
      ...body !== undefined && { body: JSON.stringify(body) },
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  /** Asks with a body, and waits for the answer's text. */
  async post(path: string, body: unknown = {}): Promise<string> {
    return await (await this.request("POST", path, body)).text();
  }

  async get(path: string): Promise<string> {
    return await (await this.request("GET", path)).text();
  }

  /** Connects a client with the cookies. */
  connect(connecting: Connecting = {}): Promise<Client> {
    const headers = { ...this.#cookieHeader(), ...connecting.headers };
    return connect(this.url, { origin: this.origin, ...connecting, headers });
  }

  #cookieHeader(): Record<string, string> {
    const pairs = Array.from(this.cookies, ([name, value]) => `${name}=${value}`);
    return pairs.length > 0 ? { cookie: pairs.join("; ") } : {};
  }

  #keep(cookie: string): void {
    const [pair = ""] = cookie.split(";");
    const end = pair.indexOf("=");
    const [name, value] = [pair.slice(0, end), pair.slice(end + 1)];
    const isOver = /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(cookie);
    if (value === "" || isOver) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
