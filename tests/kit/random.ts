/**
 * How often random tests run, and from which seed. A test that fails prints its seed:
 * `RANDOM_SEED` replays it. `RANDOM_RUNS` multiplies the runs.
 */
import { env } from "node:process";

const { RANDOM_SEED, RANDOM_RUNS = "1" } = env;

/** The seed of this run, if it is a replay. */
export const seed: number | undefined = RANDOM_SEED === undefined ? undefined : Number(RANDOM_SEED);

/** How many times the usual number of runs. */
export const times: number = Number(RANDOM_RUNS);

/** Parameters for `fc.assert`. */
export function runs(count = 100): { numRuns: number; seed?: number } {
  return { numRuns: count * times, ...seed !== undefined && { seed } };
}

/** Calls `fn` while `Math.random` answers the same for the same `seed`. */
export function withRandom<T>(seed: number, fn: () => T): T {
  const { random } = Math;
  let state = seed >>> 0;
  Math.random = () => {
    // A linear congruential generator, with the constants of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  try {
    return fn();
  } finally {
    Math.random = random;
  }
}
