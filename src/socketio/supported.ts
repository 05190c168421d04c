/**
 * Checks that the gate can work with a version of socket.io: that every method it builds on is
 * there. Servers and namespaces are checked when a policy is put on them, which fails otherwise;
 * sockets and clients when the first one comes, whose transport is closed otherwise.
 *
 * @module
 */
import type { RawAdapter, RawClient, RawNamespace, RawServer, RawSocket } from "./internals.ts";

/** The supported versions of socket.io, as every message and document names them. */
export const SUPPORTED = "4.6 to 4.8";

type MethodOf<T> = {
  [K in keyof T]-?: T[K] extends (...args: never[]) => unknown ? K : never;
}[keyof T];

/** Every method that is used, by class. A test compares this list with `internals.ts`. */
export const METHODS: {
  readonly Server: readonly MethodOf<RawServer>[];
  readonly Namespace: readonly MethodOf<RawNamespace>[];
  readonly Socket: readonly MethodOf<RawSocket>[];
  readonly Client: readonly MethodOf<RawClient>[];
  readonly Adapter: readonly MethodOf<RawAdapter>[];
} = {
  Server: ["of", "close", "_checkNamespace"],
  Namespace: [
    "on",
    "_initAdapter",
    "_createSocket",
    "_doConnect",
    "_remove",
    "_onServerSideEmit",
    "emitReserved",
  ],
  Socket: [
    "on",
    "removeAllListeners",
    "emitReserved",
    "join",
    "packet",
    "ack",
    "notifyOutgoingListeners",
    "disconnect",
    "_cleanup",
    "_onpacket",
    "_onclose",
  ],
  Client: ["connect", "close", "_disconnect", "_packet", "writeToEngine"],
  Adapter: [
    "addAll",
    "del",
    "delAll",
    "socketRooms",
    "broadcast",
    "broadcastWithAck",
    "serverCount",
    "addSockets",
    "delSockets",
    "disconnectSockets",
    "persistSession",
    "restoreSession",
    "serverSideEmit",
  ],
};

/**
 * Checks the methods that a server has from the start. Its classes of sockets and clients are not
 * known before the first client comes.
 *
 * @throws {TypeError} if a method is missing
 */
export function checkServer(server: RawServer): void {
  need("Server", server);
  const main = server._nsps.get("/");
  need("Namespace", main);
  need("Adapter", main!.adapter);
}

const checked = new WeakSet<object>();

/**
 * Checks the methods of a socket and of its client, once for each class of clients.
 *
 * @throws {TypeError} if a method is missing
 */
export function checkSocket(socket: RawSocket): void {
  const prototype = Object.getPrototypeOf(socket.client);
  if (checked.has(prototype)) return;
  need("Socket", socket);
  need("Client", socket.client);
  checked.add(prototype);
}

function need(name: keyof typeof METHODS, object: object | undefined): void {
  const names: readonly string[] = METHODS[name];
  const has = (method: string) => typeof Reflect.get(Object(object), method) === "function";
  const missing = names.find((method) => !has(method));
  if (!missing) return;
  throw new TypeError(
    `Cannot guard: socket.io's ${name} has no method "${missing}", without which the gate would ` +
      `not hold. socketio-auth supports socket.io ${SUPPORTED}.`,
  );
}
