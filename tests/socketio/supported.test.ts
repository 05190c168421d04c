import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import * as current from "socket.io";
import * as oldest from "socket.io-oldest";
import { Server as TooOldServer } from "socket.io-too-old";
import { socketioAuth } from "../../mod.ts";
import { SUPPORTED } from "../../src/socketio/supported.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { engineOnly, places, start } from "../kit/targets.ts";
import { verify } from "../kit/users.ts";

const versions: Record<string, unknown> = { current, oldest };

/** Methods that have to be there, by class, of the classes that socket.io exports. */
const needed = {
  Server: ["_checkNamespace", "close"],
  Namespace: ["_createSocket", "_doConnect", "_remove"],
  Socket: [
    "join",
    "leaveAll",
    "packet",
    "ack",
    "disconnect",
    "notifyOutgoingListeners",
    "_cleanup",
    "_onpacket",
    "_onclose",
  ],
} as const;

/** Runs `fn` while a class has no method of this name. */
function without(prototype: object, method: string, fn: () => void): void {
  const own = Object.getOwnPropertyDescriptor(prototype, method)!;
  Object.defineProperty(prototype, method, { value: undefined, configurable: true });
  try {
    fn();
  } finally {
    Object.defineProperty(prototype, method, own);
  }
}

describe("an unsupported socket.io", () => {
  it("is refused at set-up, by name", () => {
    const io = new TooOldServer() as unknown as current.Server;
    for (const target of [io, io.of("/"), io.of("/admin"), io.of(/^\/team-/)]) {
      const { message } = assertThrows(
        () => socketioAuth(target, { verify }),
        TypeError,
        'no method "_createSocket"',
      );
      assert(message.includes(`supports socket.io ${SUPPORTED}`));
    }
  });

  for (const [version, module] of Object.entries(versions)) {
    const { Server, Namespace, Socket } = module as typeof current;
    const classes = { Server, Namespace, Socket };
    for (const [name, methods] of Object.entries(needed)) {
      it(`is one whose ${name} lacks what the gate is built on (${version})`, () => {
        for (const method of methods) {
          const io = new Server();
          without(classes[name as keyof typeof needed].prototype, method, () => {
            for (const target of [io, io.of("/a")]) {
              const guard = () => socketioAuth(target, { verify });
              assertThrows(guard, TypeError, `${name} has no method "${method}"`);
            }
          });
          // Nothing was installed meanwhile, and nothing was left on the classes.
          assert(socketioAuth(io, { verify }));
        }
      });
    }
  }
});

describe("the oldest supported socket.io", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`has a gate that holds, both ways (${place.name})`, async () => {
      const io = new oldest.Server({ serveClient: false }) as unknown as current.Server;
      io.of(/^\/dynamic-/);
      const auth = socketioAuth(io, { verify });
      for (const path of ["/", "/later", "/dynamic-1"]) {
        io.of(path).on("connection", (socket) => {
          socket.emit("welcome");
          socket.on("say", (text, reply) => reply(auth.session(socket)?.user.name, text));
        });
      }
      const { url, close } = await start(place, io);
      onDispose(close);
      for (const path of ["/", "/later", "/dynamic-1"]) {
        const client = await connectClient(place, url, path);
        io.of(path).emit("secret");
        const said = client.socket.emitWithAck("say", "hello");
        await client.signIn();
        await client.next("welcome");
        io.of(path).emit("public");
        await client.next("public");
        assertEquals(client.received, ["authenticated", "welcome", "public"]);
        // The client's, that is: an acknowledgement of two arguments is an array to nobody.
        assertEquals(await said, "ada");
      }
    });
  }

  it("keeps other clients out of a recovered connection", async () => {
    const io = new oldest.Server({ serveClient: false, connectionStateRecovery: {} });
    socketioAuth(io as unknown as current.Server, { verify, userId: (u) => u.name });
    io.on("connection", (socket) => void socket.join("room"));
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io as unknown as current.Server);
    onDispose(close);
    const client = await connectClient(place, url);
    await client.signIn();
    io.to("room").emit("first", "offset");
    await client.next("first");
    await client.drop();
    io.to("room").emit("missed");
    await client.reconnect();
    assertEquals([client.socket.recovered, client.received.includes("missed")], [true, false]);
    client.emit("authentication", { username: "eve", password: "right" });
    const [{ code }] = await client.next("unauthorized") as [{ code: string }];
    assertEquals([code, client.received.includes("missed")], ["subject_mismatch", false]);
  });
});
