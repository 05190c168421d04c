/**
 * Which policy a namespace is under: its own; else that of a pattern that
 * covers it; else the server's, unless that leaves it open.
 *
 * @module
 */
import type { Guard } from "../core/guard.ts";
import type { RawClient, RawNamespace, RawServer } from "./internals.ts";

// Registered symbols, so that a second copy of this package sees the first.
const GUARD: unique symbol = Symbol.for("@socketio-auth/socketio-auth:guard");
const COVER: unique symbol = Symbol.for("@socketio-auth/socketio-auth:cover");

/** The policy of a pattern, and how far it has to stand back for another one's. */
interface Cover {
  readonly guard: Guard<unknown, RawClient>;
  readonly rank: number;
}

interface Claimed {
  [GUARD]?: Guard<unknown, RawClient>;
  [COVER]?: Cover;
}

/**
 * Puts a server or namespace under a policy of its own, for good.
 *
 * @throws {Error} if it has one already
 */
export function claim(
  target: object & Claimed,
  guard: Guard<unknown, RawClient>,
  what: string,
): void {
  if (target[GUARD]) throw new Error(`Cannot guard the ${what} twice: it has a policy already.`);
  Object.defineProperty(target, GUARD, { value: guard });
}

/** Puts a namespace under the policy of a pattern. Of several, the lowest rank holds. */
export function cover(
  nsp: RawNamespace & Claimed,
  guard: Guard<unknown, RawClient>,
  rank: number,
): void {
  if (nsp[COVER] && nsp[COVER].rank <= rank) return;
  Object.defineProperty(nsp, COVER, { value: { guard, rank }, configurable: true });
}

/** The policy a namespace is under, if any. */
export function guardOf(nsp: RawNamespace & Claimed): Guard<unknown, RawClient> | undefined {
  const own = nsp[GUARD] ?? nsp[COVER]?.guard;
  if (own) return own;
  const guard = (nsp.server as RawServer & Claimed)[GUARD];
  return guard?.policy.isOpen(nsp.name) ? undefined : guard;
}
