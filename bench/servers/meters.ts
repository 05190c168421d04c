import type { EventEmitter } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";

/** An engine under socket.io, of whichever version and runtime. */
interface Engine {
  on(event: "connection", listener: (socket: EventEmitter) => void): unknown;
}

/** How late the event loop is, in milliseconds. */
export interface Delay {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** What can be read off a server process, whatever runs in it. */
export interface Meters {
  /** Microseconds of processor time that the process has taken. */
  cpu(): number;
  /** Bytes of heap in use after a garbage collection. */
  heap(): Promise<number>;
  /** How many transports there are. */
  size(): number;
  /** Resolves once there is none. */
  gone(): Promise<void>;
  /** How late the event loop was since this was called last. */
  delay(): Delay;
}

export function createMeters(engine: Engine): Meters {
  let size = 0;
  const waiting: (() => void)[] = [];
  let delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  engine.on("connection", (socket) => {
    size++;
    socket.on("close", () => {
      if (--size > 0) return;
      for (const resolve of waiting.splice(0)) resolve();
    });
  });
  return {
    cpu() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    async heap() {
      // Some objects only go with the second collection, after their finalizers.
      for (let i = 0; i < 4; i++) {
        collectGarbage();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return process.memoryUsage().heapUsed;
    },
    size: () => size,
    gone: () => size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
    delay() {
      delays ??= monitorEventLoopDelay({ resolution: 5 });
      delays.enable();
      const ms = (ns: number) => Math.max(0, ns / 1e6 - 5);
      const { max } = delays;
      const delay = {
        median: ms(delays.percentile(50)),
        p99: ms(delays.percentile(99)),
        max: ms(max),
      };
      delays.reset();
      return delay;
    },
  };
}

function collectGarbage(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(now: true): void }; gc?: () => void };
  if (Bun) Bun.gc(true);
  else gc?.();
}
