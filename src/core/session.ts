import { isText } from "./checks.ts";

/** A user's session on one client connection, shared by all its namespaces. */
export interface Session<User> {
  /** What `authenticate` answered. */
  readonly user: User;
  /** The user's stable id, where it is known. */
  readonly userId?: string;
  /** The session's own stable id, where it is known. */
  readonly sessionId?: string;
  /** When the server accepted the credentials, in epoch milliseconds. */
  readonly authenticatedAt: number;
  /** When the session ends, in epoch milliseconds. */
  readonly expiresAt?: number;
}

/** Whose session it is, and which. */
export type Subject = Pick<Session<unknown>, "userId" | "sessionId">;

/** What identifies a session. */
export function subjectOf({ userId, sessionId }: Subject): Subject {
  return { ...userId !== undefined && { userId }, ...sessionId !== undefined && { sessionId } };
}

/** Which sessions a revocation is about: all of a user's, or one. */
export type RevocationTarget = { readonly userId: string } | { readonly sessionId: string };

/** What a policy says of users. */
interface Particulars {
  userId(user: unknown): unknown;
  readonly sessionId: ((user: unknown) => unknown) | undefined;
  readonly expiresAt: ((user: unknown) => unknown) | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The session of a user whose credentials were accepted `now`.
 *
 * @throws whatever the application's own functions throw
 * @throws {TypeError | RangeError} if one of them returns what cannot be used
 */
export function createSession(policy: Particulars, user: unknown, now: number): Session<unknown> {
  const userId = asId("userId", policy.userId(user));
  const sessionId = asId("sessionId", policy.sessionId?.(user));
  const expiresAt = asTime("expiresAt", policy.expiresAt?.(user));
  const session: Mutable<Session<unknown>> = { user, authenticatedAt: now };
  if (userId !== undefined) session.userId = userId;
  if (sessionId !== undefined) session.sessionId = sessionId;
  if (expiresAt !== undefined) session.expiresAt = expiresAt;
  return session;
}

/** Whether a session is over, with the grace it is given. */
export function isExpired({ expiresAt }: Session<unknown>, now: number, grace: number): boolean {
  return expiresAt !== undefined && expiresAt + grace <= now;
}

/**
 * Ids of databases are often numbers; as text they compare the same on every
 * node. What any number of users would share is no id.
 */
export function asId(name: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === "bigint" || Number.isFinite(id)) return `${id}`;
  if (isText(id)) return id;
  const given = typeof id === "number" || id === "" ? JSON.stringify(`${id}`) : typeof id;
  throw new TypeError(
    `${name} must be text that is not empty, a finite number, a bigint or nothing, not ${given}.`,
  );
}

/** The `id` of a user, where it has one that can tell users apart. */
export function idOf(user: unknown): unknown {
  const { id } = Object(user);
  return ["string", "number", "bigint"].includes(typeof id) ? id : undefined;
}

/**
 * In seconds these are the years 1973 to 5138; in milliseconds they were over
 * before there was anybody to sign in.
 */
const SECONDS = { from: 1e8, to: 1e11 };

function asTime(name: string, time: unknown): number | undefined {
  if (time === undefined || time === null || time === Infinity) return undefined;
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms !== "number" || !Number.isFinite(ms)) {
    throw new TypeError(`${name} must return a valid Date, epoch milliseconds or nothing.`);
  }
  if (ms >= SECONDS.from && ms < SECONDS.to) {
    throw new RangeError(
      `${name} must be in milliseconds, and ${ms} can only be seconds: multiply it by 1000.`,
    );
  }
  return ms;
}

/**
 * Whether two sessions belong to the same user. Users without an id
 * cannot be told apart, and count as the same.
 */
export function sameUser(a: Subject, b: Subject): boolean {
  return a.userId === b.userId;
}

/** Whether a revocation is about this session. */
export function isTarget(target: RevocationTarget, { userId, sessionId }: Subject): boolean {
  return "userId" in target ? target.userId === userId : target.sessionId === sessionId;
}
