/**
 * `socketioAuth` for npm socket.io on any runtime.
 *
 * @module
 */
import type { Stats } from "../core/journal.ts";
import type { Options, UserOf } from "../core/options.ts";
import { type Policy, resolvePolicy } from "../core/policy.ts";
import type { Session } from "../core/session.ts";
import { parseTarget, type RevokeTarget } from "../core/targets.ts";
import { tellAddresses } from "./bun_engine.ts";
import { systemClock } from "./clock.ts";
import type { Gate } from "./gate.ts";
import { Guard } from "./guard.ts";
import { install } from "./install.ts";
import { gateOf } from "./slot.ts";
import { findTarget } from "./target.ts";

/** A namespace of socket.io, as far as types are concerned. */
export interface TargetNamespace<S> {
  /** Its sockets, by id. */
  readonly sockets: ReadonlyMap<string, S>;
}

/** A server of socket.io, as far as types are concerned. */
export interface TargetServer<S> {
  /** Its main namespace. */
  readonly sockets: TargetNamespace<S>;
}

/** A socket under a policy. */
export interface Guarded {
  /** `true` while the client is authenticated: the flag of the original module. */
  auth: boolean;
}

/** Whom {@linkcode Auth.revoke} spares. */
export interface RevokeOptions {
  /**
   * A socket whose whole client connection is spared, with its refresh in
   * flight and its recovery: "sign out everywhere else", "one session per user".
   */
  except?: object;
}

/** What {@linkcode socketioAuth} returns. */
export interface Auth<User> {
  /**
   * The session of a socket, or `undefined` while it is not authenticated. A
   * socket that is over keeps the session it had, for `disconnect` hooks and
   * listeners.
   */
  session(socket: object): Session<User> | undefined;
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
   * @throws {TypeError} as a rejection, if it is not one id, if there is no
   * option `sessionId` by which a session could be found, or if the socket that
   * is to be spared is not under this policy
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

/**
 * Puts two-step authentication on a server, with every namespace it has now or
 * later, or on one namespace, which then has this policy instead of the
 * server's. Works in any order with `io.of`, `io.adapter`, `io.attach`,
 * `io.bind` and `io.listen`; a client that is connected already has to sign in
 * like any other.
 *
 * A pattern (`io.of(/^\/team-\d+$/)`) stands for its children and for every
 * other namespace of a matching name, whenever and however that came about. Of
 * several patterns the oldest counts, and a namespace's own policy before any.
 *
 * @param target a `Server` or `Namespace` of socket.io
 * @param options the policy; only `authenticate` is required
 * @throws {TypeError} if the target cannot be made safe, as of a version of
 * socket.io that is not supported, or if an option is wrong
 * @throws {RangeError} if a number among the options is out of range
 * @throws {Error} if the target has a policy already
 *
 * @example
 * ```ts
 * const auth = socketioAuth(io, {
 *   async authenticate(socket, { username, password }) {
 *     const user = await db.findUser(username);
 *     if (!user) throw new AuthError("User not found");
 *     return (await verify(user.hash, password)) && user;
 *   },
 * });
 * ```
 */
export function socketioAuth<
  S extends object,
  Returned,
  // deno-lint-ignore no-explicit-any -- credentials are what the client sends
  Credentials = any,
  CalledBack = unknown,
  Own extends S = S,
>(
  target: TargetServer<S> | TargetNamespace<S>,
  options: Options<Own & Guarded, Returned, Credentials, CalledBack>,
): Auth<UserOf<Returned, CalledBack>> {
  type User = UserOf<Returned, CalledBack>;
  const place = findTarget(target);
  const policy = resolvePolicy(options) as Policy<unknown>;
  if (place.namespace && options.open !== undefined) {
    throw new TypeError("Cannot guard: the option open is for a server, and this is a namespace.");
  }
  const guard = new Guard(policy, systemClock, place);
  install(place, guard);
  tellAddresses(place.server);

  function gateUnderThisPolicy(socket: object): Gate<unknown> | undefined {
    const gate = gateOf(socket);
    return gate?.host === guard ? gate : undefined;
  }

  return {
    session: (socket) => gateUnderThisPolicy(socket)?.session as Session<User> | undefined,
    async revoke(target, { except } = {}) {
      const gate = except && gateUnderThisPolicy(except);
      if (except && !gate) {
        throw new TypeError("Cannot revoke: the socket to spare is not under this policy.");
      }
      return await guard.revoke(parseTarget(target, guard.policy), gate?.connectionId);
    },
    deauthenticate(socket) {
      const gate = gateUnderThisPolicy(socket);
      if (!gate) throw new TypeError("Cannot sign out: the socket is not under this policy.");
      gate.signOut();
    },
    stats: () => guard.journal.stats,
  };
}
