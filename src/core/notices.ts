import type { Clock } from "./interface.ts";
import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";

const HOUR = 3_600_000;

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

export interface Delay {
  readonly during: string;
  readonly notice: Notice;
  readonly message: string;
}

/** Reports notices to `onError`, at most once or once an hour each. */
export class Notices<S> {
  readonly #policy: Policy<S>;
  readonly #clock: Clock;
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
