import { type Clock, MAX_DELAY } from "./interface.ts";

/** How long to trust a timer for the wall clock, in ms: machines sleep, clocks are set. */
const WALL_CLOCK_CHECK = 60_000;

/**
 * The one timer a connection needs: it waits for the deadline while nobody is
 * authenticated, and for the end of the session while somebody is.
 */
export class Timer {
  readonly #clock: Clock;
  readonly #time: () => number;
  readonly #fn: () => void;
  readonly #longest: number;
  #due: number;
  #cancel: (() => void) | undefined;

  /** Calls `fn` once `time` has reached `due`; looks at least every `longest` ms. */
  constructor(
    clock: Clock,
    time: () => number,
    due: number,
    fn: () => void,
    longest: number = MAX_DELAY,
  ) {
    this.#clock = clock;
    this.#time = time;
    this.#due = due;
    this.#fn = fn;
    this.#longest = longest;
    this.#wait();
  }

  /** Suspends it. Does nothing if it is suspended. */
  pause(): void {
    if (!this.#cancel) return;
    this.stop();
    this.#due -= this.#time();
  }

  /** Lets it run on with what was left. Does nothing if it runs. */
  resume(): void {
    if (this.#cancel) return;
    this.#due += this.#time();
    this.#wait();
  }

  /** Stops it. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Timers overflow at 24.8 days and may fire early: look again when one fires. */
  #wait(): void {
    const left = this.#due - this.#time();
    this.#cancel = this.#clock.after(Math.min(Math.max(left, 0), this.#longest), () => {
      if (this.#due > this.#time()) return this.#wait();
      this.#cancel = undefined;
      this.#fn();
    });
  }
}

/** Calls `fn` after `ms` milliseconds; never, if that is `Infinity`. */
export function startDeadline(clock: Clock, ms: number, fn: () => void): Timer | undefined {
  if (ms === Infinity) return undefined;
  return new Timer(clock, clock.monotonic, clock.monotonic() + ms, fn);
}

/** Calls `fn` once the wall clock has reached `at`, at any distance. */
export function startExpiry(clock: Clock, at: number, fn: () => void): Timer {
  return new Timer(clock, clock.now, at, fn, WALL_CLOCK_CHECK);
}
