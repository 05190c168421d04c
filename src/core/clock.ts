import type { Clock } from "./interface.ts";

/** The clock and timers that every runtime has, for bindings to hand to the core. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
