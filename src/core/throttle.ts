import type { Peer } from "./interface.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";

/** A rate limiter: one of rate-limiter-flexible as it is, or anything like it. */
export interface Limiter {
  /**
   * Takes a point of a key. Resolves if there was one. Rejects with an object
   * that has `msBeforeNext`, the milliseconds until there is one again, if
   * there was none, and with anything else, an `Error` say, if it does not know.
   */
  consume(key: string): Promise<unknown>;
  /** Gives a point back. Called after each success, where it is there. */
  reward?(key: string, points: number): Promise<unknown>;
}

/** How often somebody may try. */
export interface Throttle<S, Credentials> {
  /** Counts. */
  limiter: Limiter;
  /**
   * What is counted: one key or several, each of which has to have a point
   * left; none at all (`[]`) if this attempt does not count. The credentials
   * have passed the schema, if there is one. A throw, or no key where one was
   * wanted (`undefined`), refuses the attempt with `server_error`, because a
   * limit that does not work must not open the door; it goes to `onError`.
   *
   * @default the client's address
   */
  key?(socket: S, credentials: Credentials): string | readonly string[] | undefined;
}

/** A throttle, with its key in place. */
export interface ResolvedThrottle<S> {
  readonly limiter: Limiter;
  keys(peer: Peer<S>, credentials: unknown): unknown;
}

/** Points that were taken. */
interface Taken {
  readonly limiter: Limiter;
  readonly key: string;
}

/** The points an attempt has cost so far. */
export class Points<S> {
  readonly #throttles: readonly ResolvedThrottle<S>[];
  readonly #taken: Taken[] = [];

  constructor(throttles: readonly ResolvedThrottle<S>[]) {
    this.#throttles = throttles;
  }

  /**
   * Takes one point of every key. Resolves with a refusal if one has none left.
   *
   * @throws whatever keeps a limiter from counting
   */
  async take(peer: Peer<S>, credentials: unknown): Promise<Unauthorized | undefined> {
    for (const throttle of this.#throttles) {
      const { limiter } = throttle;
      for (const key of asKeys(throttle.keys(peer, credentials))) {
        try {
          await limiter.consume(key);
        } catch (error) {
          return exhausted(error);
        }
        this.#taken.push({ limiter, key });
      }
    }
  }

  /** Gives them back: whoever is who they say they are does not guess. */
  async giveBack(): Promise<void> {
    for (const { limiter, key } of this.#taken.splice(0)) await limiter.reward?.(key, 1);
  }
}

function asKeys(keys: unknown): readonly string[] {
  const list = Array.isArray(keys) ? keys : [keys];
  if (list.every((key) => typeof key === "string" && key !== "")) return list;
  throw new TypeError(
    "Cannot throttle: there is no key to count. By default it is the client's address, which not " +
      "every engine tells; give the option address, or throttle.key, which returns text.",
  );
}

/** What a limiter rejects with is a verdict, or a failure of its own. */
function exhausted(rejection: unknown): Unauthorized {
  const { msBeforeNext } = Object(rejection);
  if (typeof msBeforeNext !== "number") throw rejection;
  const refusal = unauthorized("too_many_attempts");
  return Number.isFinite(msBeforeNext)
    ? { ...refusal, reconnect: true, retryAfter: Math.max(Math.ceil(msBeforeNext), 0) }
    : refusal;
}
