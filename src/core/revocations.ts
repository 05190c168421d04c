import type { Clock } from "./interface.ts";
import type { RevocationTarget, Subject } from "./session.ts";

/** A revocation as it travels between nodes. */
export interface Revocation {
  /** Tells a repetition from a new one. */
  readonly id: string;
  readonly target: RevocationTarget;
  /** Milliseconds since it was made: clocks of two nodes cannot be compared. */
  readonly age: number;
}

/** What a revocation can end: a connection. */
export interface Revocable {
  /** Ends it if its session is meant and began until `at`. Returns how many sockets that were. */
  revoke(target: RevocationTarget, at: number): number;
  /** When the attempt in flight began, if there is one. */
  readonly verifyingSince: number | undefined;
}

/** What is remembered of a revocation. */
interface Entry extends Omit<Revocation, "age"> {
  readonly at: number;
  /** How many sockets it ended here. */
  readonly count: number;
}

/**
 * The revocations under one policy. Each is carried out on the connections
 * there are, and remembered: for attempts that began before it and end after,
 * and for connections that may yet be recovered.
 */
export class Revocations {
  readonly #clock: Clock;
  readonly #retention: number;
  readonly #connections: Set<Revocable> = new Set();
  /** By target, the oldest first. */
  readonly #entries: Map<string, Entry> = new Map();

  /** Remembers each revocation for `retention` milliseconds at least. */
  constructor(clock: Clock, retention: number) {
    this.#clock = clock;
    this.#retention = retention;
  }

  /** A connection that revocations are for, from now on. */
  watch(connection: Revocable): void {
    this.#connections.add(connection);
  }

  /** It is gone. */
  forget(connection: Revocable): void {
    this.#connections.delete(connection);
  }

  /** Carries a revocation out, once. Returns how many sockets it has ended here. */
  revoke({ id, target, age }: Revocation): number {
    const key = keyOf(target);
    const at = this.#clock.monotonic() - age;
    const known = this.#entries.get(key);
    if (known && (known.id === id || known.at >= at)) return known.id === id ? known.count : 0;
    // Remembered first: what the application does when its sockets go must find it.
    this.#remember(key, { id, target, at, count: 0 });
    let count = 0;
    for (const connection of [...this.#connections]) count += connection.revoke(target, at);
    this.#remember(key, { id, target, at, count });
    return count;
  }

  /** Whether a session is revoked that came of an attempt begun at `since`. */
  covers({ userId, sessionId }: Subject, since: number): boolean {
    const isRevoked = (target: RevocationTarget) => {
      const entry = this.#entries.get(keyOf(target));
      return entry !== undefined && entry.at >= since;
    };
    return (userId !== undefined && isRevoked({ userId })) ||
      (sessionId !== undefined && isRevoked({ sessionId }));
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const horizon = this.#horizon();
    for (const [key, { at }] of this.#entries) {
      if (at >= horizon) return;
      this.#entries.delete(key);
    }
  }

  /** Whatever was revoked before this can concern nobody any more. */
  #horizon(): number {
    let horizon = this.#clock.monotonic() - this.#retention;
    for (const { verifyingSince } of this.#connections) {
      if (verifyingSince !== undefined && verifyingSince < horizon) horizon = verifyingSince;
    }
    return horizon;
  }
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
