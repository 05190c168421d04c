import { Server, type ServerOptions } from "socket.io";
import { serve as serveBun } from "../../src/adapters/bun.ts";
import { serve as serveHttp } from "../../src/adapters/node.ts";
import type { Running } from "../../src/adapters/serve.ts";

/** A kind of server that the suite runs over, and a way for clients to reach it. */
export interface Place {
  readonly name: string;
  readonly engine: "node:http" | "bun-engine";
  /** Options for socket.io-client. */
  readonly transport: { transports: ("polling" | "websocket")[]; upgrade: boolean };
  /** Whether a client has to be waited for until it has upgraded. */
  readonly upgrades: boolean;
}

const runtime = "Bun" in globalThis ? "Bun" : "Deno" in globalThis ? "Deno" : "Node";
const engines = runtime === "Bun" ? ["node:http", "bun-engine"] as const : ["node:http"] as const;

/** Every combination of engine and transport on this runtime. */
export const places: Place[] = engines.flatMap((engine) => [
  place(engine, "websocket", ["websocket"], false),
  place(engine, "polling", ["polling"], false),
  place(engine, "polling with upgrade", ["polling", "websocket"], true),
]);

function place(
  engine: Place["engine"],
  name: string,
  transports: Place["transport"]["transports"],
  upgrades: boolean,
): Place {
  return {
    name: `${engine} on ${runtime}, ${name}`,
    engine,
    transport: { transports, upgrade: upgrades },
    upgrades,
  };
}

/**
 * One transport and the runtime's own engine, for what depends on neither. On Bun, node:http is
 * left to the tests that have every place, and to Node and Deno.
 */
export const engineOnly: Place[] = places.filter(({ name }) => name.endsWith(", websocket"))
  .slice(-1);

/** Every transport on Bun, and one elsewhere, for what takes its time and happens in the client. */
export const transports: Place[] = runtime === "Bun"
  ? places.filter(({ engine }) => engine === "bun-engine")
  : engineOnly;

/** Starts `io` at a place on the loopback, on a free port unless it is to be that of before. */
export function start({ engine }: Place, io: Server, port = 0): Promise<Running> {
  const serve = engine === "bun-engine" ? serveBun : serveHttp;
  return serve(io, { port, hostname: "127.0.0.1" });
}

export function createServer(options: Partial<ServerOptions> = {}): Server {
  return new Server({ serveClient: false, ...options });
}
