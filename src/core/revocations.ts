import { Awareness } from "./awareness.ts";
import { isOlder } from "./cluster_time.ts";
import type { Clock, Revocation } from "./interface.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { isTarget, type RevocationTarget } from "./session.ts";
import type { Previous } from "./states.ts";

/**
 * For how long a revocation is remembered at least, in ms: a node that was cut
 * off for less hears of it when it is back.
 */
const MEMORY = 3_600_000;

/** How many are remembered at most; of more, the oldest are forgotten. */
const CAPACITY = 100_000;

/** How long after a revocation it is said again for the first time, in ms, or so. */
export const FIRST_REMINDER = 1000;

/** The longest pause before it is said again, in ms, or so. */
const LONGEST_PAUSE = 300_000;

/** How many revocations of one target are known by their ids at most, for when they are heard again. */
const KNOWN = 16;

/** How old a revocation is that should have been heard of before, in ms. */
const OVERDUE = 5000;

/** What is known of a session that may be meant: whose it is, and when its sign-in began. */
export type Whose = Previous;

/** What a revocation can end: a connection. */
export interface Revocable {
  /** Its id, if anybody has asked for it: whatever spares it has. */
  readonly knownId: string | undefined;
  /** Whether it may belong to those whom a revocation is about; `revoke` knows for sure. */
  concerns(target: RevocationTarget): boolean;
  /** Ends it if its session is meant. Returns how many sockets that were. */
  revoke(isMeant: (whose: Whose) => boolean, refusal: Unauthorized): number;
  /**
   * Has its session end at `until` at the latest, by the wall clock, if that is meant. Returns how
   * many sockets that were.
   */
  limit(isMeant: (whose: Whose) => boolean, until: number): number;
  /** When the attempt in flight began, if there is one. */
  readonly verifyingSince: number | undefined;
}

/** When nodes are to be told again: when at the earliest, along with others, and when at the latest. */
interface Reminder {
  readonly from: number;
  readonly until: number;
}

/** A revocation that this node has carried out. */
interface Remembered extends Omit<Revocation, "age"> {
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
  revoke({ age, ...made }: Revocation): number {
    const now = this.#clock.monotonic();
    const known = this.#entries.get(keyOf(made.target)) ?? [];
    const again = known.find(({ id }) => id === made.id);
    if (again) {
      again.reminder = nextReminder(again.at, now);
      return again.count;
    }
    const at = now - age;
    const added = { ...made, at, count: 0, reminder: nextReminder(at, now) };
    const list = insert(known, added, now);
    const isNews = effective(list, now).includes(added);
    if (isNews && age > OVERDUE && at > this.awareness.since) this.awareness.lose();
    // Remembered first: what the application does when its sockets go must find it.
    this.#remember(added.target, list);
    added.count = this.#carryOut(added);
    return added.count;
  }

  #carryOut(revocation: Remembered): number {
    const { target } = revocation;
    let count = 0;
    // There may be many, and few are meant: the others are not asked more than that.
    const concerned: Revocable[] = [];
    for (const connection of this.#connections) {
      if (connection.concerns(target)) concerned.push(connection);
    }
    for (const connection of concerned) {
      const isMeant = (whose: Whose) =>
        isTarget(target, whose) && covers(revocation, { ...whose, ...idOf(connection) });
      count += isLimit(revocation)
        ? connection.limit(isMeant, this.#wallTime(untilOf(revocation)))
        : connection.revoke(isMeant, refusalOf(revocation));
    }
    return count;
  }

  /** Why a session must not be, or be recovered, if it is revoked. */
  refusalFor(whose: Whose): Unauthorized | undefined {
    const ending = this.#find(whose).find((revocation) => !isLimit(revocation));
    return ending && refusalOf(ending);
  }

  /** When a session ends at the latest because the rights have changed, by the wall clock. */
  limitOf(whose: Whose): number {
    const limits = this.#find(whose).filter(isLimit).map(untilOf);
    return this.#wallTime(Math.min(...limits));
  }

  /** Those that a session is meant by. */
  #find(whose: Whose): Remembered[] {
    if (this.#entries.size === 0) return [];
    const { userId, sessionId } = whose;
    return [
      ...userId === undefined ? [] : this.#entries.get(keyOf({ userId })) ?? [],
      ...sessionId === undefined ? [] : this.#entries.get(keyOf({ sessionId })) ?? [],
    ].filter((revocation) => covers(revocation, whose));
  }

