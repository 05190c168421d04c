import type { RawConn, RawServer } from "./internals.ts";

interface Bindable {
  engine?: object;
  bind(engine: object): unknown;
}

interface Emitter {
  // deno-lint-ignore no-explicit-any -- listeners of any event
  on?(event: string, listener: (...args: any[]) => void): unknown;
  // deno-lint-ignore no-explicit-any -- likewise
  prependListener?(event: string, listener: (...args: any[]) => void): unknown;
  /** On bun-engine, the array of listeners itself and not a copy. */
  listeners?(event: string): unknown[];
}

export function listenFirst(
  emitter: Emitter,
  event: string,
  // deno-lint-ignore no-explicit-any -- listeners of any event
  listener: (...args: any[]) => void,
): void {
  const others = emitter.listeners?.(event) ?? [];
  if (emitter.prependListener) emitter.prependListener(event, listener);
  else if (others.length > 0) others.unshift(listener);
  else emitter.on?.(event, listener);
}

/** Calls `listener` for each transport of an engine, now and later, before socket.io. */
export function watchConnections(
  engine: Emitter & { clients?: object },
  listener: (conn: RawConn) => void,
): void {
  const { clients = {} } = engine;
  for (const conn of clients instanceof Map ? clients.values() : Object.values(clients)) {
    listener(conn);
  }
  listenFirst(engine, "connection", listener);
}

/**
 * Calls `listener` for the engine that a server is bound to, and for each later one, before
 * socket.io.
 */
export function onEngine(target: RawServer, listener: (engine: object) => void): void {
  const server = target as RawServer & Bindable;
  if (server.engine) listener(server.engine);
  const { bind } = server;
  server.bind = (engine) => {
    listener(engine);
    return bind.call(server, engine);
  };
}
