/**
 * What `@socket.io/bun-engine` knows of a client, but does not tell socket.io.
 *
 * @module
 */
import { isNamespace, type RawServer } from "./internals.ts";

/** A transport of the engine. */
interface BunConn {
  remoteAddress?: string | undefined;
}

/** A server of `Bun.serve`, as the engine hands it on. */
interface BunServer {
  requestIP(request: Request): { readonly address: string } | null;
}

type EditHeaders = (headers: Headers, request: Request, server: BunServer) => unknown;

interface BunEngine {
  /** Its hooks are looked up for each request. */
  readonly opts: { editHandshakeHeaders?: EditHeaders | undefined };
  on(event: "connection", listener: (conn: BunConn, request: Request) => void): void;
}

interface Bindable {
  engine?: BunEngine;
  bind(engine: BunEngine): unknown;
}

const told = new WeakSet<object>();

/**
 * Puts the address of a client where socket.io looks for it, from now on; on
 * whichever engine the server is bound to, now or later.
 */
export function tellAddresses(target: unknown): void {
  const server = (isNamespace(target) ? target.server : target) as RawServer & Bindable;
  if (told.has(server)) return;
  told.add(server);
  if (server.engine) listen(server.engine);
  const { bind } = server;
  server.bind = (engine) => {
    // In front of socket.io, which reads the address at once.
    listen(engine);
    return bind.call(server, engine);
  };
}

function listen(engine: BunEngine): void {
  // Bun forgets the address of a request as soon as it is upgraded to a
  // WebSocket: this hook is the last one before that.
  const addresses = new WeakMap<Request, string>();
  const { editHandshakeHeaders } = engine.opts;
  engine.opts.editHandshakeHeaders = (headers, request, server) => {
    const { address } = server.requestIP(request) ?? {};
    if (address !== undefined) addresses.set(request, address);
    return editHandshakeHeaders?.(headers, request, server);
  };
  engine.on("connection", (conn, request) => {
    conn.remoteAddress ??= addresses.get(request);
  });
}
