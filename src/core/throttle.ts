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
   * Gives a point back, of an attempt that was no failed guess: the verifier has answered with a
   * user, or was not asked. Called in the window in which the point was taken, or not at all.
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
   * A refresh counts under `refresh:` and the user's id in place of the keys that its session
   * signed in under, so that strangers cannot use up its points. A key that begins with `refresh:`
   * itself is given a colon in front.
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

/** The keys that a session signed in under, a list for each throttle, and whose session it is. */
export interface SessionKeys {
  readonly userId: string | undefined;
  readonly keys: readonly (readonly string[])[];
}

/** The keys that a session is refreshed under begin with this, and no others. */
const REFRESH = "refresh:";

/** The points that an attempt has taken. */
export class Points<S> {
  /** The keys it counts under, a list for each throttle. */
  readonly keys: (readonly string[])[] = [];
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
   * Takes one point of every key. In a session that is refreshed, the keys that it signed in
   * under are replaced by one of its own: what strangers do elsewhere does not hinder it.
   * Resolves with a refusal if a key has no point left; with nothing, before it is done, if the
   * attempt is over.
   *
   * @throws whatever keeps a limiter from counting
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
      // Each once: no attempt waits for itself.
      for (const key of new Set(counted)) {
        if (this.#isOver) return undefined;
        this.#taking = take(key, this.#clock);
        const outcome = await this.#taking.outcome;
        if (!outcome) return undefined;
        if ("retryAfter" in outcome) return exhausted(outcome.retryAfter);
        this.#taken.push(outcome);
        // The attempt has ended before it could know of this one.
        if (this.#isOver) await this.giveBack();
      }
    }
  }

  /** The attempt was a failed guess. */
  spend(): void {
    for (const point of this.#takeOut()) point.spend();
  }

  /** The attempt was no failed guess. Rejects if a limiter does. */
  async giveBack(): Promise<void> {
    await Promise.all(this.#takeOut().map((point) => point.giveBack()));
  }

  /** The attempt is over, and the verifier may yet answer. */
  spendInTime(): void {
    for (const point of this.#taken) point.spendInTime();
  }

  /** Whether the attempt waits for its client. */
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

/** A key that no refresh counts under, whoever has chosen it. */
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
