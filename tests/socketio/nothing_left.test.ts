// An authenticated socket carries none of the gate: it is compared with one of a server that
// has never heard of this package, but for what is listed here.
import { assertEquals, describe, it } from "#testing";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, type Place, places, start } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

/** What is on a socket besides, and on what it belongs to. */
const LISTED = {
  socket: ["auth", "Symbol(socketio-auth gate)"],
  conn: ["connections", "joinings", "count"].map((name) => `Symbol(socketio-auth ${name})`),
  /** For refreshes. */
  events: ["authentication"],
};

/** What is called once for an upgrade, where a transport polls; and the address, on bun-engine. */
const LISTED_SOMEWHERE = ["_maybeUpgrade", "maybeUpgrade", "remoteAddress"];

/** The same for one that has signed in along with CONNECT: nobody else tells that it is gone. */
const LISTED_FOR_HANDSHAKE = {
  ...LISTED,
  conn: [...LISTED.conn, "Symbol(socketio-auth followed)"],
  closeListeners: 1,
};

describe("an authenticated socket is a bare one, but for what is listed", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`after two steps (${place.name})`, async () => {
      const bare = await openBare(place);
      const { socket, signInAgain } = await openGuarded(place);
      assertEquals(describeSocket(socket), expected(describeSocket(bare), LISTED));
      await signInAgain();
      assertEquals(describeSocket(socket), expected(describeSocket(bare), LISTED));
    });

    it(`after a handshake (${place.name})`, async () => {
      const bare = await openBare(place);
      const { socket } = await openGuarded(place, { username: "ada", password: "right" });
      assertEquals(describeSocket(socket), expected(describeSocket(bare), LISTED_FOR_HANDSHAKE));
    });
  }
});

/** A socket that is connected to a server without a gate. */
async function openBare(place: Place): Promise<Socket> {
  const io = createServer();
  const connected = new Promise<Socket>((resolve) => io.on("connection", resolve));
  const { url, close } = await start(place, io);
  onDispose(close);
  const client = connect(url, { ...place.transport, forceNew: true });
  onDispose(() => void client.disconnect());
  return await upgraded(place, await connected);
}

/** One that is signed in, in two steps or along with CONNECT. */
async function openGuarded(
  place: Place,
  auth?: object,
): Promise<{ socket: Socket; signInAgain: () => Promise<unknown> }> {
  const { io, url } = await openWorld(place, { handshake: auth !== undefined });
  const admitted = new Promise<Socket>((resolve) => io.on("connection", resolve));
  const client = connect(url, { ...place.transport, forceNew: true, ...auth && { auth } });
  onDispose(() => void client.disconnect());
  const signIn = () => client.emitWithAck("authentication", { username: "ada", password: "right" });
  if (!auth) await signIn();
  return { socket: await upgraded(place, await admitted), signInAgain: signIn };
}

/** Until then the engine listens to what comes of the upgrade. */
async function upgraded(place: Place, socket: Socket): Promise<Socket> {
  const { conn } = socket;
  if (place.upgrades && conn.transport.name !== "websocket") {
    await new Promise((resolve) => conn.once("upgrade", resolve));
  }
  return socket;
}

interface Description {
  readonly socket: string[];
  readonly client: string[];
  readonly conn: string[];
  readonly prototypes: unknown[];
  readonly methods: unknown[];
  readonly events: string[];
  readonly middleware: number;
  readonly catchAll: number;
  readonly closeListeners: number;
}

function describeSocket(socket: Socket): Description {
  // deno-lint-ignore no-explicit-any -- what is private is what this is about
  const { fns, adapter, client, conn } = socket as any;
  return {
    socket: keysOf(socket),
    client: keysOf(client),
    conn: keysOf(conn).filter((key) => !LISTED_SOMEWHERE.includes(key)),
    prototypes: [socket, client, conn].map((object) => Object.getPrototypeOf(object)),
    methods: [socket.emit, socket.join, socket.on, adapter === socket.nsp.adapter],
    events: socket.eventNames().map(String).sort(),
    middleware: fns.length,
    catchAll: socket.listenersAny().length + socket.listenersAnyOutgoing().length,
    closeListeners: conn.listeners("close").length,
  };
}

function keysOf(object: object): string[] {
  return Reflect.ownKeys(object).map(String).sort();
}

function expected(
  bare: Description,
  listed: {
    readonly socket: string[];
    readonly conn: string[];
    readonly events: string[];
    readonly closeListeners?: number;
  },
): Description {
  const add = (keys: string[], more: string[]) => [...keys, ...more].sort();
  return {
    ...bare,
    socket: add(bare.socket, listed.socket),
    conn: add(bare.conn, listed.conn),
    events: add(bare.events, listed.events),
    closeListeners: bare.closeListeners + (listed.closeListeners ?? 0),
  };
}
