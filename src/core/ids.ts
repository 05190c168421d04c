/**
 * Ids of client connections, of those that are asked for theirs: most never are.
 *
 * @module
 */

const ids = new WeakMap<object, string>();

/** Tells a connection from all others, on every node. */
export function connectionId(connection: object): string {
  let id = ids.get(connection);
  if (id === undefined) ids.set(connection, id = crypto.randomUUID());
  return id;
}

/** Gives a connection the id of the lost one that it goes on with, unless it has one already. */
export function adoptConnectionId(connection: object, id: string): void {
  if (!ids.has(connection)) ids.set(connection, id);
}
