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

/**
 * Whether two sessions belong to the same user. Users without an id
 * cannot be told apart, and count as the same.
 */
export function sameSubject(a: Session<unknown>, b: Session<unknown>): boolean {
  return a.userId === b.userId;
}
