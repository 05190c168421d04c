/** A user's session on one client connection, shared by all its namespaces. */
export interface Session<User> {
  /** What `authenticate` answered. */
  readonly user: User;
  /** What the option `userId` made of it. */
  readonly userId?: string;
  /** What the option `sessionId` made of it. */
  readonly sessionId?: string;
  /** When the server accepted the credentials, in epoch milliseconds. */
  readonly authenticatedAt: number;
  /** When the session ends, in epoch milliseconds. */
  readonly expiresAt?: number;
}

/**
 * Whether two sessions belong to the same user. Without the option `userId`
 * users cannot be told apart, and count as the same.
 */
export function sameSubject(a: Session<unknown>, b: Session<unknown>): boolean {
  return a.userId === b.userId;
}
