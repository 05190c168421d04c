/**
 * `socketioAuth` for npm socket.io on any runtime.
 *
 * @module
 */
import type { Options } from "../core/options.ts";
import { type Policy, resolvePolicy } from "../core/policy.ts";
import type { Session } from "../core/session.ts";
import { systemClock } from "./clock.ts";
import { Guard } from "./guard.ts";
import { install } from "./install.ts";
import { gateOf } from "./slot.ts";

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

/** What {@linkcode socketioAuth} returns. */
export interface Auth<User> {
  /**
   * The session of a socket, or `undefined` while it is not authenticated. In
   * a `disconnect` hook or listener it is still the session the socket had.
   */
  session(socket: object): Session<User> | undefined;
}

/**
 * Puts two-step authentication on a server, with every namespace it has now or
 * later, or on one namespace, which then has this policy instead of the
 * server's. Works in any order with `io.of`, `io.adapter`, `io.attach`,
 * `io.bind` and `io.listen`; a client that is connected already has to sign in
 * like any other.
 *
 * @param target a `Server` or `Namespace` of socket.io 4.6 or later
 * @param options the policy; only `authenticate` is required
 * @throws {TypeError} if the target cannot be made safe, or an option is wrong
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
  User,
  // deno-lint-ignore no-explicit-any -- credentials are what the client sends
  Credentials = any,
>(
  target: TargetServer<S> | TargetNamespace<S>,
  options: Options<S & Guarded, User, Credentials>,
): Auth<User> {
  const policy = resolvePolicy(options) as Policy<unknown>;
  const guard = new Guard(policy, systemClock);
  install(target, guard);
  return {
    session(socket) {
      const gate = gateOf(socket);
      return gate?.host === guard ? gate.session as Session<User> | undefined : undefined;
    },
  };
}
