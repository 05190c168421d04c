import type { RawClient, RawNamespace } from "./internals.ts";

/**
 * The clients that are on their way into a namespace. Socket.IO itself makes a
 * socket for every CONNECT that comes before the first has been accepted.
 */
const joining = new WeakMap<RawNamespace, WeakSet<RawClient>>();

/** Notes that a client joins a namespace. Returns false if it does so already. */
export function beginJoining(nsp: RawNamespace, client: RawClient): boolean {
  let clients = joining.get(nsp);
  if (!clients) joining.set(nsp, clients = new WeakSet());
  if (clients.has(client)) return false;
  clients.add(client);
  return true;
}

/** Notes that it has joined, or was refused by a middleware. */
export function endJoining(nsp: RawNamespace, client: RawClient): void {
  joining.get(nsp)?.delete(client);
}
