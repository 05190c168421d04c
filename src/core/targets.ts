import { asId, type RevocationTarget } from "./session.ts";

/** Whose sessions to revoke: all of a user's, or a single one. */
export type RevokeTarget =
  | { userId: string | number | bigint; sessionId?: never }
  | { sessionId: string | number | bigint; userId?: never };

/**
 * Reads what the application wants revoked.
 *
 * @throws {TypeError} if it is not one id, or one that no session can have
 */
export function parseTarget(
  given: RevokeTarget,
  known: Record<"userId" | "sessionId", unknown>,
): RevocationTarget {
  const { userId, sessionId } = Object(given);
  const target = { userId: asId("userId", userId), sessionId: asId("sessionId", sessionId) };
  const names = (["userId", "sessionId"] as const).filter((name) => target[name] !== undefined);
  const [name] = names;
  if (!name || names.length > 1) {
    throw new TypeError("Cannot revoke: expected { userId } or { sessionId }, with one id in it.");
  }
  if (!known[name]) {
    throw new TypeError(
      `Cannot revoke by ${name}: without the option ${name}(user) no session has one.`,
    );
  }
  return { [name]: target[name] } as RevocationTarget;
}
