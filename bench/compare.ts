import { type Spread, spreadOf } from "./statistics.ts";

/** Two ways to do the same work, measured in turn. */
export interface Comparison {
  /** What ours costs for each that the other costs, round by round. */
  readonly ratio: Spread;
  /** The same in the first round, when nothing was warm. */
  readonly cold: number;
  /** What each costs. */
  readonly ours: Spread;
  readonly theirs: Spread;
}

/** How long to go on. */
export interface Rounds {
  /** Rounds that are thrown away. */
  readonly warmUp: number;
  /** Rounds that count. */
  readonly counted: number;
}

/**
 * Measures in the order A B B A, so that whatever drifts hits both, and takes the ratio of each
 * such round.
 */
export async function compare(
  { warmUp, counted }: Rounds,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Comparison> {
  const rounds: { ours: number; theirs: number }[] = [];
  for (let i = 0; i < warmUp + counted; i++) {
    const [a, b, c, d] = [await ours(), await theirs(), await theirs(), await ours()];
    rounds.push({ ours: (a + d) / 2, theirs: (b + c) / 2 });
  }
  const warm = rounds.slice(warmUp);
  return {
    ratio: spreadOf(warm.map((round) => round.ours / round.theirs)),
    cold: rounds[0]!.ours / rounds[0]!.theirs,
    ours: spreadOf(warm.map((round) => round.ours)),
    theirs: spreadOf(warm.map((round) => round.theirs)),
  };
}
