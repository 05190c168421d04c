import type { AcceptedEvent, AuthEvent, Happening } from "./events.ts";
import type { Holdings } from "./holdings.ts";
import type { Peer } from "./interface.ts";
import type { Policy } from "./policy.ts";
import type { Code, Unauthorized } from "../protocol.ts";
import type { Session } from "./session.ts";

/** The counters of one policy, on one node. */
export interface Stats {
  /**
   * Sockets that are not authenticated, now: connected ones, those whose handshake is being
   * verified, and those that were refused and are about to be closed.
   */
  pending: number;
  /** Client connections that are not authenticated, now, as `maxPending` counts them. */
  pendingConnections: number;
  /** Sockets that are authenticated, now. */
  authenticated: number;
  /** Attempts that the verifier accepted, refreshes included. */
  accepted: number;
  /**
   * Attempts that failed for any reason, including those that ended without an answer because the
   * client left or the deadline passed.
   */
  refused: number;
  /** Sockets that were cut because the client did not authenticate in time. */
  timedOut: number;
  /** Sockets that were cut by a limit: of events, of pending connections, or of attempts. */
  cut: number;
  /** Sockets that were told `expired`: their session had come to its end. */
  expired: number;
  /** Sockets that were told `revoked`, also while their credentials were verified. */
  revoked: number;
  /** Bytes that are held for pending sockets, now, including overhead. */
  held: number;
}

/** Why sockets are told `unauthorized`, as an event type for observers. */
export type Cause = "unauthorized" | "expired" | "revoked" | "signed_out";

export function causeOf({ type }: { readonly type: string }): Cause {
  return type === "expired" || type === "revoked" || type === "signed_out" ? type : "unauthorized";
}

const LIMITS: ReadonlySet<string> = new Set<Code>([
  "too_many_events",
  "too_many_attempts",
  "server_busy",
]);

/** The duration of an attempt in ms, and that of the verifier, if it was asked. */
type Times = Pick<AcceptedEvent, "duration" | "verification">;

export function isLimit(code: Unauthorized["code"]): boolean {
  return LIMITS.has(code);
}

/** Counts what happens under one policy, and calls the option `observe`. */
export class Journal<S> {
  readonly #policy: Policy<S>;
  readonly #holdings: Holdings;
  readonly #stats: Omit<Stats, "held"> = {
    pending: 0,
    pendingConnections: 0,
    authenticated: 0,
    accepted: 0,
    refused: 0,
    timedOut: 0,
    cut: 0,
    expired: 0,
    revoked: 0,
  };

  constructor(policy: Policy<S>, holdings: Holdings) {
    this.#policy = policy;
    this.#holdings = holdings;
  }

  get stats(): Stats {
    return { ...this.#stats, held: this.#holdings.total };
  }

  get isFull(): boolean {
    return this.#stats.pendingConnections >= this.#policy.maxPending;
  }

  count(kind: "pending" | "pendingConnections" | "authenticated", change: number): void {
    this.#stats[kind] += change;
  }

  /** Counts and notes the outcome of an attempt: a session, or the code of a refusal. */
  noteAttempt(peer: Peer<S>, outcome: Session<unknown> | string, times: () => Times): void {
    const isRefused = typeof outcome === "string";
    this.#stats[isRefused ? "refused" : "accepted"]++;
    if (!this.#policy.observe) return;
    this.note(peer, () => {
      if (isRefused) return { type: "attempt", ok: false, code: outcome, ...times() };
      const whose = outcome.userId === undefined ? {} : { userId: outcome.userId };
      return { type: "attempt", ok: true, ...whose, ...times() };
    });
  }

  /** Counts a socket that the server ends, by the code that it is told. */
  countEnd(code: Unauthorized["code"]): void {
    if (code === "expired") this.#stats.expired++;
    if (code === "revoked") this.#stats.revoked++;
    if (code === "timeout") this.#stats.timedOut++;
    if (isLimit(code)) this.#stats.cut++;
  }

  /** Calls `observe`, if given, with what has happened to a socket. */
  note(peer: Peer<S>, describe: () => Happening): void {
    const { observe } = this.#policy;
    if (!observe) return;
    const { socket } = peer;
    try {
      const event = { ...describe(), ...peer.origin() } as AuthEvent;
      const observed: unknown = observe(event);
      if (observed instanceof Promise) observed.catch((error) => this.#report(error, socket));
    } catch (error) {
      this.#report(error, socket);
    }
  }

  #report(error: unknown, socket: S): void {
    this.#policy.report(error, { during: "observe", socket });
  }
}
