import type { RawConn, RawServer } from "./internals.ts";

interface Bindable {
  engine?: object;
  bind(engine: object): unknown;
}

/** What emits events, of Node or of bun-engine. */
interface Emitter {
  // deno-lint-ignore no-explicit-any -- whatever its events carry
  on?(event: string, listener: (...args: any[]) => void): unknown;
  // deno-lint-ignore no-explicit-any -- likewise
  prependListener?(event: string, listener: (...args: any[]) => void): unknown;
  /** On bun-engine these are the ones that are called, not a copy. */
  listeners?(event: string): unknown[];
}

/** Listens to an event in front of those who listen already. */
export function listenFirst(
  emitter: Emitter,
  event: string,
  // deno-lint-ignore no-explicit-any -- whatever its events carry
  listener: (...args: any[]) => void,
): void {
  const others = emitter.listeners?.(event) ?? [];
  if (emitter.prependListener) emitter.prependListener(event, listener);
  else if (others.length > 0) others.unshift(listener);
  else emitter.on?.(event, listener);
}

/** Calls back for each transport of an engine, now and later, in front of socket.io. */
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
 * Calls back for the engine that a server is bound to, and for each it is bound to
 * later; in front of socket.io itself.
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
