import {
  isNamespace,
  isParent,
  isServer,
  type RawNamespace,
  type RawParentNamespace,
  type RawServer,
} from "./internals.ts";

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
  if (isServer(given)) return { server: given, name: "server" };
  if (isNamespace(given)) {
    const { server } = given;
    const name = isParent(given) ? nameOfParent(given) : `namespace "${given.name}"`;
    return { server, namespace: given, name };
  }
  throw new TypeError(
    "Cannot guard: expected a Server or a Namespace of socket.io 4.6 or later. Older servers " +
      "and other objects cannot be made safe, so they are refused.",
  );
}

/** The expression of a parent of dynamic namespaces, if it was made of one. */
export function patternOf(parent: RawParentNamespace): RegExp | undefined {
  const patterns = parent.server.parentNamespacesFromRegExp ?? [];
  return [...patterns].find(([, nsp]) => nsp === parent)?.[0];
}

/** Socket.IO numbers parents through all servers of a process: that differs between nodes. */
function nameOfParent(parent: RawParentNamespace): string {
  const place = [...parent.server.parentNsps.values()].indexOf(parent);
  return `parent namespace ${patternOf(parent) ?? `number ${place}`}`;
}
