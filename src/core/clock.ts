import type { Clock } from "./interface.ts";

/** The clock and timers that every runtime has, for bindings to hand to the core. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    detach(timer);
    return () => clearTimeout(timer);
  },
};

/** Has a timer not keep the process alive; in Deno it is a number. */
function detach(timer: unknown): void {
  if (typeof timer === "object") return (timer as { unref(): void }).unref();
  const { Deno } = globalThis as { Deno?: { unrefTimer(id: unknown): void } };
  Deno?.unrefTimer(timer);
}
