/**
 * Finds the policy of a namespace: its own; else that of a pattern that covers it; else the
 * server's, unless the option `open` excludes it. Namespaces are known by name: Socket.IO may
 * remove an empty one and create it again.
 *
 * @module
 */
import type { Guard } from "../core/guard.ts";
import type { RawClient, RawNamespace, RawServer } from "./internals.ts";

const GUARD: unique symbol = Symbol("socketio-auth guard");
const GUARDS: unique symbol = Symbol("socketio-auth guards");
const COVER: unique symbol = Symbol("socketio-auth cover");

/** A registered symbol, so that a second copy of this package sees the first. */
const COPY: unique symbol = Symbol.for("@socketio-auth/socketio-auth:copy");

const THIS_COPY = {};

/** The policy of a pattern, and the rank of that pattern: the lowest one holds. */
interface Cover {
  readonly guard: Guard<unknown, RawClient>;
  readonly rank: number;
}

interface Claimed {
  [GUARD]?: Guard<unknown, RawClient>;
  [COVER]?: Cover;
}

interface ClaimedServer extends Claimed {
  [COPY]?: object;
  [GUARDS]?: Map<string, Guard<unknown, RawClient>>;
}

/**
 * Claims a server for this copy of the package: two copies would not know each other's sessions.
 *
 * @throws {Error} if another copy guards the server already
 */
export function claimForThisCopy(server: RawServer & ClaimedServer): void {
  if (!server[COPY]) Object.defineProperty(server, COPY, { value: THIS_COPY });
  if (server[COPY] === THIS_COPY) return;
  throw new Error(
    "Cannot guard: another copy of @socketio-auth/socketio-auth guards this server already. Have " +
      "one copy installed only, of one version.",
  );
}

/**
 * Puts a server under a policy, for good.
 *
 * @throws {Error} if the server has a policy already
 */
export function claimServer(server: RawServer & Claimed, guard: Guard<unknown, RawClient>): void {
  claimObject(server, guard);
}

/**
 * Puts a namespace, and every later one of the same name, under a policy of its own. If Socket.IO
 * has removed the namespace and created it again, it may be given another policy.
 *
 * @throws {Error} if the namespace has a policy of its own already
 */
export function claim(nsp: RawNamespace & Claimed, guard: Guard<unknown, RawClient>): void {
  claimObject(nsp, guard);
  const server = nsp.server as RawServer & ClaimedServer;
  if (!server[GUARDS]) Object.defineProperty(server, GUARDS, { value: new Map() });
  server[GUARDS]!.set(nsp.name, guard);
}

function claimObject(target: Claimed, guard: Guard<unknown, RawClient>): void {
  if (target[GUARD]) {
    throw new Error(`Cannot guard the ${guard.name} twice: it has a policy already.`);
  }
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

/** Namespaces that a pattern's function has not answered for yet. */
export const undecided: WeakMap<RawNamespace, Promise<void>> = new WeakMap();

export function isUndecided(nsp: RawNamespace): boolean {
  return undecided.has(nsp);
}

export function guardOf(nsp: RawNamespace & Claimed): Guard<unknown, RawClient> | undefined {
  const server = nsp.server as RawServer & ClaimedServer;
  const own = server[GUARDS]?.get(nsp.name) ?? nsp[COVER]?.guard;
  if (own) return own;
  const guard = server[GUARD];
  return guard?.policy.open(nsp.name) ? undefined : guard;
}
