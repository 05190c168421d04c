import type { Clock } from "./interface.ts";
import type { Limiter } from "./throttle.ts";

/** How long before the end of a window nothing is given back any more, in ms and as a part of it. */
const MARGIN = { ms: 1000, part: 0.1 };

/** A point that was taken, of an attempt of which nobody knows yet what comes of it. */
export interface Point {
  keep(): void;
  /** Rejects if the limiter does. */
  giveBack(): Promise<void>;
}

/** There is no point, and may be none before so many milliseconds. */
interface None {
  readonly retryAfter: number;
}

/** Those who want a point of one key, one after the other. */
interface Lane {
  /** How many have come, and neither been refused nor ended. */
  users: number;
  /** How many points are out, which may yet be given back. */
  out: number;
  /** The limiter has said that there are no more. */
  isEmpty: boolean;
  /** Settles when the one in front has a point, or none. */
  turn: Promise<unknown>;
  /** Tells the one in front that a point is in again. */
  wake: () => void;
}

/**
 * What a limiter's keys are waited for in. A point may be given back, so whoever
 * finds none left waits for the attempts that are under way to end: of twelve
 * right ones at once, a limit of three lets all in, and of twelve wrong ones three.
 */
export class Lanes {
  readonly #lanes: Map<string, Lane> = new Map();

  /**
   * Takes a point of a key, or none; nothing if it is not wanted any more.
   *
   * @throws whatever keeps the limiter from counting
   */
  async take(
    limiter: Limiter,
    key: string,
    clock: Clock,
    isWanted: () => boolean,
  ): Promise<Point | None | undefined> {
    const lane = this.#enter(key);
    const before = lane.turn;
    const taking = before.then(() => this.#takeNow(lane, limiter, key, clock, isWanted));
    lane.turn = taking.catch(() => {});
    let point: Point | None | undefined;
    try {
      return point = await taking;
    } finally {
      if (!point || "retryAfter" in point) this.#leave(key, lane);
    }
  }

  async #takeNow(
    lane: Lane,
    limiter: Limiter,
    key: string,
    clock: Clock,
    isWanted: () => boolean,
  ): Promise<Point | None | undefined> {
    while (isWanted()) {
      if (lane.isEmpty && lane.out > 0) {
        await nextIn(lane);
        continue;
      }
      const window = await consume(limiter, key, clock);
      if (window.isTaken) {
        lane.out++;
        lane.isEmpty = window.isLast;
        return this.#pointOf(lane, limiter, key, window, clock);
      }
      if (window.isCounted) await reward(limiter, key, window, clock);
      if (lane.out === 0) return { retryAfter: window.retryAfter };
      lane.isEmpty = true;
    }
    return undefined;
  }

  #pointOf(lane: Lane, limiter: Limiter, key: string, window: Window, clock: Clock): Point {
    const end = () => {
      lane.out--;
      this.#leave(key, lane);
      lane.wake();
    };
    return {
      keep: end,
      async giveBack(): Promise<void> {
        try {
          await reward(limiter, key, window, clock);
          lane.isEmpty = false;
        } finally {
          end();
        }
      },
    };
  }

  #enter(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = { users: 0, out: 0, isEmpty: false, turn: Promise.resolve(), wake: () => {} };
      this.#lanes.set(key, lane);
    }
    lane.users++;
    return lane;
  }

  #leave(key: string, lane: Lane): void {
    if (--lane.users === 0) this.#lanes.delete(key);
  }
}

function nextIn(lane: Lane): Promise<void> {
  return new Promise((resolve) => lane.wake = resolve);
}

/** What a limiter has said. */
interface Window {
  readonly isTaken: boolean;
  /** Whether it has been counted, also if it was refused: those that do so say how many. */
  readonly isCounted: boolean;
  readonly isLast: boolean;
  /** Until when a point can be given back, by the monotonic clock. */
  readonly until: number;
  readonly retryAfter: number;
}

async function consume(limiter: Limiter, key: string, clock: Clock): Promise<Window> {
  try {
    return windowOf(await limiter.consume(key), true, clock);
  } catch (rejection) {
    // A verdict, or a failure of its own.
    if (typeof Object(rejection).msBeforeNext !== "number") throw rejection;
    return windowOf(rejection, false, clock);
  }
}

function windowOf(answer: unknown, isTaken: boolean, clock: Clock): Window {
  const { remainingPoints, consumedPoints, msBeforeNext } = Object(answer);
  // Some windows never end, and some limiters do not tell.
  const length = typeof msBeforeNext === "number" && msBeforeNext >= 0 ? msBeforeNext : Infinity;
  const margin = Math.min(MARGIN.ms, length * MARGIN.part);
  const until = clock.monotonic() + length - margin;
  const isCounted = typeof consumedPoints === "number";
  return { isTaken, isCounted, isLast: remainingPoints === 0, until, retryAfter: length };
}

/** In the next window it would be one more than there should be. */
async function reward(
  limiter: Limiter,
  key: string,
  { until }: Window,
  clock: Clock,
): Promise<void> {
  if (clock.monotonic() <= until) await limiter.reward?.(key, 1);
}
