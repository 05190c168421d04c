/**
 * The revocations that a node remembers: which of those for one target matter, and when they are
 * repeated.
 *
 * @module
 */
import { isOlder } from "./cluster_time.ts";
import type { Revocation } from "./interface.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import type { Previous } from "./states.ts";

/** How long after a revocation it is first repeated, in ms, approximately. */
export const FIRST_REMINDER = 1000;

/** The longest pause between repetitions, in ms, approximately. */
const LONGEST_PAUSE = 300_000;

/** How many ids of revocations are kept for one target, to recognize repetitions. */
const KNOWN = 16;

/** How many limits of one target are kept; the oldest beyond that are merged. */
const LIMITS = 8;

/** When a repetition is due: from `from`, along with others, and at `until` at the latest. */
interface Reminder {
  readonly from: number;
  readonly until: number;
}

export interface Remembered extends Omit<Revocation, "age"> {
  /** When it was made, by this node's monotonic clock. */
  readonly at: number;
  count: number;
  reminder: Reminder;
}

export interface Entry {
  /** The latest first. */
  readonly all: readonly Remembered[];
  /** The fewest with the effect of all. Only these are repeated. */
  readonly effective: readonly Remembered[];
  readonly due: Reminder;
}

export function entryOf(all: readonly Remembered[], now: number): Entry {
  const effective = effectiveOf(all, now);
  const due = {
    from: Math.min(...effective.map(({ reminder }) => reminder.from)),
    until: Math.min(...effective.map(({ reminder }) => reminder.until)),
  };
  return { all, effective, due };
}

/**
 * Adds a revocation to those of its target. Ids of ineffective ones are kept to recognize their
 * repetitions.
 */
export function insert(known: readonly Remembered[], added: Remembered, now: number): Entry {
  const sorted = [...known, added].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const all = boundLimits(sorted, now);
  // Of the revocations with `olderThan`, the greatest has the effect of all.
  const last = all.filter(({ olderThan }) => !olderThan).slice(0, KNOWN);
  const kept = new Set([...last, ...effectiveOf(all, now)]);
  return entryOf(all.filter((one) => kept.has(one)), now);
}

/** Returns whether a revocation of the target of a session applies to the session. */
export function covers(revocation: Remembered, whose: Previous): boolean {
  const { at, except, exceptSession, olderThan } = revocation;
  if (olderThan) {
    // A lost session of the connection that the stamp names belongs to that connection.
    return whose.connection !== olderThan.connection &&
      isOlder({ time: whose.stamp, connection: whose.connection }, olderThan);
  }
  const isSpared = except !== undefined && except === whose.connection ||
    exceptSession !== undefined && exceptSession === whose.sessionId;
  return !isSpared && (whose.since ?? -Infinity) <= at;
}

/** Returns whether the sessions have to be renewed instead of ending at once. */
export function isLimit({ within }: Remembered): boolean {
  return within !== undefined;
}

/** Returns until when the sessions may last, by the monotonic clock. */
export function untilOf({ at, within = 0 }: Remembered): number {
  return at + within;
}

export function refusalOf({ message, reconnect }: Remembered): Unauthorized {
  return {
    ...unauthorized("revoked"),
    ...message !== undefined && { message },
    ...reconnect !== undefined && { reconnect },
  };
}

export function asMessage(remembered: Remembered, now: number): Revocation {
  const { at, count: _count, reminder: _reminder, ...made } = remembered;
  return { ...made, age: now - at };
}

/**
 * Returns when to repeat a revocation. The pauses grow with its age: a node that was cut off hears
 * of it within the same time again, or some minutes. The pauses are random, so that no two nodes
 * repeat it at the same time: a node that hears a repetition skips its own.
 */
export function nextReminder(at: number, now: number): Reminder {
  const pause = Math.min(Math.max(now - at, FIRST_REMINDER), LONGEST_PAUSE);
  const after = (part: number) => now + Math.ceil(pause * part);
  return { from: after(0.75), until: after(0.75 + Math.random() / 2) };
}

/**
 * Returns the fewest revocations of a target with the effect of all, the latest first. Each spares
 * at most one connection or one session: of three that spare different ones, at least one applies
 * to any session.
 */
function effectiveOf(all: readonly Remembered[], now: number): readonly Remembered[] {
  if (all.length === 1) return all;
  const kept: Remembered[] = [];
  let mark: Remembered | undefined;
  for (const one of all) {
    if (one.olderThan) {
      if (!mark || isOlder(mark.olderThan!, one.olderThan)) mark = one;
    } else if (!kept.some((later) => isVain(one, later, now))) kept.push(one);
  }
  const vain = new Set(kept.filter((one) => !isLimit(one)).slice(3));
  return all.filter((one) => one === mark || kept.includes(one) && !vain.has(one));
}

/** Returns whether a later revocation includes the effect of an earlier one. */
function isVain(one: Remembered, later: Remembered, now: number): boolean {
  const sparesNoMore = (later.except === undefined || later.except === one.except) &&
    (later.exceptSession === undefined || later.exceptSession === one.exceptSession);
  if (!sparesNoMore) return false;
  if (!isLimit(later)) return true;
  return isLimit(one) && untilOf(later) <= Math.max(untilOf(one), now);
}

/** Merges the oldest limits if there are too many, sparing none and giving no more time. */
function boundLimits(all: readonly Remembered[], now: number): readonly Remembered[] {
  const limits = effectiveOf(all, now).filter(isLimit);
  if (limits.length <= LIMITS) return all;
  const oldest = limits.slice(LIMITS - 1);
  const [{ except: _except, exceptSession: _session, ...latest }] = oldest as [Remembered];
  const until = Math.min(...oldest.map(untilOf));
  const one = { ...latest, within: Math.max(until - latest.at, 0) };
  return all.flatMap((other) =>
    other === oldest[0] ? [one] : oldest.includes(other) ? [] : [other]
  );
}
