import type { Clock } from "./interface.ts";

const YEAR = 366 * 86_400_000;

/**
 * A time that all nodes of a cluster share, as far as they have heard of each other: a node's own
 * clock, put forward to the latest that any other has told. Of two events of which one has led to
 * the other, the later one has the later time. It never goes back.
 */
export class ClusterTime {
  readonly #clock: Clock;
  /** What the monotonic clock is behind by. */
  #lead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lead = clock.now() - clock.monotonic();
  }

  now(): number {
    return this.#clock.monotonic() + this.#lead;
  }

  /** Another node says what time it is there. A clock that is wrong by more than a year is not followed. */
  hear(time: number): void {
    const lead = time - this.now();
    if (lead > 0 && lead < YEAR) this.#lead += lead;
  }
}

/** When a sign-in began, by the time of the cluster, and on which client connection. */
export interface Stamp {
  readonly time: number;
  readonly connection: string;
}

/** Whether a sign-in is an older one than another; the same everywhere, also of two at one time. */
export function isOlder(
  { time = -Infinity, connection = "" }: { [Name in keyof Stamp]?: Stamp[Name] | undefined },
  other: Stamp,
): boolean {
  return time < other.time || time === other.time && connection < other.connection;
}
