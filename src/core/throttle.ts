import { isText } from "./checks.ts";
import type { Clock, Peer } from "./interface.ts";
import type { Point, Take, Taking } from "./lanes.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";

/** A rate limiter of rate-limiter-flexible, or a compatible one. */
export interface Limiter {
  /**
   * Takes a point of a key. Resolves if there was one, with an object that may have
   * `remainingPoints` and `msBeforeNext`, the milliseconds until all points are available again.
   * Rejects with an object that has `msBeforeNext` if there was no point; `consumedPoints` in it
   * says that the request was counted. Rejects with anything else, such as an `Error`, if the
   * limiter fails.
   */
  consume(key: string): Promise<unknown>;
  /**
   * Gives a point back, of an attempt that was no failed guess: the verifier has answered with a
   * user, or was not asked. Called only in the window in which the point was taken.
   */
  reward?(key: string, points: number): Promise<unknown>;
}

/**
 * A limit on how often clients may try.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam Credentials the credentials, as the schema returns them
 */
export interface Throttle<S, Credentials> {
  /** Counts the attempts. */
  limiter: Limiter;
  /**
   * Returns the key to count under, or several keys, each of which must have a point left; `null`
   * or `[]` if the attempt does not count. The credentials have passed the schema, if there is one.
   * A throw, `undefined` or an empty text goes to `onError`, and refuses the attempt with
   * `server_error`: a field that the client has left out must not switch the limit off.
   *
   * A refresh counts under `refresh:` and the user's id instead of the keys of the sign-in, so that
   * others cannot use up its points. Keys that begin with `refresh:` are prefixed by a colon.
   *
   * @default the client's address
   */
  key?(socket: S, credentials: Credentials): string | readonly string[] | null | undefined;
}

export interface ResolvedThrottle<S> {
  readonly take: Take;
  keys(peer: Peer<S>, credentials: unknown): unknown;
}

/** The keys of a sign-in, a list for each throttle, and the id of the user. */
export interface SessionKeys {
  readonly userId: string | undefined;
  readonly keys: readonly (readonly string[])[];
}

/** The prefix of keys for a refresh, and of no others. */
const REFRESH = "refresh:";

export class Points<S> {
  /** The keys that the attempt counts under, a list for each throttle. */
  readonly keys: (readonly string[])[] = [];
  readonly #throttles: readonly ResolvedThrottle<S>[];
  readonly #clock: Clock;
  #taken: Point[] = [];
  #taking: Taking | undefined;
  #isOver = false;

  constructor(throttles: readonly ResolvedThrottle<S>[], clock: Clock) {
    this.#throttles = throttles;
    this.#clock = clock;
  }

  /**
   * Takes one point of every key. For a refresh, the keys of the sign-in are replaced by a key of
   * the session: attempts elsewhere do not hinder it. Resolves with a refusal if a key has no point
   * left. Resolves early with `undefined` if the attempt is over.
   *
   * @throws if a limiter fails
   */
  async take(
    peer: Peer<S>,
    credentials: unknown,
    session: SessionKeys | undefined,
  ): Promise<Unauthorized | undefined> {
    for (const [i, { take, keys }] of this.#throttles.entries()) {
      const own = asKeys(keys(peer, credentials));
      this.keys.push(own);
      const signedInUnder = session?.keys[i] ?? [];
      const counted = own.map((key) =>
        signedInUnder.includes(key) ? `${REFRESH}${session!.userId}` : escaped(key)
      );
      // Each key once, so that the attempt does not wait for itself.
      for (const key of new Set(counted)) {
        if (this.#isOver) return undefined;
        this.#taking = take(key, this.#clock);
        const outcome = await this.#taking.outcome;
        if (!outcome) return undefined;
        if ("retryAfter" in outcome) return exhausted(outcome.retryAfter);
        this.#taken.push(outcome);
        if (this.#isOver) await this.giveBack();
      }
    }
  }

  spend(): void {
    for (const point of this.#takeOut()) point.spend();
  }

  /** Gives the points back: the attempt was no failed guess. Rejects if a limiter does. */
  async giveBack(): Promise<void> {
    await Promise.all(this.#takeOut().map((point) => point.giveBack()));
  }

  /** Spends the points at the end of their windows, unless the verifier answers before. */
  spendInTime(): void {
    for (const point of this.#taken) point.spendInTime();
  }

  /** Excludes the points from what others wait for, while the attempt waits for its client. */
  setAside(isAside: boolean): void {
    for (const point of this.#taken) point.setAside(isAside);
  }

  #takeOut(): Point[] {
    this.#isOver = true;
    this.#taking?.leave();
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }
}

/** Returns a key that differs from every key of a refresh. */
function escaped(key: string): string {
  return /^:*refresh:/.test(key) ? `:${key}` : key;
}

function asKeys(keys: unknown): readonly string[] {
  const list = keys === null ? [] : Array.isArray(keys) ? keys : [keys];
  if (list.every(isText)) return list;
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
