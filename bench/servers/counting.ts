import type { EventEmitter } from "node:events";

/** An engine under socket.io, of whichever version and runtime. */
export interface Engine {
  on(event: "connection", listener: (socket: EventEmitter) => void): unknown;
}

/** How many clients an engine has, and when it has none. */
export interface Crowd {
  readonly size: number;
  /** Resolves once the last one is gone, at once if there is none. */
  whenGone(): Promise<void>;
}

/** Counts the transports of an engine. It costs the same whatever runs on top. */
export function countClients(engine: Engine): Crowd {
  let size = 0;
  let waiting: (() => void)[] = [];
  engine.on("connection", (socket) => {
    size++;
    socket.on("close", () => {
      if (--size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    });
  });
  return {
    get size() {
      return size;
    },
    whenGone: () =>
      size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  };
}
