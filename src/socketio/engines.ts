import type { RawServer } from "./internals.ts";

interface Bindable {
  engine?: object;
  bind(engine: object): unknown;
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
