import { assert, assertEquals, describe, it } from "#testing";
import { createConnection } from "node:net";
import type { Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, verify, type World } from "../kit/world.ts";

const WRONG = { password: "wrong" };
const RIGHT = { username: "ada", password: "right" };

describe("whatever the application does", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`a listener that throws does not keep a refused client (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" }, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.on("disconnecting", () => {
              throw new Error("disconnecting");
            });
          }),
      });
      const client = await world.connect();
      client.emit("authentication", WRONG);
      await client.next("disconnect");
      await engineIsEmpty(world.io);
      assertEquals(world.io.sockets.sockets.size, 0);
      assertEquals((world.errors[0]?.error as Error).message, "disconnecting");
    });

    it(`the disconnect hook does not depend on what listeners are left (${place.name})`, async () => {
      const world: World = await openWorld(place, {
        connection: "connected",
        disconnect: (_socket: Socket, reason: string) => world.log.push("gone", reason),
      });
      for (const isSignedIn of [true, false]) {
        const client = await world.connect();
        const [socket] = await world.log.next("connection") as [Socket];
        if (isSignedIn) await client.signIn();
        socket.removeAllListeners();
        client.socket.disconnect();
        assertEquals(await world.log.next("gone"), ["client namespace disconnect"]);
        const { pending, authenticated } = world.auth.stats();
        assertEquals([pending, authenticated], [0, 0]);
      }
    });

    it(`disconnecting in a hook ends it there (${place.name})`, async () => {
      const world = await openWorld(place, {
        postAuthenticate: (socket: Socket) => void socket.disconnect(true),
      }, {
        setUp: (io) => io.on("connection", (s) => void s.onAny((event) => world.log.push(event))),
      });
      const client = await world.connect();
      client.emit("held");
      client.emit("authentication", RIGHT);
      await client.next("disconnect");
      assertEquals(client.received, ["authenticated"]);
      assertEquals(world.log.names, ["connection"]);
    });

    it(`disconnecting in the reply admits nobody (${place.name})`, async () => {
      const world = await openWorld(place, {
        reply: (_user: unknown, socket: Socket) => void socket.disconnect(true),
        disconnect: (socket: object) => world.log.push("gone", world.auth.session(socket)),
      });
      const client = await world.connect();
      client.emit("authentication", RIGHT);
      assertEquals(await world.log.next("gone"), [undefined]);
      await client.next("disconnect");
      assertEquals(client.received, []);
    });

    it(`a reply that cannot be sent is a server error (${place.name})`, async () => {
      const world = await openWorld(place, { reply: () => 1n });
      const client = await world.connect();
      const outcome = await client.socket.emitWithAck("authentication", RIGHT);
      assertEquals(outcome.code, "server_error");
      await client.next("disconnect");
      assertEquals(client.received, ["unauthorized"]);
    });

    it(`a second sign-in is a refresh, and a refused one the end (${place.name})`, async () => {
      let hooks = 0;
      const world = await openWorld(place, { userId: () => 1, postAuthenticate: () => hooks++ }, {
        setUp: (io) => io.on("connection", (socket) => socket.on("ping", (reply) => reply("pong"))),
      });
      const client = await world.connect();
      await client.signIn();
      await client.signIn({ username: "ada again", password: "right" });
      const [socket] = await world.log.next("connection") as [Socket];
      assertEquals([world.auth.session(socket)?.user.name, hooks], ["ada again", 1]);
      assertEquals(await client.socket.emitWithAck("ping"), "pong");
      client.emit("authentication", WRONG);
      await client.next("unauthorized");
      await client.next("disconnect");
      // A reference that is kept sends nothing any more, and the flag says so.
      assertEquals((socket as unknown as { auth: boolean }).auth, false);
      assertEquals(socket.emit("late"), true);
    });

    it(`a refresh as another user is the end, by the id that users have (${place.name})`, async () => {
      for (const hasId of [true, false]) {
        const log: unknown[] = [];
        const { connect } = await openWorld(place, {
          verify: (_socket: Socket, name: string) => ({ name, ...hasId && { id: name } }),
          postAuthenticate: (_socket: Socket, name: string) => log.push(name),
        });
        const client = await connect();
        await client.signIn("ada");
        const { code, kept } = await client.socket.emitWithAck("authentication", "eve");
        // Users without an id cannot be told apart: nobody is verified, and the session goes on.
        assertEquals([code, kept], ["subject_mismatch", hasId ? undefined : true]);
        if (hasId) await client.next("disconnect");
        else assertEquals([client.socket.connected, client.received], [true, ["authenticated"]]);
        assertEquals(log, ["ada"]);
      }
    });

    it(`a namespace joined during a refresh does not answer it (${place.name})`, async () => {
      const refresh = Promise.withResolvers<false>();
      let attempts = 0;
      const world = await openWorld(place, {
        verify: () => attempts++ === 0 ? { id: "ada" } : refresh.promise,
        postAuthenticate: (socket: Socket, credentials: unknown) =>
          world.log.push("post", socket.nsp.name, credentials),
      }, { setUp: (io) => void io.of("/b") });
      const main = await world.connect();
      await main.signIn();
      const outcome = main.socket.emitWithAck("authentication", { username: "eve" });
      const b = main.sibling("/b");
      await b.next("authenticated");
      // The hook is given what was accepted, not what is still being verified.
      assertEquals(world.log.all.filter(([name]) => name === "post"), [
        ["post", "/", RIGHT],
        ["post", "/b", RIGHT],
      ]);
      refresh.resolve(false);
      assertEquals((await outcome).code, "authentication_failed");
      await Promise.all([main.next("disconnect"), b.next("disconnect")]);
    });

    it(`a kept reference to an ended socket sends nothing, even with "pass" (${place.name})`, async () => {
      const io = createServer();
      socketioAuth(io.of("/admin"), {
        verify,
        userId: ({ name }) => name,
        connection: "connected",
        outgoing: "pass",
      });
      io.on("connection", (socket) => socket.on("open", (reply) => reply("yes")));
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await RawClient.connect(url);
      client.send("40/admin,");
      await client.packets.next("40");
      const [socket] = [...io.of("/admin").sockets.values()] as [Socket];
      client.send(`42/admin,${JSON.stringify(["authentication", RIGHT])}`);
      await client.packets.next("42");
      client.send(`42/admin,${JSON.stringify(["authentication", WRONG])}`);
      await client.packets.next("41");
      socket.emit("late");
      client.send('421["open"]');
      await client.packets.next("43");
      assertEquals(client.packets.all.filter((packet) => String(packet).includes("late")), []);
    });

    it(`binary credentials arrive as they are (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (_socket: unknown, { key }: { key: Uint8Array }) => key[0] === 7,
      });
      await (await world.connect()).signIn({ key: new Uint8Array([7]) });
    });

    it(`a policy does not know the sockets of another (${place.name})`, async () => {
      const world = await openWorld(place);
      const admin = socketioAuth(world.io.of("/admin"), { verify });
      const client = await world.connect();
      await client.signIn();
      const [socket] = await world.log.next("connection") as [Socket];
      assert(world.auth.session(socket));
      assertEquals(admin.session(socket), undefined);
    });

    it(`acknowledgements with a timeout never hang (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected", holdLimit: { events: 1 } });
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      const failed = (promise: Promise<unknown>) => promise.then(() => "answered", String);
      const timedOut = "Error: operation has timed out";
      assertEquals(
        await Promise.all([
          failed(socket.timeout(20).emitWithAck("held")),
          failed(socket.timeout(20).emitWithAck("over the limit")),
          failed(socket.volatile.timeout(20).emitWithAck("volatile")),
        ]),
        [timedOut, timedOut, timedOut],
      );
      client.socket.disconnect();
      await engineIsEmpty(world.io);
      assertEquals(await failed(socket.timeout(20).emitWithAck("gone")), timedOut);
    });

    it(`an onError that rejects, an adapter that fails: reported (${place.name})`, async () => {
      const errors: unknown[] = [];
      const world = await openWorld(place, {
        onError(error: unknown) {
          errors.push(error);
          return Promise.reject(new Error("onError"));
        },
      });
      world.io.of("/").adapter.addAll = () => Promise.reject(new Error("adapter down"));
      const client = await world.connect();
      client.emit("authentication", RIGHT);
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "server_error");
      await client.next("disconnect");
      assertEquals(errors.map(String), ["Error: adapter down"]);
    });

    it(`a socket on its way when the policy comes is guarded too (${place.name})`, async () => {
      const io = createServer({ connectionStateRecovery: {} });
      const restoring = Promise.withResolvers<undefined>();
      const asked = Promise.withResolvers<void>();
      io.of("/").adapter.restoreSession = () => {
        asked.resolve();
        return restoring.promise as never;
      };
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await RawClient.open(url);
      client.send('40{"pid":"a","offset":"b"}');
      await asked.promise;
      socketioAuth(io, { verify });
      restoring.resolve(undefined);
      await client.packets.next("40");
      io.emit("secret");
      client.send(`42${JSON.stringify(["authentication", WRONG])}`);
      await client.packets.next("close");
      assertEquals(client.events.map((event) => (event as unknown[])[0]), ["unauthorized"]);
    });
  }

  it("a client that ignores the close frame loses its TCP connection", async () => {
    const world = await openWorld(engineOnly[0]!, { connection: "connected" });
    const { hostname, port } = new URL(world.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    onDispose(() => socket.destroy());
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    // It reads everything and answers nothing but what it is told to.
    socket.on("error", () => {});
    await new Promise<void>((resolve) => {
      socket.on("data", (data) => data.includes('"sid"') && resolve());
    });
    socket.write(frame("40"));
    await world.log.next("connection");
    const refusedAt = performance.now();
    socket.write(frame(`42["authentication",{}]`));
    await closed;
    // A second; the engine itself would give it half a minute.
    const ms = performance.now() - refusedAt;
    assert(ms < 15_000, `it took ${ms} ms`);
  });

  it("an attempt that the server cuts short is no guess", async () => {
    const world = await openWorld(engineOnly[0]!, {
      connection: "connected",
      verify: () => new Promise(() => world.log.push("asked")),
      disconnect: (socket: Socket, reason: string) =>
        world.log.push("gone", socket.nsp.name, reason),
    }, { setUp: (io) => void io.of("/b") });
    const main = await connectClient(engineOnly[0]!, world.url);
    const b = main.sibling("/b");
    await b.next("connect");
    const [socket] = await world.log.next("connection") as [Socket];
    main.emit("authentication", {});
    await world.log.next("asked");
    socket.disconnect();
    await main.next("disconnect");
    assertEquals(b.socket.connected, true);
  });
});

/** A masked WebSocket text frame, with a mask of zeros. */
function frame(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  return new Uint8Array([0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}
