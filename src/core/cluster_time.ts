import type { Clock } from "./interface.ts";

const YEAR = 366 * 86_400_000;

/**
 * A time that all nodes of a cluster share, as far as they have heard of each other: the clock of
 * the node, put forward to the latest time that another node has told. If one event has led to
 * another, the later event has the later time. The time never goes back.
 */
export class ClusterTime {
  readonly #clock: Clock;
  /** The difference to the monotonic clock, which never becomes smaller. */
  lead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.lead = clock.now() - clock.monotonic();
  }

  now(): number {
    return this.#clock.monotonic() + this.lead;
  }

  /** Follows the time of another node, unless that is ahead by more than a year. */
  hear(time: number): void {
    const lead = time - this.now();
    if (lead > 0 && lead < YEAR) this.lead += lead;
  }
}

/** When a sign-in began, by the time of the cluster, and on which client connection. */
export interface Stamp {
  readonly time: number;
  readonly connection: string;
}

/** Returns whether a sign-in is older than another. All nodes agree, also about equal times. */
export function isOlder(
  { time = -Infinity, connection = "" }: { [Name in keyof Stamp]?: Stamp[Name] | undefined },
  other: Stamp,
): boolean {
  return time < other.time || time === other.time && connection < other.connection;
}
