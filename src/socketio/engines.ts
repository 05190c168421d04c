import type { RawConn, RawServer } from "./internals.ts";

interface Bindable {
  engine?: object;
  bind(engine: object): unknown;
}

/** An engine, of node:http or of Bun. */
interface Engine {
  on?(event: "connection", listener: (conn: RawConn) => void): void;
}

/** Calls back for each transport of an engine, from now on. */
export function watchConnections(engine: Engine, listener: (conn: RawConn) => void): void {
  engine.on?.("connection", listener);
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
