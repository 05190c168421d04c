import type { Clock } from "./interface.ts";

/** Interval of the checks whether the process runs, in ms. */
const TICK = 1000;

/** How late a check may come before the process counts as paused, in ms. */
const PAUSE = 5000;

/**
 * Since when this node has heard of every revocation, as far as it can know. A node misses
 * revocations while it is not running, paused, or cut off from the others.
 */
export class Awareness {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** In milliseconds of the monotonic clock. */
  get since(): number {
    return this.#since;
  }

  lose(): void {
    this.#since = this.#clock.monotonic();
  }

  /** Detects from now on when the process has been paused. */
  watch(): void {
    lookAgain(this.#clock, new WeakRef(this));
  }
}

/** Not a method: the timer must not keep an unused server in memory. */
function lookAgain(clock: Clock, ref: WeakRef<Awareness>): void {
  const looked = clock.monotonic();
  const seen = clock.now();
  clock.after(TICK, () => {
    // The monotonic clock stands still while a machine is suspended.
    const passed = Math.max(clock.monotonic() - looked, clock.now() - seen);
    if (passed > TICK + PAUSE) ref.deref()?.lose();
    if (ref.deref()) lookAgain(clock, ref);
  });
}
