import type { AuthEvent, Happening } from "./events.ts";
import type { Peer } from "./interface.ts";
import type { Policy } from "./policy.ts";

/** What has become of the clients under one policy, on this node. */
export interface Stats {
  /**
   * Sockets that are not authenticated, now: connected ones, and those whose
   * handshake is being verified.
   */
  pending: number;
  /** Sockets that are authenticated, now. */
  authenticated: number;
  /** Attempts that the verifier accepted, refreshes included. */
  accepted: number;
  /** Attempts that were refused, for whatever reason. */
  refused: number;
  /** Sockets that were cut because nobody was authenticated in time. */
  timedOut: number;
  /** Sockets whose session has come to its end. */
  expired: number;
  /** Sockets whose session was revoked. */
  revoked: number;
}

/** Counts what happens under one policy, and tells it to whoever observes. */
export class Journal<S> {
  readonly #policy: Policy<S>;
  readonly #stats: Stats = {
    pending: 0,
    authenticated: 0,
    accepted: 0,
    refused: 0,
    timedOut: 0,
    expired: 0,
    revoked: 0,
  };

  constructor(policy: Policy<S>) {
    this.#policy = policy;
  }

  /** The numbers as they are now. */
  get stats(): Stats {
    return { ...this.#stats };
  }

  /** Whether there are as many pending sockets as there may be. */
  get isFull(): boolean {
    return this.#stats.pending >= this.#policy.maxPending;
  }

  /** Counts a socket in as one of its kind, or out again. */
  count(kind: "pending" | "authenticated", change: 1 | -1): void {
    this.#stats[kind] += change;
  }

  /** Something has happened to a socket. */
  note(peer: Peer<S>, happening: Happening): void {
    this.#tally(happening);
    const { observe } = this.#policy;
    if (!observe) return;
    const { socket } = peer;
    try {
      const event = { ...happening, ...peer.origin() } as AuthEvent;
      const observed: unknown = observe(event);
      if (observed instanceof Promise) observed.catch((error) => this.#report(error, socket));
    } catch (error) {
      this.#report(error, socket);
    }
  }

  #tally(happening: Happening): void {
    switch (happening.type) {
      case "attempt":
        this.#stats[happening.ok ? "accepted" : "refused"]++;
        return;
      case "unauthorized":
        if (happening.code === "timeout") this.#stats.timedOut++;
        return;
      case "expired":
      case "revoked":
        this.#stats[happening.type]++;
    }
  }

  #report(error: unknown, socket: S): void {
    this.#policy.report(error, { during: "observe", socket });
  }
}
