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

export interface Target {
  readonly server: RawServer;
  /** The namespace, unless the policy is for the whole server. */
  readonly namespace?: RawNamespace;
  /** The name in messages, and towards the other nodes, where it is the same. */
  readonly name: string;
}

/**
 * Finds out what is to be guarded.
 *
 * @throws {TypeError} if `given` is not a server or namespace of a supported socket.io
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

/**
 * Names a parent. Socket.IO's own number counts the parents of all servers in a process, which
 * differs between nodes.
 */
function nameOfParent(parent: RawParentNamespace): string {
  return `parent namespace ${expressionOf(parent) ?? `number ${placeOf(parent)}`}`;
}
