import type { Guard } from "./guard.ts";
import type { Stats } from "./journal.ts";
import type { Session } from "./session.ts";
import { parseTarget, type RevokeTarget } from "./targets.ts";

/** Whom {@linkcode Auth.revoke} spares. */
export interface RevokeOptions {
  /**
   * A socket whose whole client connection is spared, with its refresh in
   * flight and its recovery: "sign out everywhere else", "one session per user".
   */
  except?: object;
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
   * @param options whom to spare
   * @returns the number of sockets that were ended here, and on the other nodes
   * that have answered within the adapter's own time limit (5 seconds with the
   * official ones). It does not reject for nodes that have not: that goes to
   * `onError`.
   * @throws {TypeError} as a rejection, if it is not one id, if the socket that is to be spared
   * is not under this policy, or if there were sessions on this node and none of them had such an
   * id: then the revocation was carried out all the same, also on the other nodes
   */
  revoke(target: RevokeTarget, options?: RevokeOptions): Promise<number>;
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
  readonly connection: { readonly id: string; signOut(): void };
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
    async revoke(target, { except } = {}) {
      const spared = except && find(except);
      if (except && !spared) {
        throw new TypeError("Cannot revoke: the socket to spare is not under this policy.");
      }
      return await guard.revoke(parseTarget(target), spared?.connection.id);
    },
    deauthenticate(socket) {
      const found = find(socket);
      if (!found) throw new TypeError("Cannot sign out: the socket is not under this policy.");
      if (found.connected) found.connection.signOut();
    },
    stats: () => guard.journal.stats,
  };
}
