import type { RevocationTarget } from "./session.ts";
import { asId, type Id } from "./users.ts";

/** Whose sessions to revoke: all of a user's, or a single one. */
export type RevokeTarget = { userId: Id; sessionId?: never } | { sessionId: Id; userId?: never };

/**
 * Reads what the application wants revoked.
 *
 * @throws {TypeError} if it is not one id
 */
export function parseTarget(given: RevokeTarget): RevocationTarget {
  const { userId, sessionId } = Object(given);
  const target = { userId: asId("userId", userId), sessionId: asId("sessionId", sessionId) };
  const names = (["userId", "sessionId"] as const).filter((name) => target[name] !== undefined);
  const [name] = names;
  if (!name || names.length > 1) {
    throw new TypeError("Cannot revoke: expected { userId } or { sessionId }, with one id in it.");
  }
  return { [name]: target[name] } as RevocationTarget;
}
