import { type Clock, MAX_DELAY } from "./interface.ts";

/** How long to trust a timer for the wall clock, in ms: machines sleep, and clocks are set. */
const WALL_CLOCK_CHECK = 60_000;

/** A timer for a point of time on a clock, at any distance. */
export class Timer {
  readonly #clock: Clock;
  readonly #time: () => number;
  readonly #fn: () => void;
  readonly #longest: number;
  #due: number;
  #cancel: (() => void) | undefined;
  #left: number | undefined;

  /** Calls `fn` once `time` has reached `due`, and checks at least every `longest` ms. */
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

  pause(): void {
    if (!this.#cancel) return;
    this.stop();
    this.#left = this.#due - this.#time();
  }

  resume(): void {
    if (this.#left === undefined) return;
    this.#due = this.#time() + this.#left;
    this.#left = undefined;
    this.#wait();
  }

  /** Fires now if the time has come: timers of a busy process are late. */
  catchUp(): void {
    if (!this.#cancel || this.#due > this.#time()) return;
    this.stop();
    this.#fn();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = this.#left = undefined;
  }

  /** Timers overflow at 24.8 days and may fire early: check again when one fires. */
  #wait(): void {
    const left = this.#due - this.#time();
    this.#cancel = this.#clock.after(Math.min(Math.max(left, 0), this.#longest), () => {
      if (this.#due > this.#time()) return this.#wait();
      this.#cancel = undefined;
      this.#fn();
    });
  }
}

export function startTimer(clock: Clock, ms: number, fn: () => void): Timer {
  return new Timer(clock, clock.monotonic, clock.monotonic() + ms, fn);
}

/**
 * Calls `fn` once the wall clock has reached `at`, at any distance, or the monotonic clock `until`:
 * whichever comes first.
 */
export function startExpiry(clock: Clock, at: number, until: number, fn: () => void): Timer {
  const time = () => Math.max(clock.now() - at, clock.monotonic() - until);
  return new Timer(clock, time, 0, fn, WALL_CLOCK_CHECK);
}
