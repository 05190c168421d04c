import type { RawClient, RawNamespace, RawSocket } from "./internals.ts";

/**
 * The clients that are on their way into a namespace. Socket.IO itself makes a
 * socket for every CONNECT that comes before the first has been accepted.
 */
const joining = new WeakMap<RawNamespace, WeakSet<RawClient>>();

/** The clients that join again by themselves, with the names of the namespaces. */
const again = new WeakMap<RawClient, Set<string>>();

/** Notes that a client joins a namespace. Returns false if it does so already. */
export function beginJoining(nsp: RawNamespace, client: RawClient): boolean {
  let clients = joining.get(nsp);
  if (!clients) joining.set(nsp, clients = new WeakSet());
  if (clients.has(client)) return false;
  clients.add(client);
  return true;
}

/** Notes that it has joined, was refused by a middleware, or has left. */
export function endJoining(nsp: RawNamespace, client: RawClient): void {
  joining.get(nsp)?.delete(client);
}

/**
 * Has a client join the namespace of a socket again, as if it had asked to. It
 * does not know before it is told, and goes on sending to the socket that is
 * over: without one, Socket.IO would close the transport.
 */
export function joinAgain(socket: RawSocket, hasCredentials: boolean): void {
  const { client, handshake, nsp: { name } } = socket;
  if (client.conn.readyState !== "open") return;
  let names = again.get(client);
  if (!names) again.set(client, names = new Set());
  names.add(name);
  client.nsps.set(name, socket);
  const { pid: _pid, offset: _offset, ...auth } = handshake.auth ?? {};
  client.connect(name, hasCredentials ? {} : auth);
}

/** Takes away the socket that is over, if it is still there to take a client's packets. */
export function removeStale(client: RawClient, name: string): void {
  if (client.nsps.get(name)?.connected === false) client.nsps.delete(name);
}

/** Whether a client that joins a namespace does so again by itself; true once. */
export function isJoiningAgain({ name }: RawNamespace, client: RawClient): boolean {
  return again.get(client)?.delete(name) ?? false;
}
