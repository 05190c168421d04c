import type { Clock } from "./interface.ts";
import type { Identities } from "./identities.ts";
import type { Journal } from "./journal.ts";
import type { Notices } from "./notices.ts";
import type { Policy } from "./policy.ts";
import type { Unauthorized } from "../protocol.ts";
import type { Revocations } from "./revocations.ts";
import type { Spreading } from "./spreading.ts";

/** What all connections under one policy have in common. */
export interface Common<S> {
  readonly policy: Policy<S>;
  /** The clock they go by. */
  readonly clock: Clock;
  /** What has happened under it. */
  readonly journal: Journal<S>;
  /** When those may come back whom there was no time or room for. */
  readonly spreading: Spreading;
  /** Which sessions are no longer good. */
  readonly revocations: Revocations;
  readonly notices: Notices<S>;
  readonly identities: Identities<S>;
  /** A refusal for want of time or room, with when to come back. */
  busy(code: "server_busy" | "timeout"): Unauthorized;
}
