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
  /** How many verifications there were in each of the last seconds. */
  readonly #counts: { second: number; count: number }[] = [];
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a verification that has ended. */
  served(): void {
    const second = Math.floor(this.#clock.monotonic() / 1000);
    const slot = this.#counts[second % MEMORY];
    if (slot?.second === second) slot.count++;
    else this.#counts[second % MEMORY] = { second, count: 1 };
  }

  /** Returns how long the next client is to wait, in milliseconds. */
  next(): number {
    const now = this.#clock.monotonic();
    const at = Math.max(this.#next, now + SOONEST);
    // With so many clients, the forecast is worth nothing: spread them at random.
    if (at - now > LATEST) return Math.round(LATEST * (1 + Math.random()) / 2);
    this.#next = at + 1000 / this.#paceAt(now);
    return Math.round(at - now);
  }

  /** Returns how many clients may come back in a second. */
  #paceAt(now: number): number {
    const recent = this.#counts.filter(({ second }) => second > Math.floor(now / 1000) - MEMORY);
    const most = Math.max(0, ...recent.map(({ count }) => count));
    return most > 0 ? Math.max(most * SHARE, SLOWEST) : UNKNOWN;
  }
}