  #wallTime(at: number): number {
    return at - this.#clock.monotonic() + this.#clock.now();
  }

  /** When the next one is to be said again, if there is any. */
  get nextDue(): number | undefined {
    const now = this.#clock.monotonic();
    let next: number | undefined;
    for (const known of this.#entries.values()) {
      for (const { reminder: { until } } of effective(known, now)) {
        if (next === undefined || until < next) next = until;
      }
    }
    return next;
  }

  /** Those that are to be said again now, and counts them as said. */
  takeDue(): Revocation[] {
    this.#prune();
    const now = this.#clock.monotonic();
    // All of a target together: none is heard of without the others.
    const due = [...this.#entries.values()].map((known) => effective(known, now))
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

function idOf({ knownId }: Revocable): { connection?: string } {
  return knownId === undefined ? {} : { connection: knownId };
}

/** Whether a revocation of its user, or of itself, means a session. */
function covers(revocation: Remembered, whose: Whose): boolean {
  const { at, except, exceptSession, olderThan } = revocation;
  if (olderThan) return isOlder({ time: whose.stamp, connection: whose.connection }, olderThan);
  const isSpared = except !== undefined && except === whose.connection ||
    exceptSession !== undefined && exceptSession === whose.sessionId;
  return !isSpared && (whose.since ?? -Infinity) <= at;
}

/** Whether it leaves sessions some time. */
function isLimit({ within }: Remembered): boolean {
  return within !== undefined;
}

/** Until when sessions may last that it means, by the monotonic clock. */
function untilOf({ at, within = 0 }: Remembered): number {
  return at + within;
}

function refusalOf({ message, reconnect }: Remembered): Unauthorized {
  return {
    ...unauthorized("revoked"),
    ...message !== undefined && { message },
    ...reconnect !== undefined && { reconnect },
  };
}

/**
 * Adds a revocation to those of its target. Only the effective ones matter; the
 * ids of others are kept so that they are no news when they are heard again.
 */
function insert(known: Known, added: Remembered, now: number): Known {
  const all = [...known, added].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const kept = new Set([...all.slice(0, KNOWN), ...effective(all, now)]);
  return all.filter((one) => kept.has(one));
}

/**
 * The fewest revocations of a target that do what all of them do, the last one first. Only these
 * are said again. Each spares one connection or one session at most, so that of three which spare
 * differently one means any session.
 */
function effective(known: Known, now: number): Known {
  if (known.length === 1) return known;
  const marks = known.filter(({ olderThan }) => olderThan);
  const others = known.filter(({ olderThan }) => !olderThan);
  const kept: Remembered[] = [];
  for (const one of others) if (!kept.some((later) => isVain(one, later, now))) kept.push(one);
  const ends = kept.filter((one) => !isLimit(one));
  const vain = new Set(ends.slice(3));
  const mark = marks.reduce<Remembered | undefined>(
    (last, one) => last && isOlder(one.olderThan!, last.olderThan!) ? last : one,
    undefined,
  );
  return known.filter((one) => one === mark || kept.includes(one) && !vain.has(one));
}

/** Whether a revocation does nothing that a later one does not do, too. */
function isVain(one: Remembered, later: Remembered, now: number): boolean {
  const sparesNoMore = (later.except === undefined || later.except === one.except) &&
    (later.exceptSession === undefined || later.exceptSession === one.exceptSession);
  if (!sparesNoMore) return false;
  if (!isLimit(later)) return true;
  return isLimit(one) && untilOf(later) <= Math.max(untilOf(one), now);
}

/**
 * When to say a revocation again: ever more rarely, so that whoever was cut off
 * hears of it within as long again, or some minutes; and no two nodes at the same time, for whoever
 * hears another say it waits for the next time.
 */
function nextReminder(at: number, now: number): Reminder {
  const pause = Math.min(Math.max(now - at, FIRST_REMINDER), LONGEST_PAUSE);
  const after = (part: number) => now + Math.ceil(pause * part);
  return { from: after(0.75), until: after(0.75 + Math.random() / 2) };
}

function asMessage({ at, count: _count, reminder: _reminder, ...made }: Remembered, now: number) {
  return { ...made, age: now - at };
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
