import type { Clock } from "./interface.ts";
import type { Limiter } from "./throttle.ts";
import { within } from "./within.ts";

/** How long before the end of a window no point is given back, in ms and as a part of it. */
const MARGIN = { ms: 1000, part: 0.1 };

/** Time limit for a limiter, and for an attempt that waits for the points of others, in ms. */
const PATIENCE = 5000;

/** How long the answer to an attempt that is over may matter, in ms. */
const LONGEST_WINDOW = 3_600_000;

/** The answer for a key without points: milliseconds until there may be one. */
export interface None {
  readonly retryAfter: number;
}

export interface Taking {
  /** A point, or none; `undefined` after `leave`. Rejects if the limiter fails. */
  readonly outcome: Promise<Point | None | undefined>;
  leave(): void;
}

export type Take = (key: string, clock: Clock) => Taking;

/** Returns a function that requests points of a limiter, with one lane for each key. */
export function lanesOf(limiter: Limiter): Take {
  const lanes = new Map<string, Lane>();
  return (key, clock) => {
    let lane = lanes.get(key);
    if (!lane) lanes.set(key, lane = new Lane(limiter, key, clock, () => lanes.delete(key)));
    return lane.take();
  };
}

/** The request of an attempt that waits for a point. */
interface Waiter {
  /** When it stops waiting for the points of others, by the monotonic clock. */
  readonly until: number;
  resolve(outcome: Point | None | undefined): void;
  reject(error: unknown): void;
}

interface Answer {
  readonly isTaken: boolean;
  /** Whether the request was counted, even if refused: limiters that do so return how many. */
  readonly isCounted: boolean;
  readonly isLast: boolean;
  /** When the window ends, and until when a point can be given back, by the monotonic clock. */
  readonly end: number;
  readonly until: number;
  readonly retryAfter: number;
}

/**
 * The queue of attempts that want a point of one key. A point is out until the verifier has
 * answered, and may come back then. An attempt that finds no point left waits for those that are
 * out. If twelve attempts with the right password come at once, a limit of three lets all in; of
 * twelve with a wrong one, three are verified.
 */
class Lane {
  readonly #limiter: Limiter;
  readonly #key: string;
  readonly clock: Clock;
  readonly #onIdle: () => void;
  readonly #waiting: Waiter[] = [];
  /** The points that are out, and how many have come back so far. */
  readonly #out: Set<Point> = new Set();
  #returned = 0;
  /** Until when the limiter has no points, by its own answer. */
  #emptyUntil = -Infinity;
  #isAsking = false;
  #cancelWait: (() => void) | undefined;

  constructor(limiter: Limiter, key: string, clock: Clock, onIdle: () => void) {
    this.#limiter = limiter;
    this.#key = key;
    this.clock = clock;
    this.#onIdle = onIdle;
  }

  take(): Taking {
    let waiter!: Waiter;
    const until = this.clock.monotonic() + PATIENCE;
    // Node 20 does not have `Promise.withResolvers()`.
    const outcome = new Promise<Point | None | undefined>((resolve, reject) => {
      waiter = { until, resolve, reject };
    });
    this.#waiting.push(waiter);
    this.look();
    return {
      outcome,
      leave: () => {
        this.#remove(waiter);
        waiter.resolve(undefined);
        this.look();
      },
    };
  }

  /** Settles a point: it `cameBack`, or was spent. */
  close(point: Point, cameBack: boolean): void {
    this.#out.delete(point);
    if (cameBack) this.#returned++;
    if (cameBack || this.#out.size === 0) this.#emptyUntil = -Infinity;
    this.look();
  }

  /** Continues, because a point may have come back. */
  look(): void {
    void this.#goOn();
  }

  /** Gives a point back, within its window only: in the next one it would be one too many. */
  async reward({ until }: Answer): Promise<void> {
    if (this.clock.monotonic() > until) return;
    await this.#soon(async () => await this.#limiter.reward?.(this.#key, 1));
  }

  /** Asks for the first in the queue, one at a time, as long as the limiter may have a point. */
  async #goOn(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    for (let first; (first = this.#waiting[0]);) {
      const now = this.clock.monotonic();
      if (!this.#mayComeBack || now >= this.#emptyUntil) {
        await this.#askFor(first);
        continue;
      }
      const left = Math.min(this.#emptyUntil, first.until) - now;
      if (left > 0) {
        this.#cancelWait = this.clock.after(left, () => this.look());
        break;
      }
      this.#remove(first)?.resolve({ retryAfter: this.#emptyUntil - now });
    }
    this.#isAsking = false;
    if (this.#waiting.length === 0 && this.#out.size === 0) this.#onIdle();
  }

  /** Whether a point is out that may come back in this window, and does not wait for a client. */
  get #mayComeBack(): boolean {
    const now = this.clock.monotonic();
    for (const point of this.#out) if (point.mayComeBack(now)) return true;
    return false;
  }

  async #askFor(first: Waiter): Promise<void> {
    const returned = this.#returned;
    try {
      const answer = await this.#consume();
      if (answer.isTaken) return this.#hand(answer);
      if (mayGiveBackRefused(this.#limiter, answer)) await this.reward(answer);
      const isHopeless = !this.#mayComeBack && this.#returned === returned;
      if (isHopeless) this.#remove(first)?.resolve(answer);
      else if (this.#mayComeBack) {
        // Do not ask a limiter without pause that has no point for 0 ms.
        this.#emptyUntil = Math.max(answer.end, this.clock.monotonic() + 1);
      }
    } catch (error) {
      this.#remove(first)?.reject(error);
    }
  }

  /** Gives the point to the first in the queue; if the queue is empty, the point goes back. */
  #hand(answer: Answer): void {
    if (answer.isLast) this.#emptyUntil = answer.end;
    const point = new Point(this, answer);
    this.#out.add(point);
    const first = this.#waiting.shift();
    if (first) first.resolve(point);
    else point.giveBack().catch(() => {});
  }

  #remove(waiter: Waiter): Waiter | undefined {
    const place = this.#waiting.indexOf(waiter);
    return place < 0 ? undefined : this.#waiting.splice(place, 1)[0];
  }

