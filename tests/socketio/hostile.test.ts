import { assert, assertEquals, describe, it } from "#testing";
import { disposeAfterEach } from "../kit/disposal.ts";
import { PollingClient, RawClient } from "../kit/raw.ts";
import { engineOnly } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, transportsOf, verify } from "../kit/world.ts";

const GUESS = '42["authentication",{"password":"wrong"}]';
const RIGHT = '42["authentication",{"username":"eve","password":"right"}]';

describe("hostile clients", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`a flood of guesses is one guess (${place.name})`, async () => {
      let asked = 0;
      const world = await openWorld(place, {
        verify(socket: unknown, credentials: never) {
          asked++;
          return Promise.resolve(verify(socket, credentials));
        },
      });
      const client = await RawClient.connect(world.url);
      for (let i = 0; i < 500; i++) client.send(GUESS);
      client.send(RIGHT);
      await client.packets.next("close");
      assertEquals(asked, 1);
      assertEquals(client.events.length, 1);
      assertEquals(transportsOf(world.io), []);
    });

    it(`a refused client that never acknowledges or closes is gone (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" });
      const client = await PollingClient.connect(world.url);
      const [socket] = await world.log.next("connection") as [{ connected: boolean }];
      await client.send(GUESS);
      // It fetches nothing: neither the reason nor the close.
      await engineIsEmpty(world.io);
      assertEquals(socket.connected, false);
    });

    it(`a client that fetches late still gets the reason (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" });
      const client = await PollingClient.connect(world.url);
      await world.log.next("connection");
      await client.send(GUESS);
      let text = "";
      while (!text.includes("unauthorized")) text += await client.poll();
      assert(text.includes("authentication_failed"), text);
    });

    it(`sending twice signs in once, and the second is declined (${place.name})`, async () => {
      const hooks: string[] = [];
      const asked: (() => void)[] = [];
      const world = await openWorld(place, {
        verify: () => new Promise((resolve) => void asked.push(() => resolve(true))),
        postAuthenticate: () => hooks.push("post"),
      });
      const client = await RawClient.connect(world.url);
      client.send(RIGHT.replace("42", "421"));
      client.send(RIGHT.replace("42", "422"));
      const [declined] = await client.packets.next("43");
      assert(String(declined).startsWith('2[{"ok":false'), String(declined));
      assert(String(declined).includes("attempt_in_progress"));
      asked[0]!();
      const [accepted] = await client.packets.next("43");
      assert(String(accepted).startsWith('1[{"ok":true'), String(accepted));
      assertEquals([hooks, asked.length], [["post"], 1]);
    });

    it(`events before, beside and after CONNECT reach nobody (${place.name})`, async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) => io.on("connection", (s) => void s.onAny((event) => world.log.push(event))),
      });
      const early = await RawClient.open(world.url);
      early.send('42["steal"]');
      await early.packets.next("close");

      const client = await RawClient.connect(world.url);
      client.send('42["steal"]');
      client.send('430["steal"]'); // an acknowledgement of nothing
      client.send('451-["steal",{"_placeholder":true,"num":0}]');
      client.send('42/admin,["steal"]');
      await client.packets.next("close");
      assertEquals(world.log.names, []);
    });

    it(`five CONNECTs at once make one socket (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" }, {
        setUp: (io) => io.use((_socket, next) => void world.log.push("middleware", next)),
      });
      const client = await RawClient.open(world.url);
      for (let i = 0; i < 5; i++) client.send("40");
      // Another namespace, so that all five have arrived when it is connected.
      client.send("40/other");
      await client.packets.next("44");
      const [next] = await world.log.next("middleware") as [() => void];
      next();
      await world.log.next("connection");
      assertEquals(world.log.names, ["middleware", "connection"]);
      world.io.emit("secret");
      assertEquals((await world.io.fetchSockets()).length, 0);
      client.send(GUESS);
      await client.packets.next("close");
      assertEquals(client.events.some((event) => String(event).includes("secret")), false);
      assertEquals(world.io.sockets.sockets.size, 0);
    });

    it(`a CONNECT that a middleware refuses may be sent again (${place.name})`, async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) =>
          io.use((socket, next) => next(socket.handshake.auth.key ? undefined : new Error("key"))),
      });
      const client = await RawClient.open(world.url);
      client.send("40");
      assertEquals(await client.packets.next("44"), ['{"message":"key"}']);
      client.send('40{"key":1}');
      await client.packets.next("40");
    });

    it(`connecting and disconnecting are limited without a deadline (${place.name})`, async () => {
      const world = await openWorld(place, {
        timeout: "none",
        connection: "connected",
        disconnect: () => world.log.push("gone"),
      });
      const client = await RawClient.connect(world.url);
      const closed = client.packets.next("close").then(() => true);
      for (let isClosed = false; !isClosed;) {
        client.send("41");
        await world.log.next("gone");
        client.send("40");
        isClosed = await Promise.race([closed, client.packets.next("40").then(() => false)]);
      }
      assertEquals(world.log.names.filter((event) => event === "connection").length, 64);
    });

    it(`so are namespaces without end (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none", connection: "connected" }, {
        setUp: (io) => io.of(/^\/room-/).on("connection", () => void world.log.push("room")),
      });
      const client = await RawClient.open(world.url);
      for (let i = 0; i < 200; i++) client.send(`40/room-${i},`);
      await client.packets.next("close");
      assertEquals(world.log.names.length <= 64, true);
    });

    it(`connecting and disconnecting does not extend the deadline (${place.name})`, async () => {
      const world = await openWorld(place, {
        timeout: 1000,
        disconnect: () => world.log.push("gone"),
      });
      // The deadline begins before the client knows that it is connected.
      const startedAt = performance.now();
      const client = await RawClient.connect(world.url);
      let isClosed = false;
      const closed = client.packets.next("close").then(() => isClosed = true);
      let rounds = 0;
      for (; !isClosed && rounds < 10; rounds++) {
        client.send("41");
        await Promise.race([world.log.next("gone"), closed]);
        client.send("40");
        await Promise.race([client.packets.next("40"), closed]);
      }
      await closed;
      const ms = performance.now() - startedAt;
      assert(rounds > 1 && ms >= 1000 && ms < 8000, `${rounds} rounds in ${ms} ms`);
    });

    it(`malformed packets take nothing down (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (socket: unknown, credentials: never) => credentials && verify(socket, credentials),
      });
      const malformed = [
        "",
        "4",
        "42",
        "42[",
        "42[]",
        "42{}",
        "42null",
        "42[5]",
        "42[null]",
        '42["connect"]',
        '42["authentication"',
        '4299999999999999999999["authentication"]',
        '45999-["authentication"]',
        '451-["authentication",{"_placeholder":true,"num":7}]',
        "40null",
        '40"x"',
        "40[]",
        "44",
        "49",
        "9",
        "x",
        "42" + "[".repeat(100_000),
        `42["authentication",${"[".repeat(50_000)}${"]".repeat(50_000)}]`,
        '42["authentication",{"__proto__":{"password":"right"},"constructor":null}]',
      ];
      await Promise.all(malformed.map(async (packet) => {
        const client = await RawClient.connect(world.url);
        client.send(packet);
        client.send(GUESS);
        await client.packets.next("close");
        assertEquals(client.events.some((event) => String(event).includes("authenticated")), false);
      }));
      for (
        const connect of ["40null", '40"x"', "40[]", "405", '40{"pid":{},"offset":[]}', "40/none"]
      ) {
        const client = await RawClient.open(world.url);
        client.send(connect);
        client.send("42[]");
        await client.packets.next("close");
      }
      const honest = await world.connect();
      await honest.signIn();
      assertEquals(world.errors, []);
    });

    it(`authentication without arguments asks the verifier, and answers (${place.name})`, async () => {
      const seen: unknown[] = [];
      const world = await openWorld(place, {
        verify: (_socket: unknown, credentials: unknown) => void seen.push(credentials),
      });
      for (const packet of ['42["authentication"]', '427["authentication"]']) {
        const client = await RawClient.connect(world.url);
        client.send(packet);
        await client.packets.next("42");
      }
      assertEquals(seen, [undefined, undefined]);
    });
  }
});
