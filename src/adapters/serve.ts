/** The part of a socket.io `Server` that `serve` uses. */
export interface Servable {
  /** Attaches the server to a `node:http` server. */
  // deno-lint-ignore no-explicit-any -- socket.io takes several kinds of server
  attach(server: any): unknown;
  /** Attaches the server to an engine. */
  // deno-lint-ignore no-explicit-any -- engines have no common type
  bind(engine: any): unknown;
  /** The path that the server answers on. */
  path(): string;
  /** Disconnects every client and closes the server below. */
  close(): Promise<void>;
}

/** Where a server listens. */
export interface ServeOptions {
  /**
   * The port to listen on; `0` for any free port.
   *
   * @default 3000
   */
  port?: number;
  /**
   * The host name or address to listen on.
   *
   * @default all addresses
   */
  hostname?: string;
}

/** A server that has been started for `io`. */
export interface Running {
  /** The URL that clients connect to, for example `http://localhost:3000`. */
  readonly url: string;
  /** The port that the server listens on. */
  readonly port: number;
  /** Disconnects every client and stops listening. */
  close(): Promise<void>;
}

export function optionsOf(io: object): Record<string, unknown> {
  return (io as { opts: Record<string, unknown> }).opts;
}

/** Returns the URL under which a client on the same machine reaches the server. */
export function urlOf(hostname: string | undefined, port: number): string {
  const isWildcard = hostname === undefined || hostname === "0.0.0.0" || hostname === "::";
  const host = isWildcard ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}`;
}

/** @throws {Error} if `io` is attached to a server already */
export function assertUnattached(io: object): void {
  if ((io as { engine?: unknown }).engine) {
    throw new Error("Cannot serve: this Server is attached already. Create it without a port.");
  }
}
