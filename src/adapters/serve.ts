/** Where {@linkcode Running} servers listen. */
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
