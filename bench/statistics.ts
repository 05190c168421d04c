import { medianSorted, quantileSorted } from "simple-statistics";

/** What was seen over several rounds. */
export interface Spread {
  readonly median: number;
  /** The first and the third quartile. */
  readonly low: number;
  readonly high: number;
  /** How many values there were. */
  readonly count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: medianSorted(sorted),
    low: quantileSorted(sorted, 0.25),
    high: quantileSorted(sorted, 0.75),
    count: sorted.length,
  };
}
