import { Awareness } from "./awareness.ts";
import type { Connection } from "./connection.ts";
import type { Clock, Revocation } from "./interface.ts";
import type { Unauthorized } from "../protocol.ts";
import {
  asMessage,
  covers,
  type Entry,
  entryOf,
  insert,
  isLimit,
  nextReminder,
  refusalOf,
  type Remembered,
  untilOf,
} from "./remembered.ts";
import { isTarget, type RevocationTarget } from "./session.ts";
import type { Previous } from "./states.ts";

/**
 * For how long a revocation is remembered at least, in ms: a node that was cut
 * off for less hears of it when it is back.
 */
const MEMORY = 3_600_000;

/** How many are remembered at most; of more, the oldest are forgotten. */
const CAPACITY = 100_000;

/** How old a revocation is that should have been heard of before, in ms. */
const OVERDUE = 5000;

/** What is known of a session that may be meant: whose it is, and when its sign-in began. */
export type Whose = Previous;

/** A connection, as far as revocations are concerned. */
export type Revocable = Pick<
  Connection<unknown, unknown>,
  "id" | "concerns" | "revoke" | "limit" | "verifyingSince"
>;

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
  readonly #entries: Map<string, Entry> = new Map();
  /** How many revocations there are in them. */
  #size = 0;

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
    const { all: known } = this.#entries.get(keyOf(made.target)) ?? { all: [] };
    const again = known.find(({ id }) => id === made.id);
    if (again) {
      again.reminder = nextReminder(again.at, now);
      this.#keep(made.target, entryOf(known, now));
      return again.count;
    }
    const at = now - age;
    const added = { ...made, at, count: 0, reminder: nextReminder(at, now) };
    const entry = insert(known, added, now);
    const isNews = entry.effective.includes(added);
    if (isNews && age > OVERDUE && at > this.awareness.since) this.awareness.lose();
    // Remembered first: what the application does when its sockets go must find it.
    this.#remember(added.target, entry);
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
        isTarget(target, whose) && covers(revocation, { ...whose, connection: connection.id });
      count += isLimit(revocation)
        ? connection.limit(isMeant, untilOf(revocation))
        : connection.revoke(isMeant, refusalOf(revocation));
    }
    return count;
  }

  /** Whether none is remembered. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Why a session must not be, or be recovered, if it is revoked. */
  refusalFor(whose: Whose): Unauthorized | undefined {
    const ending = this.#find(whose).find((revocation) => !isLimit(revocation));
    return ending && refusalOf(ending);
  }

  /** When a session ends at the latest because the rights have changed, by the monotonic clock. */
  limitOf(whose: Whose): number {
    return Math.min(...this.#find(whose).filter(isLimit).map(untilOf));
  }

  /** Those that a session is meant by. */
  #find(whose: Whose): Remembered[] {
    if (this.#entries.size === 0) return [];
    const { userId, sessionId } = whose;
    return [
      ...userId === undefined ? [] : this.#entries.get(keyOf({ userId }))?.all ?? [],
      ...sessionId === undefined ? [] : this.#entries.get(keyOf({ sessionId }))?.all ?? [],
    ].filter((revocation) => covers(revocation, whose));
  }

  /** When the next one is to be said again, if there is any. */
  get nextDue(): number | undefined {
    let next = Infinity;
    for (const { due } of this.#entries.values()) if (due.until < next) next = due.until;
    return next < Infinity ? next : undefined;
  }

  /** Those that are to be said again now, and counts them as said. */
  takeDue(): Revocation[] {
    this.#prune();
    const now = this.#clock.monotonic();
    const said: Revocation[] = [];
    for (const [key, { all, due }] of this.#entries) {
      if (due.from > now) continue;
      // All of a target together: none is heard of without the others.
      for (const one of entryOf(all, now).effective) {
        one.reminder = nextReminder(one.at, now);
        said.push(asMessage(one, now));
      }
      this.#entries.set(key, entryOf(all, now));
    }
    return said;
  }

  #remember(target: RevocationTarget, entry: Entry): void {
    this.#forget(keyOf(target));
    this.#keep(target, entry);
    this.#prune();
  }

  #keep(target: RevocationTarget, entry: Entry): void {
    const key = keyOf(target);
    this.#size += entry.all.length - (this.#entries.get(key)?.all.length ?? 0);
    this.#entries.set(key, entry);
  }

  #forget(key: string): void {
    this.#size -= this.#entries.get(key)?.all.length ?? 0;
    this.#entries.delete(key);
  }

  #prune(): void {
    const horizon = this.#horizon();
    for (const [key, { all: [last] }] of this.#entries) {
      if (last!.at >= horizon && this.#size <= CAPACITY) return;
      if (last!.at > this.#clock.monotonic() - this.#retention) this.awareness.lose();
      this.#forget(key);
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

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
