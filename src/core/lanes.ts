import type { Clock } from "./interface.ts";
import type { Limiter } from "./throttle.ts";
import { within } from "./within.ts";

/** How long before the end of a window nothing is given back any more, in ms and as a part of it. */
const MARGIN = { ms: 1000, part: 0.1 };

/** How long a limiter may take, in ms: those behind do not wait for it longer than that. */
const PATIENCE = 5000;

/** A point that was taken, of an attempt of which nobody knows yet what comes of it. */
export interface Point {
  keep(): void;
  /** Rejects if the limiter does, or takes too long. */
  giveBack(): Promise<void>;
}

/** There is no point, and may be none before so many milliseconds. */
export interface None {
  readonly retryAfter: number;
}

/** One who wants a point. */
export interface Taking {
  /** A point, or none; nothing if it was left. Rejects with what keeps the limiter from counting. */
  readonly outcome: Promise<Point | None | undefined>;
  /** It is not wanted any more. */
  leave(): void;
}

/** Settles the outcome of one who wants a point. */
interface Waiter {
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

/**
 * Those who want a point of one key, one after the other. A point may be given
 * back, so whoever finds none left waits for the attempts that are under way to
 * end: of twelve right ones at once, a limit of three lets all in, and of twelve
 * wrong ones three.
 */
class Lane {
  readonly #limiter: Limiter;
  readonly #key: string;
  readonly #clock: Clock;
  readonly #onIdle: () => void;
  readonly #waiting: Waiter[] = [];
  /** How many points are out, which may yet be given back; and how many were, so far. */
  #out = 0;
  #returned = 0;
  /** Until when the limiter has none, as it has said. */
  #emptyUntil = -Infinity;
  #isAsking = false;
  #cancelWait: (() => void) | undefined;

  constructor(limiter: Limiter, key: string, clock: Clock, onIdle: () => void) {
    this.#limiter = limiter;
    this.#key = key;
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  take(): Taking {
    let waiter!: Waiter;
    // Not `Promise.withResolvers()`, which Node 20 does not have.
    const outcome = new Promise<Point | None | undefined>((resolve, reject) => {
      waiter = { resolve, reject };
    });
    this.#waiting.push(waiter);
    void this.#goOn();
    return {
      outcome,
      leave: () => {
        const place = this.#waiting.indexOf(waiter);
        if (place >= 0) this.#waiting.splice(place, 1);
        waiter.resolve(undefined);
        void this.#goOn();
      },
    };
  }

  /** Asks for those in front, one at a time, until there is nothing to be had. */
  async #goOn(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    while (this.#waiting.length > 0 && !this.#mustWait) await this.#askForFirst();
    this.#isAsking = false;
    if (this.#waiting.length > 0) this.#waitForWindow();
    else if (this.#out === 0) this.#onIdle();
  }

  /** Some of those that are out may come in again before there are new ones. */
  get #mustWait(): boolean {
    return this.#out > 0 && this.#clock.monotonic() < this.#emptyUntil;
  }

  #waitForWindow(): void {
    const left = this.#emptyUntil - this.#clock.monotonic();
    if (left === Infinity) return;
    this.#cancelWait = this.#clock.after(Math.min(left, PATIENCE), () => void this.#goOn());
  }

  async #askForFirst(): Promise<void> {
    const [first] = this.#waiting;
    const returned = this.#returned;
    try {
      const answer = await this.#consume();
      if (answer.isTaken) return this.#hand(answer);
      if (mayGiveBackRefused(this.#limiter, answer)) await this.#reward(answer);
      const isHopeless = this.#out === 0 && this.#returned === returned;
      if (isHopeless) this.#settleFirst(first, ({ resolve }) => resolve(answer));
      else if (this.#out > 0) this.#emptyUntil = answer.end;
    } catch (error) {
      this.#settleFirst(first, ({ reject }) => reject(error));
    }
  }

  /** Whoever is first by now gets it; if there is nobody, it goes back. */
  #hand(answer: Answer): void {
    this.#out++;
    if (answer.isLast) this.#emptyUntil = answer.end;
    const point = this.#pointOf(answer);
    const first = this.#waiting.shift();
    if (first) first.resolve(point);
    else point.giveBack().catch(() => {});
  }

  #settleFirst(first: Waiter | undefined, settle: (first: Waiter) => void): void {
    if (!first || this.#waiting[0] !== first) return;
    this.#waiting.shift();
    settle(first);
  }

  #pointOf(answer: Answer): Point {
    const end = () => {
      if (--this.#out === 0) this.#emptyUntil = -Infinity;
      void this.#goOn();
    };
    return {
      keep: end,
      giveBack: async () => {
        try {
          await this.#reward(answer);
          this.#returned++;
          this.#emptyUntil = -Infinity;
        } finally {
          end();
        }
      },
    };
  }

  async #consume(): Promise<Answer> {
    try {
      const answer = this.#soon(() => this.#limiter.consume(this.#key), (late) => {
        // Nobody has it.
        this.#reward(this.#answerOf(late, true)).catch(() => {});
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
    const end = this.#clock.monotonic() + length;
    return {
      ...{ isTaken, end, retryAfter: length },
      isCounted: consumedPoints > 0,
      isLast: remainingPoints === 0,
      until: end - Math.min(MARGIN.ms, length * MARGIN.part),
    };
  }

  /** Gives a point back; in the next window it would be one more than there should be. */
  async #reward({ until }: Answer): Promise<void> {
    if (this.#clock.monotonic() > until) return;
    await this.#soon(async () => await this.#limiter.reward?.(this.#key, 1));
  }

  /** What a call of the limiter comes to, if that is soon; else `onLate` is told. */
  #soon(call: () => Promise<unknown>, onLate?: (late: unknown) => void): Promise<unknown> {
    return within(this.#clock, PATIENCE, "The limiter", call, onLate);
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
