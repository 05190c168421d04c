import type { Clock } from "./interface.ts";
import type { Journal } from "./journal.ts";
import type { Policy } from "./policy.ts";
import type { Revocations } from "./revocations.ts";

/** What all connections under one policy have in common. */
export interface Common<S> {
  readonly policy: Policy<S>;
  /** The clock they go by. */
  readonly clock: Clock;
  /** What has happened under it. */
  readonly journal: Journal<S>;
  /** Which sessions are no longer good. */
  readonly revocations: Revocations;
}
