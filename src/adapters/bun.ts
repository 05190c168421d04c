/**
 * The entry point for Bun, with `Bun.serve` and `@socket.io/bun-engine`. Exports everything that
 * the main entry point exports, and `serve`.
 *
 * @module
 */
import { allowRequestOf, type Ask } from "./allow_request.ts";
import {
  assertUnattached,
  optionsOf,
  type Running,
  type Servable,
  type ServeOptions,
  urlOf,
} from "./serve.ts";

export * from "../socketio/public.ts";
export { default } from "../socketio/public.ts";
export type { Running, Servable, ServeOptions } from "./serve.ts";

interface BunRuntime {
  serve(options: object): BunServer & {
    readonly port: number;
    stop(closeConnections: boolean): Promise<void>;
  };
}

interface BunServer {
  requestIP(request: Request): { readonly address: string } | null;
}

/** Options of a socket.io `Server` that belong to the engine under it. */
const ENGINE_OPTIONS = [
  "pingInterval",
  "pingTimeout",
  "upgradeTimeout",
  "maxHttpBufferSize",
  "cors",
];

/**
 * The longest `pingInterval`, in milliseconds: the engine has Bun close connections that are idle
 * for twice as long, and Bun takes 255 seconds at most.
 */
const LONGEST_INTERVAL = 127_500;

/** Options that would be unsafe to ignore. */
const REFUSED_OPTIONS = ["transports", "allowUpgrades", "allowEIO3", "cookie"];

/**
 * Starts `Bun.serve` with `@socket.io/bun-engine` for `io` alone. These options of `io` apply:
 * `pingInterval`, `pingTimeout`, `upgradeTimeout`, `maxHttpBufferSize`, `cors` and `allowRequest`.
 * `allowRequest(request, callback)` is called as on Node, for each request that opens a transport;
 * its `request` has `method`, `url`, `headers` and `socket.remoteAddress`.
 *
 * @param io a `Server` that is not attached yet
 * @param options where to listen
 * @returns the running server, once it listens; rejects if it cannot listen, if this is not Bun, or
 * if an option of `io` is not known to the engine or out of its range
 */
export async function serve(io: Servable, options: ServeOptions = {}): Promise<Running> {
  const { Bun } = globalThis as { Bun?: BunRuntime };
  if (!Bun) throw new Error("Cannot serve: this entry point needs Bun. Import ./node or ./deno.");
  assertUnattached(io);
  const { port = 3000, hostname } = options;
  const { Server: Engine } = await import("@socket.io/bun-engine");
  const engine = new Engine({ path: `${io.path()}/`, ...engineOptions(io) });
  const server = Bun.serve({ ...engine.handler(), port, ...(hostname && { hostname }) });
  io.bind(engine);
  return {
    url: urlOf(hostname, server.port),
    port: server.port,
    async close(): Promise<void> {
      await io.close();
      await server.stop(true);
    },
  };
}

function engineOptions(io: Servable): object {
  const opts = optionsOf(io);
  for (const name of REFUSED_OPTIONS) {
    if (opts[name] === undefined) continue;
    throw new TypeError(
      `Cannot serve: @socket.io/bun-engine does not know socket.io's option "${name}" as it is. ` +
        "Create the engine yourself, and give it to io.bind.",
    );
  }
  if (Number(opts.pingInterval) > LONGEST_INTERVAL) {
    throw new RangeError(
      `Cannot serve: socket.io's option pingInterval must be at most ${LONGEST_INTERVAL} ms on ` +
        `Bun, which closes what is idle for longer; got ${opts.pingInterval}.`,
    );
  }
  const given = ENGINE_OPTIONS.filter((name) => opts[name] !== undefined);
  const ask = allowRequestOf(opts);
  return {
    ...Object.fromEntries(given.map((name) => [name, opts[name]])),
    ...ask && { allowRequest: forEngine(ask) },
  };
}

/** Adapts `ask` to the engine, which asks about every request. A rejection refuses the request. */
function forEngine(
  ask: Ask,
): (request: Request, server: BunServer) => Promise<void> {
  return async (request, server) => {
    const { pathname, search, searchParams } = new URL(request.url);
    // `allowRequest` was asked about this transport when it was opened.
    if (searchParams.get("sid")) return;
    const reason = await ask({
      method: request.method,
      url: pathname + search,
      headers: Object.fromEntries(request.headers),
      socket: { remoteAddress: server.requestIP(request)?.address },
    });
    if (reason !== undefined) throw reason;
  };
}
