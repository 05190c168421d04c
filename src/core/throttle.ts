import { isText } from "./checks.ts";
import type { Clock, Peer } from "./interface.ts";
import type { Point, Take, Taking } from "./lanes.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";

/** A rate limiter: one of rate-limiter-flexible as it is, or anything like it. */
export interface Limiter {
  /**
   * Takes a point of a key. Resolves if there was one, with an object that may
   * have `remainingPoints` and `msBeforeNext`, the milliseconds until all points
   * are there again. Rejects with an object that has `msBeforeNext` if there was
   * none, and `consumedPoints` if it has been counted all the same; and with
   * anything else, an `Error` say, if it does not know.
   */
  consume(key: string): Promise<unknown>;
  /**
   * Gives a point back, of an attempt that was no failure: its credentials were
   * right, or nobody has looked at them. Called in the window in which it was
   * taken, or not at all.
   */
  reward?(key: string, points: number): Promise<unknown>;
}

/** How often somebody may try. */
export interface Throttle<S, Credentials> {
  /** Counts. */
  limiter: Limiter;
  /**
   * What is counted: one key or several, each of which has to have a point
   * left; none at all (`null` or `[]`) if this attempt does not count. The credentials
   * have passed the schema, if there is one. A throw, `undefined` or an empty text
   * refuses the attempt with `server_error`, because a field that the client has left out must
   * not open the door; it goes to `onError`.
   *
   * @default the client's address
   */
  key?(socket: S, credentials: Credentials): string | readonly string[] | null | undefined;
}

/** A throttle, with its key in place. */
export interface ResolvedThrottle<S> {
  readonly take: Take;
  keys(peer: Peer<S>, credentials: unknown): unknown;
}

/** The points an attempt has cost so far. */
export class Points<S> {
  readonly #throttles: readonly ResolvedThrottle<S>[];
  readonly #clock: Clock;
  #taken: Point[] = [];
  /** The one that is being waited for. */
  #taking: Taking | undefined;
  #isOver = false;

  constructor(throttles: readonly ResolvedThrottle<S>[], clock: Clock) {
    this.#throttles = throttles;
    this.#clock = clock;
  }

  /**
   * Takes one point of every key. Resolves with a refusal if one has none left;
   * with nothing, before it is done, if the attempt is over.
   *
   * @throws whatever keeps a limiter from counting
   */
  async take(peer: Peer<S>, credentials: unknown): Promise<Unauthorized | undefined> {
    for (const { take, keys } of this.#throttles) {
      for (const key of asKeys(keys(peer, credentials))) {
        if (this.#isOver) return undefined;
        this.#taking = take(key, this.#clock);
        const outcome = await this.#taking.outcome;
        if (!outcome) return undefined;
        if ("retryAfter" in outcome) return exhausted(outcome.retryAfter);
        this.#taken.push(outcome);
        // It has ended before it could know of this one.
        if (this.#isOver) await this.giveBack();
      }
    }
  }

  /** The attempt has failed: that is what is counted. */
  keep(): void {
    for (const point of this.#end()) point.keep();
  }

  /** It has not: whoever is who they say they are does not guess. */
  async giveBack(): Promise<void> {
    await Promise.all(this.#end().map((point) => point.giveBack()));
  }

  #end(): Point[] {
    this.#isOver = true;
    this.#taking?.leave();
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }
}

/** Each once: no attempt waits for itself. */
function asKeys(keys: unknown): readonly string[] {
  const list = keys === null ? [] : Array.isArray(keys) ? keys : [keys];
  if (list.every(isText)) return [...new Set(list)];
  throw new TypeError(
    "Cannot throttle: there is no key to count. By default it is the client's address, which not " +
      "every engine tells; give the option address, or throttle.key, which returns text, or null " +
      "for an attempt that does not count.",
  );
}

function exhausted(retryAfter: number): Unauthorized {
  const refusal = unauthorized("too_many_attempts");
  return Number.isFinite(retryAfter)
    ? { ...refusal, reconnect: true, retryAfter: Math.max(Math.ceil(retryAfter), 0) }
    : refusal;
}
