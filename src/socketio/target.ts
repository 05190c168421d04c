import {
  isNamespace,
  isParent,
  isServer,
  type RawNamespace,
  type RawParentNamespace,
  type RawServer,
} from "./internals.ts";
import { expressionOf, placeOf } from "./patterns.ts";
import { checkServer, SUPPORTED } from "./supported.ts";

/** What a policy is for. */
export interface Target {
  readonly server: RawServer;
  /** The namespace, if it is not for the whole server. */
  readonly namespace?: RawNamespace;
  /** Names it in messages: to people, and to the other nodes, where it is the same. */
  readonly name: string;
}

/**
 * Finds out what is to be guarded.
 *
 * @throws {TypeError} if it is no server or namespace that can be made safe
 */
export function findTarget(given: unknown): Target {
  const isNsp = isNamespace(given);
  if (!isNsp && !isServer(given)) {
    throw new TypeError(
      `Cannot guard: expected a Server or a Namespace of socket.io ${SUPPORTED}.`,
    );
  }
  checkServer(isNsp ? given.server : given);
  if (!isNsp) return { server: given, name: "server" };
  const name = isParent(given) ? nameOfParent(given) : `namespace "${given.name}"`;
  return { server: given.server, namespace: given, name };
}

/** Socket.IO numbers parents through all servers of a process: that differs between nodes. */
function nameOfParent(parent: RawParentNamespace): string {
  return `parent namespace ${expressionOf(parent) ?? `number ${placeOf(parent)}`}`;
}
