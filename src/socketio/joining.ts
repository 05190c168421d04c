import type { RawClient, RawConn, RawNamespace, RawSocket } from "./internals.ts";

/** A client's way into a namespace. `socket` is set once Socket.IO has created it. */
interface Joining {
  socket: RawSocket | undefined;
  /** Set if the socket was refused, and its client has not been told to stay away yet. */
  isRefused?: true;
}

/** How many namespaces a client may wait for at once, and how many it may ask for in one turn. */
const WAITING_LIMIT = 64;
const BURST_LIMIT = 1024;

const JOININGS = Symbol("socketio-auth joinings");

/**
 * The transport of a client, with the namespaces that the client is joining. Socket.IO itself
 * creates a socket for every CONNECT that comes before the first has been accepted, and connects a
 * socket as often as a middleware calls `next`.
 */
interface JoiningConn extends RawConn {
  /** Keyed by namespace. A map, because clients decide how many there are. */
  [JOININGS]?: Map<string, Joining> | undefined;
}

/** The clients that join again without having sent a CONNECT. */
const again = new WeakSet<RawClient>();

/** Notes that a client joins a namespace. Returns `undefined` if it is joining it already. */
export function beginJoining(client: RawClient, name: string): Joining | undefined {
  if (find(client, name)) return undefined;
  const joining = { socket: undefined };
  const conn: JoiningConn = client.conn;
  conn[JOININGS] ??= new Map();
  conn[JOININGS].set(name, joining);
  return joining;
}

/**
 * Calls `cut` if a client asks for one more namespace while too many are waiting. Namespaces that
 * are accepted within the same turn do not count as waiting.
 */
export function limitJoining({ conn }: RawClient, cut: () => unknown): void {
  const count = waiting(conn);
  if (count >= BURST_LIMIT) return void cut();
  if (count < WAITING_LIMIT || looking.has(conn)) return;
  looking.add(conn);
  setTimeout(() => {
    looking.delete(conn);
    if (waiting(conn) > WAITING_LIMIT) cut();
  });
}

/** Transports that are checked again at the end of this turn. */
const looking = new WeakSet<RawConn>();

function waiting(conn: RawConn): number {
  let count = 0;
  for (const { isRefused } of (conn as JoiningConn)[JOININGS]?.values() ?? []) {
    if (!isRefused) count++;
  }
  return count;
}

export function joiningSockets(conn: RawConn): RawSocket[] {
  const joinings = (conn as JoiningConn)[JOININGS]?.values() ?? [];
  return [...joinings].flatMap(({ socket }) => socket ?? []);
}

function find({ conn }: RawClient, name: string): Joining | undefined {
  return (conn as JoiningConn)[JOININGS]?.get(name);
}

/** Sets the socket of `joining`. Returns `false` if that was called off meanwhile. */
export function goOnJoining(joining: Joining, socket: RawSocket): boolean {
  joining.socket = socket;
  if (!isJoining(socket)) return false;
  const onTheWay = sockets.get(socket.nsp) ?? new Map<string, RawSocket>();
  sockets.set(socket.nsp, onTheWay.set(socket.id, socket));
  return true;
}

/** Sockets that have not arrived in their namespace, by id. */
const sockets = new WeakMap<RawNamespace, Map<string, RawSocket>>();

export function socketOnTheWay(nsp: RawNamespace, id: string): RawSocket | undefined {
  return sockets.get(nsp)?.get(id);
}

/** Returns whether a socket is joining: neither arrived, refused nor called off. */
export function isJoining(socket: RawSocket): boolean {
  const joining = find(socket.client, socket.nsp.name);
  return joining?.socket === socket && !joining.isRefused;
}

/** Notes that a socket was refused. It stays known until its client is told to stay away. */
export function refuseJoining(socket: RawSocket): void {
  const joining = find(socket.client, socket.nsp.name);
  if (joining?.socket === socket) joining.isRefused = true;
}

/** Returns the socket that was refused for a namespace, unless its client was told to stay away. */
export function refusedSocket(client: RawClient, name: string): RawSocket | undefined {
  const joining = find(client, name);
  return joining?.isRefused && joining.socket;
}

/** Forgets that a socket was refused. Returns whether it was still the one of its namespace. */
export function forgetRefused(socket: RawSocket): boolean {
  const { client, nsp: { name } } = socket;
  const isKnown = refusedSocket(client, name) === socket;
  if (isKnown) forget(client, name);
  return isKnown;
}

/** Notes that a socket has arrived, was refused by a middleware, or has left. */
export function endJoining(socket: RawSocket): void {
  if (isJoining(socket)) forget(socket.client, socket.nsp.name);
}

function forget(client: RawClient, name: string): void {
  const { socket } = find(client, name) ?? {};
  if (socket) sockets.get(socket.nsp)?.delete(socket.id);
  const conn: JoiningConn = client.conn;
  conn[JOININGS]?.delete(name);
  if (conn[JOININGS]?.size === 0) conn[JOININGS] = undefined;
}

/**
 * Makes a client join the namespace of a socket again, as if it had sent a CONNECT. Until the
 * client is told, it sends to the former socket, which therefore stays in the client's map: without
 * it, Socket.IO would close the transport. If the namespace was a dynamic one and cannot be created
 * again, `denied` is called.
 */
export function joinAgain(socket: RawSocket, denied: () => void): void {
  const { client, handshake, nsp: { name, server } } = socket;
  if (client.conn.readyState !== "open") return;
  client.nsps.set(name, socket);
  const { pid: _pid, offset: _offset, ...auth } = handshake.auth ?? {};
  if (server._nsps.has(name)) return joinUnasked(client, name, auth);
  server._checkNamespace(name, auth, (nsp) => {
    // The client may have left meanwhile.
    if (client.nsps.get(name) !== socket) return;
    if (nsp) return joinUnasked(client, name, auth);
    removeStale(client, name);
    denied();
  });
}

/** Joins a namespace; `_createSocket` runs before this function returns. */
function joinUnasked(client: RawClient, name: string, auth: object): void {
  again.add(client);
  try {
    client.connect(name, auth);
  } finally {
    again.delete(client);
  }
}

/** Returns whether a client that is given a socket now has not sent a CONNECT for it. */
export function joinsUnasked(client: RawClient): boolean {
  return again.has(client);
}

/** Handles a client that leaves before it is told that it joins again. */
export function callOff(socket: RawSocket): void {
  const { client, nsp: { name } } = socket;
  removeStale(client, name);
  const joining = find(client, name);
  forget(client, name);
  joining?.socket?._cleanup();
}

/** Removes a former socket that still takes its client's packets. */
export function removeStale(client: RawClient, name: string): void {
  if (client.nsps.get(name)?.connected === false) client.nsps.delete(name);
}
