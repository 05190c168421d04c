import { type Clock, MAX_DELAY } from "./interface.ts";

/**
 * The one timer a connection needs: it waits for the deadline while nobody is
 * authenticated, and for the end of the session while somebody is.
 */
export class Timer {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;
  /** While a deadline runs: when it falls due, on the monotonic clock. */
  #due: number | undefined;
  /** While a deadline is paused: what was left of it. */
  #left: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fn` after `ms` milliseconds; never, if that is `Infinity`. */
  startDeadline(ms: number, fn: () => void): void {
    this.stop();
    if (ms === Infinity) return;
    this.#due = this.#clock.monotonic() + ms;
    this.#wait(() => this.#due! - this.#clock.monotonic(), fn);
  }

  /** Suspends the deadline. Does nothing if none runs. */
  pauseDeadline(): void {
    if (this.#due === undefined) return;
    const left = this.#due - this.#clock.monotonic();
    this.stop();
    this.#left = left;
  }

  /** Lets a paused deadline run on. Does nothing if none is paused. */
  resumeDeadline(fn: () => void): void {
    if (this.#left !== undefined) this.startDeadline(Math.max(this.#left, 0), fn);
  }

  /** Calls `fn` once the wall clock has reached `at`, at any distance. */
  startExpiry(at: number, fn: () => void): void {
    this.stop();
    this.#wait(() => at - this.#clock.now(), fn);
  }

  /** Stops whatever runs or is paused. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = this.#due = this.#left = undefined;
  }

  /** Timers overflow at 24.8 days and may fire early: look again when one fires. */
  #wait(left: () => number, fn: () => void): void {
    const ms = Math.min(Math.max(left(), 0), MAX_DELAY);
    this.#cancel = this.#clock.after(ms, () => {
      if (left() > 0) return this.#wait(left, fn);
      this.stop();
      fn();
    });
  }
}
