/**
 * `socketioAuth` for npm socket.io on any runtime.
 *
 * @module
 */
import { type Auth, createAuth } from "../core/auth.ts";
import { Guard } from "../core/guard.ts";
import type { Options } from "../core/options.ts";
import { type Policy, refuseOption, resolvePolicy } from "../core/policy.ts";
import { bindingOf } from "./binding.ts";
import { Cluster } from "./cluster/cluster.ts";
import { gateOf } from "./gate/prototype.ts";
import type { SocketIoGuard } from "./guarding.ts";
import { install } from "./install.ts";
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
 * @param options the policy; `verify` (or the original's `authenticate`) is all that is required
 * @throws {TypeError} if the target cannot be made safe, as of a version of
 * socket.io that is not supported, or if an option is wrong
 * @throws {RangeError} if a number among the options is out of range
 * @throws {Error} if the target has a policy already, or another copy of this package guards the
 * server
 *
 * @example
 * ```ts
 * const auth = socketioAuth(io, {
 *   async verify(_socket, credentials) {
 *     const { username, password } = Object(credentials);
 *     return await checkPassword(username, password); // falsy: "Authentication failure"
 *   },
 * });
 * ```
 */
export function socketioAuth<
  S extends object,
  User,
  // deno-lint-ignore no-explicit-any -- credentials are what the client sends
  Credentials = any,
  Own extends S = S,
>(
  target: TargetServer<S> | TargetNamespace<S>,
  options: Options<Own & Guarded, User, Credentials>,
): Auth<User> {
  const place = findTarget(target);
  if (place.namespace) refuseOption(options, "open", "a namespace; it is for a server");
  const policy = resolvePolicy(options) as Policy<unknown>;
  const guard: SocketIoGuard = new Guard(policy, bindingOf(place));
  install(place, guard);
  Cluster.of(place.server).join(guard);
  return createAuth(guard, (socket) => {
    const gate = gateOf(socket);
    return gate?.guard === guard ? gate : undefined;
  });
}
