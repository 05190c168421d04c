import type { Machine } from "./machine.ts";
import type { Flood, Silence } from "./rows/floods.ts";
import type { Growth } from "./rows/growth.ts";
import type { Path } from "./rows/path.ts";
import type { Revoked } from "./rows/revoke.ts";
import type { Startup } from "./rows/startup.ts";
import type { Spread } from "./statistics.ts";

/** What was measured against the same work without this package. */
export interface Row {
  readonly what: string;
  /** What it is measured against. */
  readonly against: string;
  readonly where: string;
  /** Of what each of the two takes or manages. */
  readonly unit: string;
  readonly ours: Spread;
  readonly theirs: Spread;
  /** Ours in relation to theirs, or the difference of the two. */
  readonly compared: Spread;
  /** Whether that is a ratio, or a difference in the unit. */
  readonly as: "ratio" | "difference";
  /** The ratio of the first round. */
  readonly cold?: number;
  /** What it may come to at most, or has to at least. */
  readonly budget?: { readonly most: number } | { readonly least: number };
}

/** What is on the wire or on the disk of whoever uses it, in bytes. */
export interface Sizes {
  readonly name: string;
  readonly minified: number;
  readonly gzip: number;
  readonly budget?: number;
}

/** Everything that a run has found. */
export interface Results {
  /** When, as a date. */
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly growth: readonly Growth[];
  readonly silence: Silence;
  readonly attempts: Flood;
  readonly revoked: Revoked;
  readonly sizes: readonly Sizes[];
  readonly path: Path;
  readonly startup: readonly Startup[];
}
