/**
 * What `@socket.io/bun-engine` knows of a client, but does not tell socket.io.
 *
 * @module
 */

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
  handler(): unknown;
  on(event: "connection", listener: (conn: BunConn, request: Request) => void): void;
}

/**
 * Puts the address of a client where socket.io looks for it, from now on: in front
 * of socket.io, which reads it at once. Other engines do that themselves.
 */
export function tellAddresses(engine: object): void {
  if (isBunEngine(engine)) listen(engine);
}

function isBunEngine(engine: object): engine is BunEngine {
  const { opts, handler, on } = engine as Partial<BunEngine>;
  return typeof opts === "object" && typeof handler === "function" && typeof on === "function";
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
