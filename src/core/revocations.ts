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

/** How many ids of earlier ones are remembered with the last one of a target. */
const EARLIER = 8;

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

/** What is remembered of the revocations of one target. */
interface Remembered {
  readonly target: RevocationTarget;
  /** The last one, and when it was made. */
  readonly id: string;
  readonly at: number;
  /** Some before it: whoever has not heard of the last one says those again. */
  readonly earlier: readonly string[];
  /** How many sockets it ended here. */
  readonly count: number;
  /** Whom it spares; and until when sessions of that connection were revoked by others. */
  readonly except: string | undefined;
  readonly exceptAt: number;
  readonly reminder: Reminder;
}

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
  /** By target, the oldest first. */
  readonly #entries: Map<string, Remembered> = new Map();

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
  revoke(heard: Revocation): number {
    const key = keyOf(heard.target);
    const now = this.#clock.monotonic();
    const known = this.#entries.get(key);
    const { entry, isNews } = learn(known, heard, now);
    if (!isNews) {
      this.#entries.set(key, entry);
      return entry.count;
    }
    const madeAt = now - heard.age;
    if (heard.age > OVERDUE && madeAt > this.awareness.since) this.awareness.lose();
    // Remembered first: what the application does when its sockets go must find it.
    this.#remember(key, entry);
    const count = this.#carryOut(entry);
    // Unless somebody has revoked more in the middle of that.
    const current = this.#entries.get(key);
    if (current?.id === heard.id) this.#entries.set(key, { ...current, count });
    return count;
  }

  #carryOut(entry: Remembered): number {
    let count = 0;
    // There may be many, and few are meant: the others are not asked more than that.
    const concerned: Revocable[] = [];
    for (const connection of this.#connections) {
      if (connection.concerns(entry.target)) concerned.push(connection);
    }
    for (const connection of concerned) {
      const until = untilOf(entry, connection.knownId);
      if (until > -Infinity) count += connection.revoke(entry.target, until);
    }
    return count;
  }

  /**
   * Whether a session is revoked that came of an attempt begun at `since`, on
   * the connection of this id, where it is known.
   */
  covers({ userId, sessionId }: Subject, since: number, connection: string | undefined): boolean {
    if (this.#entries.size === 0) return false;
    const isRevoked = (target: RevocationTarget) => {
      const entry = this.#entries.get(keyOf(target));
      if (!entry) return false;
      const until = untilOf(entry, connection);
      return until > -Infinity && since <= until;
    };
    return (userId !== undefined && isRevoked({ userId })) ||
      (sessionId !== undefined && isRevoked({ sessionId }));
  }

  /** When the next one is to be said again, if there is any. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const { reminder: { until } } of this.#entries.values()) {
      if (next === undefined || until < next) next = until;
    }
    return next;
  }

  /** Those that are to be said again now, and counts them as said. */
  takeDue(): Revocation[] {
    this.#prune();
    const now = this.#clock.monotonic();
    const due = [...this.#entries].filter(([, { reminder }]) => reminder.from <= now);
    return due.map(([key, entry]) => {
      this.#entries.set(key, { ...entry, reminder: nextReminder(entry.at, now) });
      return asMessage(entry, now);
    });
  }

  #remember(key: string, entry: Remembered): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#prune();
  }

  #prune(): void {
    const horizon = this.#horizon();
    for (const [key, { at }] of this.#entries) {
      if (at >= horizon && this.#entries.size <= CAPACITY) return;
      if (at > this.#clock.monotonic() - this.#retention) this.awareness.lose();
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

/** Until when sessions of a connection are revoked; `-Infinity` if none are. */
function untilOf({ at, except, exceptAt }: Remembered, connection: string | undefined): number {
  return except !== undefined && except === connection ? exceptAt : at;
}

/** What is to be remembered after hearing of a revocation, and whether that is anything new. */
function learn(
  known: Remembered | undefined,
  { id, target, age, except, exceptAge = Infinity }: Revocation,
  now: number,
): { entry: Remembered; isNews: boolean } {
  const exceptAt = now - exceptAge;
  if (known && (known.id === id || known.earlier.includes(id))) {
    const reminder = nextReminder(known.at, now);
    const isNews = isLater(exceptAt, known.exceptAt);
    const later = isNews ? exceptAt : known.exceptAt;
    return { entry: { ...known, exceptAt: later, reminder }, isNews };
  }
  const at = now - age;
  const reminder = nextReminder(at, now);
  const heard = { target, id, at, earlier: [], count: 0, except, exceptAt, reminder };
  return { entry: known ? merge(known, heard) : heard, isNews: true };
}

/**
 * Two revocations of the same target in one: the later one covers all that the
 * earlier one does, but for the connection that it spares.
 */
function merge(known: Remembered, added: Remembered): Remembered {
  const [last, first] = added.at >= known.at ? [added, known] : [known, added];
  const before = first.except === last.except ? first.exceptAt : first.at;
  const earlier = [first.id, ...first.earlier, ...last.earlier].filter((id) => id !== last.id);
  return {
    ...last,
    exceptAt: Math.max(last.exceptAt, before),
    earlier: [...new Set(earlier)].slice(0, EARLIER),
  };
}

/** Whether a time is later than another, by more than messages take between nodes. */
function isLater(time: number, other: number): boolean {
  return time > other && !(time - other < FIRST_REMINDER);
}

/**
 * When to say a revocation again: ever more rarely, so that whoever was cut off
 * hears of it within as long again; and no two nodes at the same time, for whoever
 * hears another say it waits for the next time.
 */
function nextReminder(at: number, now: number): Reminder {
  const pause = Math.max(now - at, FIRST_REMINDER);
  return { from: now + pause * 0.75, until: now + pause * (0.75 + Math.random() / 2) };
}

function asMessage({ id, target, at, except, exceptAt }: Remembered, now: number): Revocation {
  return {
    ...{ id, target, age: now - at },
    ...except !== undefined && { except },
    ...exceptAt > -Infinity && { exceptAge: now - exceptAt },
  };
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
