/**
 * What a node remembers of revocations: which of one target matter, and when they are said again.
 *
 * @module
 */
import { isOlder } from "./cluster_time.ts";
import type { Revocation } from "./interface.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import type { Previous } from "./states.ts";

/** How long after a revocation it is said again for the first time, in ms, or so. */
export const FIRST_REMINDER = 1000;

/** The longest pause before it is said again, in ms, or so. */
const LONGEST_PAUSE = 300_000;

/** How many revocations of one target are known by their ids at most, for when they are heard again. */
const KNOWN = 16;

/** How many limits of one target are kept apart; of more, the oldest are made one that is as strict. */
const LIMITS = 8;

/** When nodes are to be told again: when at the earliest, along with others, and when at the latest. */
interface Reminder {
  readonly from: number;
  readonly until: number;
}

/** A revocation that this node has carried out. */
export interface Remembered extends Omit<Revocation, "age"> {
  /** When it was made, by this node's monotonic clock. */
  readonly at: number;
  /** How many sockets it ended here. */
  count: number;
  reminder: Reminder;
}

/** What is remembered of one target. */
export interface Entry {
  /** The last one first. */
  readonly all: readonly Remembered[];
  /** The fewest that do what all of them do. Only these are said again. */
  readonly effective: readonly Remembered[];
  /** When one of them is to be said again. */
  readonly due: Reminder;
}

/** What is remembered of a target with these revocations. */
export function entryOf(all: readonly Remembered[], now: number): Entry {
  const effective = effectiveOf(all, now);
  const due = {
    from: Math.min(...effective.map(({ reminder }) => reminder.from)),
    until: Math.min(...effective.map(({ reminder }) => reminder.until)),
  };
  return { all, effective, due };
}

/**
 * Adds a revocation to those of its target. Only the effective ones matter; the
 * ids of others are kept so that they are no news when they are heard again.
 */
export function insert(known: readonly Remembered[], added: Remembered, now: number): Entry {
  const sorted = [...known, added].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const all = boundLimits(sorted, now);
  // Of those that say who is older, the greatest is all there is to know.
  const last = all.filter(({ olderThan }) => !olderThan).slice(0, KNOWN);
  const kept = new Set([...last, ...effectiveOf(all, now)]);
  return entryOf(all.filter((one) => kept.has(one)), now);
}

/** Whether a revocation of its user, or of itself, means a session. */
export function covers(revocation: Remembered, whose: Previous): boolean {
  const { at, except, exceptSession, olderThan } = revocation;
  if (olderThan) {
    // What was lost of the connection that the stamp is of belongs to that.
    return whose.connection !== olderThan.connection &&
      isOlder({ time: whose.stamp, connection: whose.connection }, olderThan);
  }
  const isSpared = except !== undefined && except === whose.connection ||
    exceptSession !== undefined && exceptSession === whose.sessionId;
  return !isSpared && (whose.since ?? -Infinity) <= at;
}

/** Whether it leaves sessions some time. */
export function isLimit({ within }: Remembered): boolean {
  return within !== undefined;
}

/** Until when sessions may last that it means, by the monotonic clock. */
export function untilOf({ at, within = 0 }: Remembered): number {
  return at + within;
}

/** What a client is told that it ends. */
export function refusalOf({ message, reconnect }: Remembered): Unauthorized {
  return {
    ...unauthorized("revoked"),
    ...message !== undefined && { message },
    ...reconnect !== undefined && { reconnect },
  };
}

/** As it is said again. */
export function asMessage(remembered: Remembered, now: number): Revocation {
  const { at, count: _count, reminder: _reminder, ...made } = remembered;
  return { ...made, age: now - at };
}

/**
 * When to say a revocation again: ever more rarely, so that whoever was cut off
 * hears of it within as long again, or some minutes; and no two nodes at the same time, for whoever
 * hears another say it waits for the next time.
 */
export function nextReminder(at: number, now: number): Reminder {
  const pause = Math.min(Math.max(now - at, FIRST_REMINDER), LONGEST_PAUSE);
  const after = (part: number) => now + Math.ceil(pause * part);
  return { from: after(0.75), until: after(0.75 + Math.random() / 2) };
}

/**
 * The fewest revocations of a target that do what all of them do, the last one first. Each spares
 * one connection or one session at most, so that of three which spare differently one means any
 * session.
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

/** Whether a revocation does nothing that a later one does not do, too. */
function isVain(one: Remembered, later: Remembered, now: number): boolean {
  const sparesNoMore = (later.except === undefined || later.except === one.except) &&
    (later.exceptSession === undefined || later.exceptSession === one.exceptSession);
  if (!sparesNoMore) return false;
  if (!isLimit(later)) return true;
  return isLimit(one) && untilOf(later) <= Math.max(untilOf(one), now);
}

/** Makes the oldest limits one, if there are too many. It spares nobody, and gives no more time. */
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
