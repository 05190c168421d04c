import type { Guard } from "./guard.ts";
import type { Stats } from "./journal.ts";
import type { Session } from "./session.ts";
import { parseRefresh, parseRevoke, parseTarget, type RevokeTarget } from "./targets.ts";
import type { Id } from "./users.ts";

/** A client connection to spare, given by one of its sockets, or a session, given by its id. */
export type Spared = object | { readonly sessionId: Id };

/** Options of {@linkcode Auth.revoke}. */
export interface RevokeOptions {
  /**
   * A socket or session that is spared. A socket stands for its whole client connection, with its
   * refresh in flight and its recovery: "sign out everywhere else". Use `{ sessionId }` where there
   * is no socket, as in an HTTP route.
   */
  except?: Spared;
  /**
   * A socket that is signed in. Only sessions and attempts whose sign-in began before that of this
   * socket are ended. If every sign-in of a user calls `revoke` with this option, exactly one
   * session remains on all nodes: the one that began last. Does nothing if the session of the
   * socket is over. Cannot be combined with `except`.
   */
  olderThan?: object;
  /**
   * The text that the clients are told, of at most 256 characters.
   *
   * @default "Session revoked"
   */
  message?: string;
  /**
   * Whether the clients are told to connect again, with fresh credentials.
   *
   * @default false
   */
  reconnect?: boolean;
}

/** Options of {@linkcode Auth.refresh}. */
export interface RefreshOptions {
  /** How long a session may go on without a refresh, in milliseconds. */
  within: number;
  /** A socket or session that is spared, as in {@linkcode RevokeOptions.except}. */
  except?: Spared;
}

/** The object that `socketioAuth` returns. */
export interface Auth<User> {
  /**
   * Returns the session of a socket, or `undefined` while the socket is not authenticated. Once the
   * session is over it is still returned, for `disconnect` hooks and listeners.
   */
  session(socket: object): Session<User> | undefined;
  /**
   * Returns the user of a socket that is authenticated, or whose session is over.
   *
   * @throws {TypeError} if the socket has never been authenticated, or is not under this policy
   */
  user(socket: object): User;
  /**
   * Ends sessions on every node of the cluster: all sessions of a user, or one session. Their
   * sockets are told `unauthorized` with the code `revoked`, and disconnected. Connections that the
   * adapter keeps for recovery cannot be recovered. Attempts that began before the call are refused
   * when they end after it. Attempts that begin later are not affected: refuse them in the verifier
   * if the user is banned.
   *
   * On this node, all of this has happened when the call returns. The other nodes are told through
   * the adapter of the main namespace, and again for a while if some do not answer.
   *
   * @param target the user or session
   * @param options sessions to spare, and what the clients are told
   * @returns the number of sockets that were ended on this node, and on those that have answered
   * within the adapter's own time limit (5 seconds with the official adapters). Nodes that do not
   * answer are reported to `onError`, and cause no rejection.
   * @throws {TypeError} as a rejection: if `target` is not one id; if an option is wrong; if a
   * socket among the options is over or not under this policy; or if there were sessions on this
   * node and none of them has ever had such an id. In the last case the revocation was carried out,
   * also on the other nodes.
   * @throws {RangeError} as a rejection, if `message` is too long
   *
   * @example
   * ```ts
   * io.on("connection", (socket) => {
   *   const { id: userId } = auth.user(socket);
   *   // After a change of the password: sign out everywhere else.
   *   socket.on("password changed", () => auth.revoke({ userId }, { except: socket }));
   * });
   * ```
   */
  revoke(target: RevokeTarget, options?: RevokeOptions): Promise<number>;
  /**
   * Requires sessions to be renewed, on every node of the cluster, because the rights of a user
   * have changed. Sessions and attempts that began before the call end `within` milliseconds at the
   * latest, without a `grace`, with the code `expired`. The clients are told the new end by
   * `authenticated`; `./client` refreshes at a random time in the first half of it. A session that
   * is renewed goes on. Lost connections cannot be recovered once the time is over. Revoked
   * sessions stay revoked.
   *
   * @param target the user or session
   * @param options how long, and sessions to spare
   * @returns the number of sockets whose session ends by then, as with `revoke`
   * @throws {TypeError} as a rejection, as `revoke` does
   * @throws {RangeError} as a rejection, if `within` is not a finite number of at least 0
   */
  refresh(target: RevokeTarget, options: RefreshOptions): Promise<number>;
  /**
   * Signs a client out, in all its namespaces under this policy, and leaves it connected. Its
   * sockets are told `unauthorized` with the code `signed_out` and end, with their `disconnect`
   * listeners. New sockets begin in their place, by another CONNECT on the same transport: pending,
   * and with the time of the option `timeout` to sign in, as any user. No state of the former user
   * remains. Does nothing if the client is not authenticated, or the session of the socket is over.
   *
   * @throws {TypeError} if the socket is not under this policy
   */
  deauthenticate(socket: object): void;
  /** Returns the counters of this policy, on this node, since the policy was installed. */
  stats(): Stats;
}

/** The part of a guarded socket that a binding finds. */
export interface Found {
  readonly session: Session<unknown> | undefined;
  readonly connected: boolean;
  readonly connection: {
    readonly id: string;
    /** When the sign-in began, by the time of the cluster. */
    readonly stamp: number | undefined;
    signOut(): void;
  };
}

/**
 * Creates the object for the application. `find` returns sockets that are, or were, under the
 * policy.
 */
export function createAuth<User, S, T>(
  guard: Guard<S, T>,
  find: (socket: object) => Found | undefined,
): Auth<User> {
  return {
    session: (socket) => find(socket)?.session as Session<User> | undefined,
    user(socket) {
      const session = find(socket)?.session;
      if (session) return session.user as User;
      throw new TypeError(
        "There is no user: this socket has not signed in under this policy. In a connection " +
          'handler there is one, unless the option connection is "connected"; in io.use there is ' +
          "none yet.",
      );
    },
    async revoke(target, options = {}) {
      const revocation = { target: parseTarget(target), ...parseRevoke(options, find) };
      const isOver = revocation.olderThan?.time === -Infinity;
      return isOver ? 0 : await guard.revoke(revocation);
    },
    async refresh(target, options) {
      return await guard.revoke({
        target: parseTarget(target),
        ...parseRefresh(options, find),
      });
    },
    deauthenticate(socket) {
      const found = find(socket);
      if (!found) throw new TypeError("Cannot sign out: the socket is not under this policy.");
      if (found.connected) found.connection.signOut();
    },
    stats: () => guard.journal.stats,
  };
}
