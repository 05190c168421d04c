import type { Guard } from "./guard.ts";
import type { RawNamespace, RawServer } from "./internals.ts";

/** A registered symbol, so that a second copy of this package sees the first. */
const GUARD: unique symbol = Symbol.for("@socketio-auth/socketio-auth:guard");

interface Claimed {
  [GUARD]?: Guard<unknown>;
}

/**
 * Puts a server or namespace under a policy, for good.
 *
 * @throws {Error} if it has a policy of its own already
 */
export function claim(target: object & Claimed, guard: Guard<unknown>, what: string): void {
  if (target[GUARD]) throw new Error(`Cannot guard the ${what} twice: it has a policy already.`);
  Object.defineProperty(target, GUARD, { value: guard });
}

/** The policy of its own that a namespace has, if any. */
export function ownGuardOf(nsp: RawNamespace & Claimed): Guard<unknown> | undefined {
  return nsp[GUARD];
}

/** The policy a namespace is under. Its own comes before that of the server. */
export function guardOf(nsp: RawNamespace & Claimed): Guard<unknown> | undefined {
  return nsp[GUARD] ?? (nsp.server as RawServer & Claimed)[GUARD];
}
