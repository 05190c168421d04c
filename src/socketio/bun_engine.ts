/**
 * The client's address under `@socket.io/bun-engine`, which does not tell it to socket.io.
 *
 * @module
 */

interface BunConn {
  remoteAddress?: string | undefined;
}

interface BunServer {
  requestIP(request: Request): { readonly address: string } | null;
}

type EditHeaders = (headers: Headers, request: Request, server: BunServer) => unknown;

interface BunEngine {
  /** The engine looks its hooks up for each request. */
  readonly opts: { editHandshakeHeaders?: EditHeaders | undefined };
  handler(): unknown;
  on(event: "connection", listener: (conn: BunConn, request: Request) => void): void;
}

/**
 * Puts the address of each client where socket.io looks for it. Listens before socket.io, which
 * reads the address at once. Other engines need no help.
 */
export function tellAddresses(engine: object): void {
  if (isBunEngine(engine)) listen(engine);
}

function isBunEngine(engine: object): engine is BunEngine {
  const { opts, handler, on } = engine as Partial<BunEngine>;
  return typeof opts === "object" && typeof handler === "function" && typeof on === "function";
}

function listen(engine: BunEngine): void {
  // Bun forgets the address of a request when the request is upgraded. This hook is the last one
  // before that.
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
