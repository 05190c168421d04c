import { type Clock, MAX_DELAY } from "./interface.ts";

/** How long to trust a timer for the wall clock, in ms: machines sleep, clocks are set. */
const WALL_CLOCK_CHECK = 60_000;

/** Waits for a point of time on a clock, however far away. */
export class Timer {
  readonly #clock: Clock;
  readonly #time: () => number;
  readonly #fn: () => void;
  readonly #longest: number;
  #due: number;
  #cancel: (() => void) | undefined;
  /** What was left when it was paused. */
  #left: number | undefined;

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
    this.#left = this.#due - this.#time();
  }

  /** Lets it run on with what was left. Does nothing if it is not paused. */
  resume(): void {
    if (this.#left === undefined) return;
    this.#due = this.#time() + this.#left;
    this.#left = undefined;
    this.#wait();
  }

  /** Fires now if its time has come, although it has had no turn yet: a busy process is late. */
  catchUp(): void {
    if (!this.#cancel || this.#due > this.#time()) return;
    this.stop();
    this.#fn();
  }

  /** Stops it for good. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = this.#left = undefined;
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

/** Calls `fn` after `ms` milliseconds. */
export function startTimer(clock: Clock, ms: number, fn: () => void): Timer {
  return new Timer(clock, clock.monotonic, clock.monotonic() + ms, fn);
}

/**
 * Calls `fn` once the wall clock has reached `at`, at any distance, or the monotonic one `until`:
 * whichever comes first.
 */
export function startExpiry(clock: Clock, at: number, until: number, fn: () => void): Timer {
  const time = () => Math.max(clock.now() - at, clock.monotonic() - until);
  return new Timer(clock, time, 0, fn, WALL_CLOCK_CHECK);
}
