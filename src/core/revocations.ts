import type { Clock, Revocation } from "./interface.ts";
import type { RevocationTarget, Subject } from "./session.ts";

/** What a revocation can end: a connection. */
export interface Revocable {
  /** Its id, if anybody has asked for it: whatever spares it has. */
  readonly knownId: string | undefined;
  /** Ends it if its session is meant and began until `at`. Returns how many sockets that were. */
  revoke(target: RevocationTarget, at: number): number;
  /** When the attempt in flight began, if there is one. */
  readonly verifyingSince: number | undefined;
}

/** What is remembered of the revocations of one target. */
interface Remembered {
  /** The last one, and when it was made. */
  readonly id: string;
  readonly at: number;
  /** How many sockets it ended here. */
  readonly count: number;
  /** Whom it spares; and until when sessions of that connection were revoked by others. */
  readonly except: string | undefined;
  readonly exceptAt: number;
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
  readonly #entries: Map<string, Remembered> = new Map();

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
  revoke({ id, target, age, except }: Revocation): number {
    const key = keyOf(target);
    const at = this.#clock.monotonic() - age;
    const known = this.#entries.get(key);
    if (known?.id === id) return known.count;
    // Remembered first: what the application does when its sockets go must find it.
    const entry = merge(known, { id, at, count: 0, except, exceptAt: -Infinity });
    this.#remember(key, entry);
    let count = 0;
    for (const connection of [...this.#connections]) {
      const isSpared = except !== undefined && connection.knownId === except;
      if (!isSpared) count += connection.revoke(target, at);
    }
    if (entry.id === id) this.#remember(key, { ...entry, count });
    return count;
  }

  /**
   * Whether a session is revoked that came of an attempt begun at `since`, on
   * the connection of this id, where it is known.
   */
  covers({ userId, sessionId }: Subject, since: number, connection: string | undefined): boolean {
    const isRevoked = (target: RevocationTarget) => {
      const entry = this.#entries.get(keyOf(target));
      if (!entry) return false;
      const isSpared = entry.except !== undefined && entry.except === connection;
      return since <= (isSpared ? entry.exceptAt : entry.at);
    };
    return (userId !== undefined && isRevoked({ userId })) ||
      (sessionId !== undefined && isRevoked({ sessionId }));
  }

  #remember(key: string, entry: Remembered): void {
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

/**
 * Two revocations of the same target in one: the later one covers all that the
 * earlier one does, but for the connection that it spares.
 */
function merge(known: Remembered | undefined, added: Remembered): Remembered {
  if (!known) return added;
  const [last, first] = added.at >= known.at ? [added, known] : [known, added];
  const before = first.except === last.except ? first.exceptAt : first.at;
  return { ...last, exceptAt: Math.max(last.exceptAt, before) };
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
