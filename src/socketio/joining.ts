import type { RawClient, RawConn, RawNamespace, RawSocket } from "./internals.ts";

/** A client's way into a namespace, which has a socket once Socket.IO has made one. */
interface Joining {
  socket: RawSocket | undefined;
  /** Whether it was refused, and its client has not been told to stay away yet. */
  isRefused?: true;
}

/** How many namespaces a client may wait for at once; and how many it may ask for in one turn. */
const WAITING_LIMIT = 64;
const BURST_LIMIT = 1024;

const JOININGS = Symbol("socketio-auth joinings");

/**
 * The transport of a client, with the namespaces that it is on its way into.
 * Socket.IO itself makes a socket for every CONNECT that comes before the first
 * has been accepted, and connects a socket as often as a middleware calls `next`.
 */
interface JoiningConn extends RawConn {
  /** By the name of the namespace. A map, for it is up to the client how many there are. */
  [JOININGS]?: Map<string, Joining> | undefined;
}

/** The clients that join without having asked to. */
const again = new WeakSet<RawClient>();

/** Notes that a client joins a namespace. Returns nothing if it does so already. */
export function beginJoining(client: RawClient, name: string): Joining | undefined {
  if (find(client, name)) return undefined;
  const joining = { socket: undefined };
  const conn: JoiningConn = client.conn;
  conn[JOININGS] ??= new Map();
  conn[JOININGS].set(name, joining);
  return joining;
}

/**
 * Calls `cut` if a client that asks for one more namespace waits for too many. Those that come in
 * one burst and are let in at once do not wait.
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

/** Transports that are looked at again at the end of this turn. */
const looking = new WeakSet<RawConn>();

/** How many namespaces a client is on its way into. */
function waiting(conn: RawConn): number {
  let count = 0;
  for (const { isRefused } of (conn as JoiningConn)[JOININGS]?.values() ?? []) {
    if (!isRefused) count++;
  }
  return count;
}

/** The sockets that a client is to get. */
export function joiningSockets(conn: RawConn): RawSocket[] {
  const joinings = (conn as JoiningConn)[JOININGS]?.values() ?? [];
  return [...joinings].flatMap(({ socket }) => socket ?? []);
}

function find({ conn }: RawClient, name: string): Joining | undefined {
  return (conn as JoiningConn)[JOININGS]?.get(name);
}

/** Gives it its socket. Returns false if it was called off meanwhile. */
export function goOnJoining(joining: Joining, socket: RawSocket): boolean {
  joining.socket = socket;
  if (!isJoining(socket)) return false;
  const onTheWay = sockets.get(socket.nsp) ?? new Map<string, RawSocket>();
  sockets.set(socket.nsp, onTheWay.set(socket.id, socket));
  return true;
}

/** Sockets that have not arrived in their namespace, by their ids. */
const sockets = new WeakMap<RawNamespace, Map<string, RawSocket>>();

/** A socket that has not arrived in a namespace yet, by its id. */
export function socketOnTheWay(nsp: RawNamespace, id: string): RawSocket | undefined {
  return sockets.get(nsp)?.get(id);
}

/** Whether a socket is on its way, and has neither arrived nor been refused or called off. */
export function isJoining(socket: RawSocket): boolean {
  const joining = find(socket.client, socket.nsp.name);
  return joining?.socket === socket && !joining.isRefused;
}

/** Notes that a socket was refused. It stays known until its client is told to stay away. */
export function refuseJoining(socket: RawSocket): void {
  const joining = find(socket.client, socket.nsp.name);
  if (joining?.socket === socket) joining.isRefused = true;
}

/** The socket that a client was refused for a namespace, if it has not been told to stay away. */
export function refusedSocket(client: RawClient, name: string): RawSocket | undefined {
  const joining = find(client, name);
  return joining?.isRefused && joining.socket;
}

/** Forgets that a socket was refused. Returns whether it is still the one of its namespace. */
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
 * Has a client join the namespace of a socket again, as if it had asked to. It
 * does not know before it is told, and goes on sending to the socket that is
 * over: without one, Socket.IO would close the transport. If the namespace was
 * a dynamic one that is gone, and may not come back, `denied` is called.
 */
export function joinAgain(socket: RawSocket, denied: () => void): void {
  const { client, handshake, nsp: { name, server } } = socket;
  if (client.conn.readyState !== "open") return;
  client.nsps.set(name, socket);
  const { pid: _pid, offset: _offset, ...auth } = handshake.auth ?? {};
  if (server._nsps.has(name)) return joinUnasked(client, name, auth);
  server._checkNamespace(name, auth, (nsp) => {
    // The client may have left by itself.
    if (client.nsps.get(name) !== socket) return;
    if (nsp) return joinUnasked(client, name, auth);
    removeStale(client, name);
    denied();
  });
}

/** It asks for its socket before this returns. */
function joinUnasked(client: RawClient, name: string, auth: object): void {
  again.add(client);
  try {
    client.connect(name, auth);
  } finally {
    again.delete(client);
  }
}

/** Whether a client that asks for a socket now has not sent a CONNECT for it. */
export function joinsUnasked(client: RawClient): boolean {
  return again.has(client);
}

/** The client leaves, though it has not been told yet that it joins again. */
export function callOff(socket: RawSocket): void {
  const { client, nsp: { name } } = socket;
  removeStale(client, name);
  const joining = find(client, name);
  forget(client, name);
  joining?.socket?._cleanup();
}

/** Takes away the socket that is over, if it is still there to take a client's packets. */
export function removeStale(client: RawClient, name: string): void {
  if (client.nsps.get(name)?.connected === false) client.nsps.delete(name);
}
