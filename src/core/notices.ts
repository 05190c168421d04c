import type { Clock } from "./interface.ts";
import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";

const HOUR = 3_600_000;

/** What is told once at most, or once an hour. */
export type Notice =
  | "returned by authenticate"
  | "error and user"
  | "no identity"
  | "several identities"
  | "screening"
  | "verifying"
  | "not called back"
  | "authorizing"
  | "letting in"
  | "handshake is off"
  | "another event";

/** Why the deadline may have ended an attempt, and where that happened. */
export interface Delay {
  readonly during: string;
  readonly notice: Notice;
  readonly message: string;
}

/** Tells `onError` what the operator should know, and not each time it happens. */
export class Notices<S> {
  readonly #policy: Policy<S>;
  readonly #clock: Clock;
  /** When each was told last. */
  readonly #told: Map<Notice, number> = new Map();

  constructor(policy: Policy<S>, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  once(notice: Notice, message: string, context: ErrorContext<S>): void {
    this.#tell(notice, message, context, Infinity);
  }

  hourly(notice: Notice, message: string, context: ErrorContext<S>): void {
    this.#tell(notice, message, context, HOUR);
  }

  #tell(notice: Notice, message: string, context: ErrorContext<S>, pause: number): void {
    const now = this.#clock.monotonic();
    const last = this.#told.get(notice);
    if (last !== undefined && now - last < pause) return;
    this.#told.set(notice, now);
    this.#policy.report(new Error(message), context);
  }
}
