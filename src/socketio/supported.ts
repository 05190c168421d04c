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

const METHODS = {
  Server: ["_checkNamespace", "close"],
  Namespace: [
    "_initAdapter",
    "_createSocket",
    "_doConnect",
    "_remove",
    "_onServerSideEmit",
    "emitReserved",
    "on",
  ],
  Socket: [
    "join",
    "leaveAll",
    "packet",
    "ack",
    "disconnect",
    "notifyOutgoingListeners",
    "emitReserved",
    "_cleanup",
    "_onpacket",
    "_onclose",
  ],
  Client: ["connect", "close", "_disconnect"],
};

/**
 * Looks for every method that the gate needs.
 *
 * @throws {TypeError} if one is not there
 */
export function checkSupport(server: RawServer): void {
  need("Server", server);
  const main = server._nsps.get("/");
  const namespace = main && Object.getPrototypeOf(main) as RawNamespace;
  need("Namespace", namespace);
  need("Socket", socketPrototype(namespace!));
  need("Client", clientPrototype(server));
}

function need(name: keyof typeof METHODS, prototype: object | undefined): void {
  const missing = METHODS[name].find((method) => {
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

/** The same of its clients. One that speaks revision 3 of the protocol asks for a namespace at once. */
function clientPrototype(server: RawServer): object | undefined {
  let client: { connectTimeout?: ReturnType<typeof setTimeout> } | undefined;
  const nowhere = {
    _parser: {
      Decoder: class {
        on(): void {}
      },
    },
    _nsps: new Map([["/", {}]]),
    of: () => ({ _add: (added: object) => client = added }),
  };
  Object.getPrototypeOf(server).onconnection?.call(nowhere, { protocol: 3, on(): void {} });
  clearTimeout(client?.connectTimeout);
  return client && Object.getPrototypeOf(client);
}

/** The object in a chain of prototypes that has a method itself. */
function ownerOf<T extends object>(object: T, method: keyof T): T {
  let owner = object;
  while (!Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner);
  return owner;
}
