import type { Clock } from "./interface.ts";
import type { Limiter } from "./throttle.ts";
import { within } from "./within.ts";

/** How long before the end of a window nothing is given back any more, in ms and as a part of it. */
const MARGIN = { ms: 1000, part: 0.1 };

/** How long a limiter may take, and how long an attempt waits for the points of others, in ms. */
const PATIENCE = 5000;

/** How long the answer to an attempt that is over matters at most, in ms. */
const LONGEST_WINDOW = 3_600_000;

/** The key has no point, and may have none before so many milliseconds. */
export interface None {
  readonly retryAfter: number;
}

/** An attempt's request for a point. */
export interface Taking {
  /** A point, or none; nothing if it was left. Rejects with what keeps the limiter from counting. */
  readonly outcome: Promise<Point | None | undefined>;
  /** The point is not wanted any more. */
  leave(): void;
}

/** Takes a point of a key. */
export type Take = (key: string, clock: Clock) => Taking;

/** Points of a limiter, with one lane for each key. */
export function lanesOf(limiter: Limiter): Take {
  const lanes = new Map<string, Lane>();
  return (key, clock) => {
    let lane = lanes.get(key);
    if (!lane) lanes.set(key, lane = new Lane(limiter, key, clock, () => lanes.delete(key)));
    return lane.take();
  };
}

/** Settles the outcome of an attempt that waits for a point. */
interface Waiter {
  /** When it stops waiting for the points of others, by the monotonic clock. */
  readonly until: number;
  resolve(outcome: Point | None | undefined): void;
  reject(error: unknown): void;
}

/** What a limiter has said. */
interface Answer {
  readonly isTaken: boolean;
  /** Whether it has been counted, also if it was refused: those that do so say how many. */
  readonly isCounted: boolean;
  readonly isLast: boolean;
  /** When the window ends, by the monotonic clock, and until when a point can be given back. */
  readonly end: number;
  readonly until: number;
  readonly retryAfter: number;
}

/**
 * The attempts that want a point of one key, one after the other. A point is out until the
 * verifier has answered, and may come back then. An attempt that finds none left waits for those
 * that are out: of twelve right ones at once, a limit of three lets all in, and of twelve wrong
 * ones three.
 */
class Lane {
  readonly #limiter: Limiter;
  readonly #key: string;
  readonly clock: Clock;
  readonly #onIdle: () => void;
  readonly #waiting: Waiter[] = [];
  /** The points that are out, and how many came back so far. */
  readonly #out: Set<Point> = new Set();
  #returned = 0;
  /** Until when the limiter has none, as it has said. */
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
    // Not `Promise.withResolvers()`, which Node 20 does not have.
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

  /** A point is out no more: it `cameBack`, or was spent. */
  close(point: Point, cameBack: boolean): void {
    this.#out.delete(point);
    if (cameBack) this.#returned++;
    if (cameBack || this.#out.size === 0) this.#emptyUntil = -Infinity;
    this.look();
  }

  /** Whether a point may come back has changed. */
  look(): void {
    void this.#goOn();
  }

  /** Gives a point back; in the next window it would be one more than there should be. */
  async reward({ until }: Answer): Promise<void> {
    if (this.clock.monotonic() > until) return;
    await this.#soon(async () => await this.#limiter.reward?.(this.#key, 1));
  }

  /** Asks for the first, one at a time, as long as the limiter may have a point. */
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
        // A limiter that has none for 0 ms is not asked without pause.
        this.#emptyUntil = Math.max(answer.end, this.clock.monotonic() + 1);
      }
    } catch (error) {
      this.#remove(first)?.reject(error);
    }
  }

  /** The attempt that is first by now gets the point; if there is none, the point goes back. */
  #hand(answer: Answer): void {
    if (answer.isLast) this.#emptyUntil = answer.end;
    const point = new Point(this, answer);
    this.#out.add(point);
    const first = this.#waiting.shift();
    if (first) first.resolve(point);
    else point.giveBack().catch(() => {});
  }

  /** Takes a waiter out of the lane, and returns it if it was there. */
  #remove(waiter: Waiter): Waiter | undefined {
    const place = this.#waiting.indexOf(waiter);
    return place < 0 ? undefined : this.#waiting.splice(place, 1)[0];
  }

  async #consume(): Promise<Answer> {
    try {
      const answer = this.#soon(() => this.#limiter.consume(this.#key), (late) => {
        // No attempt has it.
        this.reward(this.#answerOf(late, true)).catch(() => {});
      });
      return this.#answerOf(await answer, true);
    } catch (rejection) {
      // A verdict, or a failure of its own.
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

  /** What a call of the limiter comes to, if that is soon; else `onLate` is told. */
  #soon(call: () => Promise<unknown>, onLate?: (late: unknown) => void): Promise<unknown> {
    return within(this.clock, PATIENCE, "The limiter", call, onLate);
  }
}

/** A point that an attempt has taken. */
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

  /** The attempt was a failed guess. */
  spend(): void {
    if (this.#settle()) this.#lane.close(this, false);
  }

  /** The attempt was no failed guess. Rejects if the limiter does, or takes too long. */
  async giveBack(): Promise<void> {
    if (!this.#settle()) return;
    try {
      await this.#lane.reward(this.#answer);
    } finally {
      this.#lane.close(this, true);
    }
  }

  /** The attempt is over, and the verifier may yet answer: until the window ends, that counts. */
  spendInTime(): void {
    const { clock } = this.#lane;
    const left = Math.min(this.#answer.end - clock.monotonic(), LONGEST_WINDOW);
    this.#cancelEnd = clock.after(Math.max(left, 0), () => this.spend());
  }

  /** Whether the attempt waits for its client, so that no other attempt waits for the point. */
  setAside(isAside: boolean): void {
    this.#isAside = isAside;
    this.#lane.look();
  }

  /** Whether an attempt that finds no point left may wait for this one. */
  mayComeBack(now: number): boolean {
    return !this.#isAside && now <= this.#answer.until;
  }

  /** Returns whether it was out until now. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#cancelEnd?.();
    return this.#isSettled = true;
  }
}

/**
 * Limiters count those they refuse, too. Not those that block: to give back what
 * has led to a block would be to begin it anew, and a block that a node keeps in
 * memory is not counted at all.
 */
function mayGiveBackRefused(limiter: Limiter, { isCounted }: Answer): boolean {
  const { blockDuration = 0, inMemoryBlockOnConsumed = 0 } = limiter as Blocking;
  return isCounted && !(blockDuration > 0) && !(inMemoryBlockOnConsumed > 0);
}

/** Settings of rate-limiter-flexible. */
interface Blocking {
  readonly blockDuration?: number;
  readonly inMemoryBlockOnConsumed?: number;
}
