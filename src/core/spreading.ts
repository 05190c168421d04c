import type { Clock } from "./interface.ts";

/** How many seconds the pace of the verifier is remembered. */
const MEMORY = 10;

/** How soon anybody may come back, in ms, and how late at most. */
const SOONEST = 500;
const LATEST = 30_000;

/** How many may come back in a second while nothing is known of the verifier's pace. */
const UNKNOWN = 50;

/** How many at least, however slow it was. */
const SLOWEST = 1;

/** Which part of the verifier's pace they may take up; the rest is for all others. */
const SHARE = 0.5;

/**
 * When those may come back whom the server was too busy for: one after the other,
 * at half the pace at which it was able to verify lately. If they came back at
 * once, it would be too busy again, for good.
 */
export class Spreading {
  readonly #clock: Clock;
  /** How many were verified in each of the last seconds. */
  readonly #counts: number[] = Array(MEMORY).fill(0);
  #second = 0;
  /** When the next one may come. */
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody's credentials were verified, whatever came of it. */
  served(): void {
    this.#forgetOld();
    this.#counts[this.#second % MEMORY]!++;
  }

  /** How long the next one is to wait, in milliseconds. */
  next(): number {
    this.#forgetOld();
    const now = this.#clock.monotonic();
    const at = Math.max(this.#next, now + SOONEST);
    // Once there are that many, nobody knows any more.
    if (at - now > LATEST) return Math.round(LATEST * (1 + Math.random()) / 2);
    this.#next = at + 1000 / this.#pace;
    return Math.round(at - now);
  }

  /** How many may come back in a second. */
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
