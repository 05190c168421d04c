import type { Clock } from "./interface.ts";

/** A user's session on one client connection, shared by all its namespaces. */
export interface Session<User> {
  /** The user, as the verifier has answered. */
  readonly user: User;
  /** The user's stable id, if it is known. */
  readonly userId?: string;
  /** The session's own stable id, if it is known. */
  readonly sessionId?: string;
  /** When the server accepted the credentials, in epoch milliseconds. */
  readonly authenticatedAt: number;
  /** When the session ends, in epoch milliseconds; absent if it does not end by itself. */
  readonly expiresAt?: number;
}

export type Subject = Pick<Session<unknown>, "userId" | "sessionId">;

export function subjectOf({ userId, sessionId }: Subject): Subject {
  return { ...userId !== undefined && { userId }, ...sessionId !== undefined && { sessionId } };
}

export type RevocationTarget = { readonly userId: string } | { readonly sessionId: string };

/** The ends of sessions that were shortened, by the monotonic clock. */
const limits = new WeakMap<Session<unknown>, number>();

/**
 * Returns the session with an earlier end and without a grace: `until` by the monotonic clock,
 * which is about `at` by the wall clock.
 */
export function limit(session: Session<unknown>, until: number, at: number): Session<unknown> {
  if (until === Infinity) return session;
  const { expiresAt = Infinity } = session;
  const shorter = { ...session, expiresAt: Math.min(expiresAt, at) };
  limits.set(shorter, Math.min(until, limitOf(session)));
  return shorter;
}

/** Returns when a session ends at the latest, by the monotonic clock. */
export function limitOf(session: Session<unknown>): number {
  return limits.get(session) ?? Infinity;
}

export function endOf(session: Session<unknown>, grace: number): number {
  const { expiresAt = Infinity } = session;
  return limits.has(session) ? expiresAt : expiresAt + grace;
}

export function isExpired(session: Session<unknown>, clock: Clock, grace: number): boolean {
  return endOf(session, grace) <= clock.now() || limitOf(session) <= clock.monotonic();
}

/** In seconds these are the years 1973 to 5138; in milliseconds they are all before 1974. */
const SECONDS = { from: 1e8, to: 1e11 };

/**
 * Reads the end of a session, in epoch milliseconds.
 *
 * @throws {TypeError | RangeError} if the value cannot be a time
 */
export function asTime(time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (ms === 0) {
    throw new RangeError(
      "expiresAt must be nothing where a session does not end: 0 is the year 1970. " +
        "(null * 1000 is 0, too.)",
    );
  }
  if (typeof ms !== "number" || !Number.isFinite(ms)) {
    throw new TypeError("expiresAt must be a valid Date, epoch milliseconds or nothing.");
  }
  if (ms >= SECONDS.from && ms < SECONDS.to) {
    throw new RangeError(
      `expiresAt must be in milliseconds, and ${ms} can only be seconds: multiply it by 1000.`,
    );
  }
  return ms;
}

/** Returns whether both sessions belong to one user. Without ids, users cannot be told apart. */
export function sameUser(a: Subject, b: Subject): boolean {
  return a.userId !== undefined && a.userId === b.userId;
}

export function isTarget(target: RevocationTarget, { userId, sessionId }: Subject): boolean {
  return "userId" in target ? target.userId === userId : target.sessionId === sessionId;
}
