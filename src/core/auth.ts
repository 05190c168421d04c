import type { Guard } from "./guard.ts";
import type { Stats } from "./journal.ts";
import type { Session } from "./session.ts";
import { parseRefresh, parseRevoke, parseTarget, type RevokeTarget } from "./targets.ts";
import type { Id } from "./users.ts";

/** Who is spared: a socket's whole client connection, or a session by its id. */
export type Spared = object | { readonly sessionId: Id };

/** What {@linkcode Auth.revoke} ends, and what the clients are told. */
export interface RevokeOptions {
  /**
   * Who is spared. A socket stands for its whole client connection, with its refresh in flight and
   * its recovery: "sign out everywhere else". `{ sessionId }` is for where there is no socket, as in
   * an HTTP route.
   */
  except?: Spared;
  /**
   * A socket that is signed in: only sessions and attempts whose sign-in began before that of this
   * socket are ended. If each sign-in of a user calls `revoke` so, exactly one session stays on all
   * nodes: the one that began last. Nothing happens if the socket is over. Not together with
   * `except`.
   */
  olderThan?: object;
  /**
   * What the clients are told, of 256 characters at most.
   *
   * @default "Session revoked"
   */
  message?: string;
  /**
   * Whether the clients are sent for fresh credentials instead of away.
   *
   * @default false
   */
  reconnect?: boolean;
}

/** What {@linkcode Auth.refresh} leaves to the sessions. */
export interface RefreshOptions {
  /** For how long a session may go on without a refresh, in milliseconds. */
  within: number;
  /** Who is spared, as in {@linkcode RevokeOptions.except}. */
  except?: Spared;
}

/** What `socketioAuth` returns. */
export interface Auth<User> {
  /**
   * The session of a socket, or `undefined` while it is not authenticated. A
   * socket that is over keeps the session it had, for `disconnect` hooks and
   * listeners.
   */
  session(socket: object): Session<User> | undefined;
  /**
   * The user of a socket that is authenticated, or whose session is over.
   *
   * @throws {TypeError} if nobody has signed in on that socket, or it is not under this policy
   */
  user(socket: object): User;
  /**
   * Ends sessions, on every node of the cluster: all of a user's, or one. Their
   * sockets are told `unauthorized` with the code `revoked`, and disconnected.
   * What the adapter keeps for recovery becomes worthless, and sign-ins that
   * have begun before and end after it are refused. Whoever signs in later is
   * welcome.
   *
   * On this node it has happened when the call returns. The other nodes are
   * told through the adapter of the main namespace, and again for a while if
   * some do not answer.
   *
   * @param target whose sessions
   * @param options whom to spare, and what to tell the clients
   * @returns the number of sockets that were ended here, and on the other nodes
   * that have answered within the adapter's own time limit (5 seconds with the
   * official ones). It does not reject for nodes that have not: that goes to
   * `onError`.
   * @throws {TypeError} as a rejection, if it is not one id, if an option is wrong, if a socket
   * among the options is over or not under this policy, or if there were sessions on this node and
   * none of them had such an id: then the revocation was carried out all the same, also on the other
   * nodes
   * @throws {RangeError} as a rejection, if `message` is too long
   */
  revoke(target: RevokeTarget, options?: RevokeOptions): Promise<number>;
  /**
   * Has sessions renewed, on every node of the cluster, because the rights of a user have changed.
   * No session or attempt that began before the call lasts longer than `within` milliseconds from
   * now, nor longer than it would have, and then without a `grace`: it ends with the code `expired`.
   * The clients are told by `authenticated` with the new end; `./client` refreshes then, at a random
   * time in the first half of it. A session that is renewed goes on. What is kept of lost connections
   * becomes worthless when the time is over. Nothing that was revoked comes back.
   *
   * @param target whose sessions
   * @param options how long, and whom to spare
   * @returns the number of sockets whose session ends by then, as with `revoke`
   * @throws as `revoke` does
   * @throws {RangeError} as a rejection, if `within` is not a finite number of at least 0
   */
  refresh(target: RevokeTarget, options: RefreshOptions): Promise<number>;
  /**
   * Signs a client out, in all its namespaces under this policy, and leaves it
   * connected. Its sockets are told `unauthorized` with the code `signed_out`
   * and end, with their `disconnect` listeners; new ones begin in their place,
   * by another CONNECT on the same transport: pending, with the time of
   * `timeout` to sign in, as any user. Nothing of the former user is left. Does
   * nothing if the client is not authenticated, or the socket is over.
   *
   * @throws {TypeError} if the socket is not under this policy
   */
  deauthenticate(socket: object): void;
  /** What has happened under this policy, on this node, since it was installed. */
  stats(): Stats;
}

/** A socket under a policy, as a binding finds it. */
export interface Found {
  readonly session: Session<unknown> | undefined;
  readonly connected: boolean;
  readonly connection: {
    readonly id: string;
    /** When its sign-in began, by the time of the cluster. */
    readonly stamp: number | undefined;
    signOut(): void;
  };
}

/** What the application gets; `find` knows the sockets that are, or were, under the policy. */
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
        "There is no user: nobody has signed in on this socket under this policy. In a " +
          'connection handler there is one, unless the option connection is "connected"; in ' +
          "io.use there is none yet.",
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
