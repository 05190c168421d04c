import type { Clock } from "./interface.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    detach(timer);
    return () => clearTimeout(timer);
  },
};

/** Lets the process end while the timer runs. In Deno a timer is a number. */
function detach(timer: unknown): void {
  if (typeof timer === "object") return (timer as { unref(): void }).unref();
  const { Deno } = globalThis as { Deno?: { unrefTimer(id: unknown): void } };
  Deno?.unrefTimer(timer);
}
