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

/** The part of a socket.io `Namespace` that the types need. */
export interface TargetNamespace<S> {
  /** The sockets of the namespace, by id. */
  readonly sockets: ReadonlyMap<string, S>;
}

/** The part of a socket.io `Server` that the types need. */
export interface TargetServer<S> {
  /** The main namespace. */
  readonly sockets: TargetNamespace<S>;
}

/** The property that a socket under a policy has. */
export interface Guarded {
  /** `true` while the client is authenticated, as in the original module. */
  auth: boolean;
}

/**
 * Puts a policy on a server or on one namespace: clients connect first, and sign in by an
 * `authentication` event. Also the default export.
 *
 * A policy on a server guards every namespace that the server has, now or later. A policy on a
 * namespace replaces the server's there. `socketioAuth` works in any order with `io.of`,
 * `io.adapter`, `io.attach`, `io.bind` and `io.listen`. A client that is connected already has to
 * sign in like any other.
 *
 * A pattern (`io.of(/^\/team-\d+$/)`) stands for its children and for every other namespace of a
 * matching name. If several patterns match, the oldest one counts. A namespace's own policy comes
 * before any pattern.
 *
 * @typeParam S the server's sockets
 * @typeParam User the user, as the verifier answers
 * @typeParam Credentials the credentials, as the schema or the verifier types them
 * @typeParam Own the sockets as the options type them
 * @param target a `Server` or `Namespace` of socket.io
 * @param options the policy; only `verify` (or the original's `authenticate`) is required
 * @returns the sessions of this policy: look-ups, revocation, counters
 * @throws {TypeError} if an option is wrong, or if the target is not of a supported version of
 * socket.io
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
