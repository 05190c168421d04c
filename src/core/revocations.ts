import { Awareness } from "./awareness.ts";
import type { Clock, Revocation } from "./interface.ts";
import type { RevocationTarget, Subject } from "./session.ts";

/**
 * For how long a revocation is remembered at least, in ms: a node that was cut
 * off for less hears of it when it is back.
 */
const MEMORY = 3_600_000;

/** How many are remembered at most; of more, the oldest are forgotten. */
const CAPACITY = 100_000;

/** How long after a revocation it is said again for the first time, in ms, or so. */
export const FIRST_REMINDER = 1000;

/** How many revocations of one target are known by their ids at most, for when they are heard again. */
const KNOWN = 16;

/** How old a revocation is that should have been heard of before, in ms. */
const OVERDUE = 5000;

/** What a revocation can end: a connection. */
export interface Revocable {
  /** Its id, if anybody has asked for it: whatever spares it has. */
  readonly knownId: string | undefined;
  /** Whether it may belong to those whom a revocation is about; `revoke` knows for sure. */
  concerns(target: RevocationTarget): boolean;
  /** Ends it if its session is meant and began until `at`. Returns how many sockets that were. */
  revoke(target: RevocationTarget, at: number): number;
  /** When the attempt in flight began, if there is one. */
  readonly verifyingSince: number | undefined;
}

/** When nodes are to be told again: when at the earliest, along with others, and when at the latest. */
interface Reminder {
  readonly from: number;
  readonly until: number;
}

/** A revocation that this node has carried out. */
interface Remembered {
  readonly id: string;
  readonly target: RevocationTarget;
  /** The connection that it spares. */
  readonly except: string | undefined;
  /** When it was made, by this node's monotonic clock. */
  readonly at: number;
  /** How many sockets it ended here. */
  count: number;
  reminder: Reminder;
}

/** The revocations of one target, the last one first. */
type Known = readonly Remembered[];

/**
 * The revocations under one policy. Each is carried out on the connections
 * there are, and remembered: for attempts that began before it and end after,
 * for connections that may yet be recovered, and for other nodes, which are told
 * again.
 */
export class Revocations {
  /** Whether this node knows all that matter. */
  readonly awareness: Awareness;
  readonly #clock: Clock;
  readonly #retention: number;
  readonly #connections: Set<Revocable> = new Set();
  /** By target; the target with the oldest news first. */
  readonly #entries: Map<string, Known> = new Map();

  /** Remembers each revocation for `retention` milliseconds at least. */
  constructor(clock: Clock, retention: number) {
    this.awareness = new Awareness(clock);
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
    const now = this.#clock.monotonic();
    const known = this.#entries.get(keyOf(target)) ?? [];
    const again = known.find((one) => one.id === id);
    if (again) {
      again.reminder = nextReminder(again.at, now);
      return again.count;
    }
    const at = now - age;
    const added = { id, target, except, at, count: 0, reminder: nextReminder(at, now) };
    const list = insert(known, added);
    const isNews = effective(list).includes(added);
    if (isNews && age > OVERDUE && at > this.awareness.since) this.awareness.lose();
    // Remembered first: what the application does when its sockets go must find it.
    this.#remember(target, list);
    added.count = this.#carryOut(added);
    return added.count;
  }

  #carryOut({ target, at, except }: Remembered): number {
    let count = 0;
    // There may be many, and few are meant: the others are not asked more than that.
    const concerned: Revocable[] = [];
    for (const connection of this.#connections) {
      if (connection.concerns(target)) concerned.push(connection);
    }
    for (const connection of concerned) {
      if (!isSpared(except, connection.knownId)) count += connection.revoke(target, at);
    }
    return count;
  }

  /**
   * Whether a session is revoked that came of an attempt begun at `since`, on
   * the connection of this id, where it is known.
   */
  covers({ userId, sessionId }: Subject, since: number, connection: string | undefined): boolean {
    if (this.#entries.size === 0) return false;
    const isRevoked = (target: RevocationTarget) =>
      this.#entries.get(keyOf(target))?.some(({ at, except }) =>
        since <= at && !isSpared(except, connection)
      ) ?? false;
    return (userId !== undefined && isRevoked({ userId })) ||
      (sessionId !== undefined && isRevoked({ sessionId }));
  }

  /** When the next one is to be said again, if there is any. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const known of this.#entries.values()) {
      for (const { reminder: { until } } of effective(known)) {
        if (next === undefined || until < next) next = until;
      }
    }
    return next;
  }

  /** Those that are to be said again now, and counts them as said. */
  takeDue(): Revocation[] {
    this.#prune();
    const now = this.#clock.monotonic();
    // Both of a target together: none is heard of without the other.
    const due = [...this.#entries.values()].map(effective)
      .filter((said) => said.some(({ reminder }) => reminder.from <= now));
    return due.flat().map((one) => {
      one.reminder = nextReminder(one.at, now);
      return asMessage(one, now);
    });
  }

  #remember(target: RevocationTarget, known: Known): void {
    const key = keyOf(target);
    this.#entries.delete(key);
    this.#entries.set(key, known);
    this.#prune();
  }

  #prune(): void {
    const horizon = this.#horizon();
    for (const [key, [last]] of this.#entries) {
      if (last!.at >= horizon && this.#entries.size <= CAPACITY) return;
      if (last!.at > this.#clock.monotonic() - this.#retention) this.awareness.lose();
      this.#entries.delete(key);
    }
  }

  /** Whatever was revoked before this can concern nobody any more. */
  #horizon(): number {
    let horizon = this.#clock.monotonic() - Math.max(this.#retention, MEMORY);
    for (const { verifyingSince } of this.#connections) {
      if (verifyingSince !== undefined && verifyingSince < horizon) horizon = verifyingSince;
    }
    return horizon;
  }
}

function isSpared(except: string | undefined, connection: string | undefined): boolean {
  return except !== undefined && except === connection;
}

/**
 * Adds a revocation to those of its target. Only the effective ones matter; the
 * ids of others are kept so that they are no news when they are heard again.
 */
function insert(known: Known, added: Remembered): Known {
  const all = [...known, added].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const kept = new Set([...all.slice(0, KNOWN), ...effective(all)]);
  return all.filter((one) => kept.has(one));
}

/**
 * The fewest revocations of a target that end all that it is about: the last one,
 * and the last one of those that do not spare the same connection. Only these are
 * said again.
 */
function effective(known: Known): Remembered[] {
  const [last] = known;
  const other = known.find(({ except }) => except !== last!.except);
  return last!.except === undefined || !other ? [last!] : [last!, other];
}

/**
 * When to say a revocation again: ever more rarely, so that whoever was cut off
 * hears of it within as long again; and no two nodes at the same time, for whoever
 * hears another say it waits for the next time.
 */
function nextReminder(at: number, now: number): Reminder {
  const pause = Math.max(now - at, FIRST_REMINDER);
  const after = (part: number) => now + Math.ceil(pause * part);
  return { from: after(0.75), until: after(0.75 + Math.random() / 2) };
}

function asMessage({ id, target, at, except }: Remembered, now: number): Revocation {
  return { id, target, age: now - at, ...except !== undefined && { except } };
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