  async #consume(): Promise<Answer> {
    try {
      const answer = this.#soon(() => this.#limiter.consume(this.#key), (late) => {
        // The attempt has timed out.
        this.reward(this.#answerOf(late, true)).catch(() => {});
      });
      return this.#answerOf(await answer, true);
    } catch (rejection) {
      if (typeof Object(rejection).msBeforeNext !== "number") throw rejection;
      return this.#answerOf(rejection, false);
    }
  }

  #answerOf(answer: unknown, isTaken: boolean): Answer {
    const { remainingPoints, consumedPoints, msBeforeNext } = Object(answer);
    // Some windows never end, and some limiters do not tell.
    const length = typeof msBeforeNext === "number" && msBeforeNext >= 0 ? msBeforeNext : Infinity;
    const end = this.clock.monotonic() + length;
    return {
      ...{ isTaken, end, retryAfter: length },
      isCounted: consumedPoints > 0,
      isLast: remainingPoints === 0,
      until: end - Math.min(MARGIN.ms, length * MARGIN.part),
    };
  }

  /** Waits for a call of the limiter within the time limit. A later result goes to `onLate`. */
  #soon(call: () => Promise<unknown>, onLate?: (late: unknown) => void): Promise<unknown> {
    return within(this.clock, PATIENCE, "The limiter", call, onLate);
  }
}

export class Point {
  readonly #lane: Lane;
  readonly #answer: Answer;
  #isSettled = false;
  #isAside = false;
  #cancelEnd: (() => void) | undefined;

  constructor(lane: Lane, answer: Answer) {
    this.#lane = lane;
    this.#answer = answer;
  }

  spend(): void {
    if (this.#settle()) this.#lane.close(this, false);
  }

  /** Gives the point back: the attempt was no failed guess. Rejects if the limiter does. */
  async giveBack(): Promise<void> {
    if (!this.#settle()) return;
    try {
      await this.#lane.reward(this.#answer);
    } finally {
      this.#lane.close(this, true);
    }
  }

  /** Spends the point at the end of its window, unless the verifier answers before. */
  spendInTime(): void {
    const { clock } = this.#lane;
    const left = Math.min(this.#answer.end - clock.monotonic(), LONGEST_WINDOW);
    this.#cancelEnd = clock.after(Math.max(left, 0), () => this.spend());
  }

  /** Excludes the point from what others wait for, while the attempt waits for its client. */
  setAside(isAside: boolean): void {
    this.#isAside = isAside;
    this.#lane.look();
  }

  /** Returns whether an attempt that finds no point left may wait for this one. */
  mayComeBack(now: number): boolean {
    return !this.#isAside && now <= this.#answer.until;
  }

  /** Settles the point. Returns whether it was still out. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#cancelEnd?.();
    return this.#isSettled = true;
  }
}

/**
 * Returns whether a refused request can be taken back: limiters count these, too. Not with limiters
 * that block: giving points back would start the block again, and a block that a node keeps in
 * memory is not counted at all.
 */
function mayGiveBackRefused(limiter: Limiter, { isCounted }: Answer): boolean {
  const { blockDuration = 0, inMemoryBlockOnConsumed = 0 } = limiter as Blocking;
  return isCounted && !(blockDuration > 0) && !(inMemoryBlockOnConsumed > 0);
}

interface Blocking {
  readonly blockDuration?: number;
  readonly inMemoryBlockOnConsumed?: number;
}
