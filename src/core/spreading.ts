import type { Clock } from "./interface.ts";

/** How many seconds the pace of the verifier is remembered. */
const MEMORY = 10;

/** The earliest and latest time to come back, in ms. */
const SOONEST = 500;
const LATEST = 30_000;

/** Clients that may come back in a second while the pace of the verifier is unknown. */
const UNKNOWN = 50;

/** The minimum, in clients a second. */
const SLOWEST = 1;

/** The part of the verifier's pace for clients that come back. */
const SHARE = 0.5;

/**
 * Assigns times to come back to clients that the server was too busy for: one after the other, at
 * half the pace of recent verifications. If all came back at once, the server would stay too busy.
 */
export class Spreading {
  readonly #clock: Clock;
  readonly #counts: number[] = Array(MEMORY).fill(0);
  #second = 0;
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  served(): void {
    this.#forgetOld();
    this.#counts[this.#second % MEMORY]!++;
  }

  /** Returns how long the next client is to wait, in milliseconds. */
  next(): number {
    this.#forgetOld();
    const now = this.#clock.monotonic();
    const at = Math.max(this.#next, now + SOONEST);
    // With so many clients, the forecast is worth nothing: spread them at random.
    if (at - now > LATEST) return Math.round(LATEST * (1 + Math.random()) / 2);
    this.#next = at + 1000 / this.#pace;
    return Math.round(at - now);
  }

  get #pace(): number {
    const most = Math.max(...this.#counts);
    return most > 0 ? Math.max(most * SHARE, SLOWEST) : UNKNOWN;
  }

  #forgetOld(): void {
    const second = Math.floor(this.#clock.monotonic() / 1000);
    const passed = Math.min(second - this.#second, MEMORY);
    for (let i = 1; i <= passed; i++) this.#counts[(this.#second + i) % MEMORY] = 0;
    this.#second = second;
  }
}
