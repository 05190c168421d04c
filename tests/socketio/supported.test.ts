import { readdir, readFile } from "node:fs/promises";
import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import * as current from "socket.io";
import * as oldest from "socket.io-oldest";
import { Server as TooOldServer } from "socket.io-too-old";
import { socketioAuth } from "../../mod.ts";
import type { RawNamespace, RawSocket } from "../../src/socketio/internals.ts";
import { checkSocket, METHODS, SUPPORTED } from "../../src/socketio/supported.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, places, start } from "../kit/targets.ts";
import { verify } from "../kit/users.ts";

const versions: Record<string, unknown> = { current, oldest };

describe("an unsupported socket.io", () => {
  disposeAfterEach();

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
    const { Server } = module as typeof current;

    for (const name of ["Server", "Namespace", "Adapter"] as const) {
      it(`is refused at set-up if its ${name} lacks what the gate is built on (${version})`, () => {
        for (const method of METHODS[name]) {
          // A server is known by this one.
          if (method === "of") continue;
          const io = new Server();
          const targets = [io, io.of("/a")];
          const own = { Server: io, Namespace: io.of("/"), Adapter: io.of("/").adapter }[name];
          Object.defineProperty(own, method, { value: undefined, configurable: true });
          for (const target of targets) {
            const guard = () => socketioAuth(target, { verify });
            assertThrows(guard, TypeError, `${name} has no method "${method}"`);
          }
          // Nothing was installed meanwhile.
          Reflect.deleteProperty(own, method);
          assert(socketioAuth(io, { verify }));
        }
      });
    }

    for (const name of ["Socket", "Client"] as const) {
      it(`is seen if its ${name} lacks what the gate is built on (${version})`, async () => {
        const socket = await socketOf(new Server({ serveClient: false }));
        for (const method of METHODS[name]) {
          const lacks = { [method]: { value: undefined } };
          const client = Object.create(socket.client, name === "Client" ? lacks : {});
          const odd = Object.create(socket, name === "Socket" ? lacks : {});
          // Of a class that was found to lack it, each one is refused.
          for (const _ of [1, 2]) {
            Object.defineProperty(odd, "client", { value: client, configurable: true });
            const check = () => checkSocket(odd);
            assertThrows(check, TypeError, `${name} has no method "${method}"`);
          }
        }
        checkSocket(socket);
      });
    }
  }

  for (const place of engineOnly) {
    it(`serves no client whose class lacks what the gate is built on (${place.name})`, async () => {
      const errors: string[] = [];
      const io = new current.Server({ serveClient: false });
      const onError = (error: unknown) => void errors.push((error as Error).message);
      const main = io.of("/") as unknown as RawNamespace;
      const { _createSocket } = main;
      main._createSocket = (client, auth) => {
        const odd = Object.create(client, { writeToEngine: { value: undefined } });
        return _createSocket.call(main, odd, auth);
      };
      socketioAuth(io, { verify, onError, handshake: true });
      io.on("connection", () => void errors.push("connection"));
      const { url, close } = await start(place, io);
      onDispose(close);
      for (const _ of [1, 2]) {
        const client = await RawClient.open(url);
        client.send('40{"username":"ada","password":"right"}');
        await client.packets.next("close");
      }
      const message = `Client has no method "writeToEngine"`;
      assertEquals(errors.map((error) => error.includes(message)), [true, true]);
    });
  }

  it("is looked at for every method that is used, and for no other", async () => {
    const folder = new URL("../../src/socketio/", import.meta.url);
    const files = (await readdir(folder, { recursive: true })).filter((name) =>
      name.endsWith(".ts")
    );
    const read = async (name: string) =>
      await readFile(new URL(name.replaceAll("\\", "/"), folder), "utf8");
    const internals = await read("internals.ts");
    const others = await Promise.all(
      files.filter((name) => !/^(internals|supported)\.ts$/.test(name)).map(read),
    );
    const code = others.join("\n");
    for (const [name, methods] of Object.entries(METHODS)) {
      const [, body] = new RegExp(`interface Raw${name} \\{\n(.*?)\n\\}`, "s").exec(internals)!;
      const declared = [...body!.matchAll(/^ {2}(\w+)\(/gm)].map(([, method]) => method!);
      assertEquals([...methods].sort(), [...new Set(declared)].sort());
      for (const method of methods) assert(new RegExp(`\\b${method}\\b`).test(code), method);
    }
  });
});

/** A socket of a version of socket.io. */
async function socketOf(io: current.Server): Promise<RawSocket> {
  const { url, close } = await start(engineOnly[0]!, io);
  onDispose(close);
  await connectClient(engineOnly[0]!, url);
  return [...io.sockets.sockets.values()][0] as unknown as RawSocket;
}

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

  // Its `_cleanup` does not call `_remove` of the namespace, as that of later versions does.
  it("lets a client ask again for a namespace whose middleware has refused it", async () => {
    const io = new oldest.Server({ serveClient: false }) as unknown as current.Server;
    socketioAuth(io, { verify });
    io.use(({ handshake }, next) => next(handshake.auth.key ? undefined : new Error("key")));
    const { url, close } = await start(engineOnly[0]!, io);
    onDispose(close);
    const client = await RawClient.open(url);
    client.send("40");
    assertEquals(await client.packets.next("44"), ['{"message":"key"}']);
    client.send('40{"key":1}');
    await client.packets.next("40");
  });

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
