/**
 * Which versions of socket.io can be made safe. What the gate builds on is
 * looked for at set-up, on socket.io's own classes: a version without it is
 * refused before its first client comes, not after.
 *
 * @module
 */
import type { RawNamespace, RawServer } from "./internals.ts";

/** The versions of socket.io that are supported, as every message and document names them. */
export const SUPPORTED = "4.6 to 4.8";

const NAMESPACE_METHODS = ["_createSocket", "_doConnect", "emit", "on"] as const;

const SOCKET_METHODS = [
  "emit",
  "join",
  "leave",
  "leaveAll",
  "packet",
  "ack",
  "disconnect",
  "notifyOutgoingListeners",
  "_cleanup",
  "_onconnect",
  "_onpacket",
  "_onclose",
] as const;

/**
 * Looks for every method that the gate needs.
 *
 * @throws {TypeError} if one is not there
 */
export function checkSupport(server: RawServer): void {
  const main = server._nsps.get("/");
  const namespace = main && Object.getPrototypeOf(main) as RawNamespace;
  need("Namespace", namespace, NAMESPACE_METHODS);
  need("Socket", socketPrototype(namespace!), SOCKET_METHODS);
}

function need(name: string, prototype: object | undefined, methods: readonly string[]): void {
  const missing = methods.find((method) => {
    return typeof (prototype as Record<string, unknown> | undefined)?.[method] !== "function";
  });
  if (!missing) return;
  throw new TypeError(
    `Cannot guard: socket.io's ${name} has no method "${missing}", without which the gate would ` +
      `not hold. socketio-auth supports socket.io ${SUPPORTED}.`,
  );
}

/**
 * The prototype of socket.io's sockets. Their class is not to be had from a
 * server, and to import it would bring in another copy of socket.io than the
 * application's. So a socket is made for nobody. An async function looks at
 * once whether what it returns is a promise, that is for a `then`; and that is
 * when a class that the socket shares with its namespace sees it.
 */
function socketPrototype(namespace: RawNamespace): object | undefined {
  const shared = ownerOf(namespace, "on");
  let socket: object | undefined;
  Object.defineProperty(shared, "then", {
    configurable: true,
    get(): undefined {
      socket = this;
      return undefined;
    },
  });
  try {
    const nobody = { conn: { protocol: 4 }, request: { headers: {}, connection: {} } };
    const nowhere = { name: "/", server: { opts: {}, _opts: {} }, adapter: {} };
    namespace._createSocket.call(nowhere as never, nobody as never, {}).catch(() => {});
  } finally {
    delete (shared as { then?: unknown }).then;
  }
  return socket && Object.getPrototypeOf(socket);
}

/** The object in a chain of prototypes that has a method itself. */
function ownerOf<T extends object>(object: T, method: keyof T): T {
  let owner = object;
  while (!Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner);
  return owner;
}
