/** A socket.io `Server`, as far as starting one is concerned. */
export interface Servable {
  /** Puts it on a `node:http` server. */
  // deno-lint-ignore no-explicit-any -- socket.io takes several kinds of server
  attach(server: any): unknown;
  /** Puts it on an engine. */
  // deno-lint-ignore no-explicit-any -- engines have no common type
  bind(engine: any): unknown;
  /** The path it answers on. */
  path(): string;
  /** Disconnects every client and closes the server below. */
  close(): Promise<void>;
}

/** Where a server listens. */
export interface ServeOptions {
  /**
   * The port; 0 for any free one.
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
  /** Where clients connect, for example `http://localhost:3000`. */
  readonly url: string;
  /** The port it listens on. */
  readonly port: number;
  /** Disconnects every client and stops listening. */
  close(): Promise<void>;
}

/** The options that a server was created with. */
export function optionsOf(io: object): Record<string, unknown> {
  return (io as { opts: Record<string, unknown> }).opts;
}

/** The address a client on this machine can use. */
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
