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
 * How long a revocation is remembered at least, in ms: a node that was cut off for a shorter time
 * hears of it afterwards.
 */
const MEMORY = 3_600_000;

/** How many revocations are remembered. Beyond that, the oldest are forgotten. */
const CAPACITY = 100_000;

/** The age of a new revocation from which on the node must have missed its first message, in ms. */
const OVERDUE = 5000;

export type Whose = Previous;

export type Revocable = Pick<
  Connection<unknown, unknown>,
  "id" | "concerns" | "revoke" | "limit" | "verifyingSince"
>;

/**
 * The revocations under one policy. Each is carried out on the existing connections, and
 * remembered: for attempts in flight, for connections that may be recovered, and for repetition to
 * other nodes.
 */
export class Revocations {
  readonly awareness: Awareness;
  readonly #clock: Clock;
  readonly #retention: number;
  /** The connections that are pending or signed in. */
  readonly connections: Set<Revocable> = new Set();
  /** The remembered revocations by target, the one with the oldest news first. */
  readonly #entries: Map<string, Entry> = new Map();
  /** How many revocations are remembered. */
  size = 0;

  /** Remembers each revocation for at least `retention` milliseconds. */
  constructor(clock: Clock, retention: number) {
    this.awareness = new Awareness(clock);
    this.#clock = clock;
    this.#retention = retention;
  }

  /** Carries out a revocation, once. Returns how many sockets it has ended here. */
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
    this.#remember(added.target, entry);
    added.count = this.#carryOut(added);
    return added.count;
  }

  #carryOut(revocation: Remembered): number {
    const { target } = revocation;
    let count = 0;
    // There may be many connections: only those concerned are asked further.
    const concerned: Revocable[] = [];
    for (const connection of this.connections) {
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

  /** Returns why a session must not begin or be recovered, if it is revoked. */
  refusalFor(whose: Whose): Unauthorized | undefined {
    const ending = this.#find(whose).find((revocation) => !isLimit(revocation));
    return ending && refusalOf(ending);
  }

  /** Returns until when a session may last after a change of rights, by the monotonic clock. */
  limitOf(whose: Whose): number {
    return Math.min(...this.#find(whose).filter(isLimit).map(untilOf));
  }

  #find(whose: Whose): Remembered[] {
    if (this.#entries.size === 0) return [];
    const { userId, sessionId } = whose;
    return [
      ...userId === undefined ? [] : this.#entries.get(keyOf({ userId }))?.all ?? [],
      ...sessionId === undefined ? [] : this.#entries.get(keyOf({ sessionId }))?.all ?? [],
    ].filter((revocation) => covers(revocation, whose));
  }

  get nextDue(): number | undefined {
    let next = Infinity;
    for (const { due } of this.#entries.values()) if (due.until < next) next = due.until;
    return next < Infinity ? next : undefined;
  }

  /** Returns the revocations that are due for repetition, and counts them as repeated. */
  takeDue(): Revocation[] {
    this.#prune();
    const now = this.#clock.monotonic();
    const said: Revocation[] = [];
    for (const [key, { all, due }] of this.#entries) {
      if (due.from > now) continue;
      // All of a target are repeated together.
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
    this.size += entry.all.length - (this.#entries.get(key)?.all.length ?? 0);
    this.#entries.set(key, entry);
  }

  #forget(key: string): void {
    this.size -= this.#entries.get(key)?.all.length ?? 0;
    this.#entries.delete(key);
  }

  #prune(): void {
    const horizon = this.#horizon();
    for (const [key, { all: [last] }] of this.#entries) {
      if (last!.at >= horizon && this.size <= CAPACITY) return;
      if (last!.at > this.#clock.monotonic() - this.#retention) this.awareness.lose();
      this.#forget(key);
    }
  }

  /** The time before which no revocation matters any more. */
  #horizon(): number {
    let horizon = this.#clock.monotonic() - Math.max(this.#retention, MEMORY);
    for (const { verifyingSince } of this.connections) {
      if (verifyingSince !== undefined && verifyingSince < horizon) horizon = verifyingSince;
    }
    return horizon;
  }
}

function keyOf(target: RevocationTarget): string {
  return "userId" in target ? `user ${target.userId}` : `session ${target.sessionId}`;
}
