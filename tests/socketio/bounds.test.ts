import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { collectGarbage } from "../kit/garbage.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, transportsOf, type World } from "../kit/world.ts";

const RIGHT = '42["authentication",{"username":"ada","password":"right"}]';

describe("bounds", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`binary events and acknowledgements are held as they are (${place.name})`, async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.on("upload", (data: Uint8Array, answer: (echo: Uint8Array) => void) =>
              answer(data));
            socket.emit("image", new Uint8Array([1, 2, 3]), { nested: new Uint8Array([4]) });
          }),
      });
      const client = await world.connect();
      const echo = client.socket.emitWithAck("upload", new Uint8Array([5, 6]));
      await client.signIn();
      const [image, { nested }] = await client.next("image") as [
        Uint8Array,
        { nested: Uint8Array },
      ];
      assertEquals([[...new Uint8Array(image)], [...new Uint8Array(nested)]], [[1, 2, 3], [4]]);
      assertEquals([...new Uint8Array(await echo)], [5, 6]);
    });
  }

  for (const place of engineOnly) {
    it(`a middleware that goes on twice connects one socket once (${place.name})`, async () => {
      const late: (() => void)[] = [];
      const world = await openWorld(place, { connection: "connected", maxPending: 1 }, {
        setUp: (io) => io.use((_socket, next) => (late.push(next), next(), next())),
      });
      for (const _ of ["one", "another"]) {
        const client = await world.connect();
        await client.signIn();
        const [socket] = await world.log.next("connection") as [Socket];
        assertEquals(client.received, ["authenticated"]);
        const { pending, authenticated } = world.auth.stats();
        assertEquals([pending, authenticated], [0, 1]);
        await signOutAndGoOn(world, client, socket);
        client.socket.disconnect();
        await engineIsEmpty(world.io);
        assertEquals(world.auth.stats().pending, 0);
      }

      /** The middleware of a socket that is over goes on once more, under the next user. */
      async function signOutAndGoOn(world: World, client: Client, socket: Socket): Promise<void> {
        const next = late.at(-1)!;
        const connected = client.next("connect");
        world.auth.deauthenticate(socket);
        await connected;
        await client.signIn({ username: "grace", password: "right" });
        next();
        await world.log.next("connection");
        client.socket.emit("probe");
        const [again] = [...world.io.sockets.sockets.values()] as [Socket];
        await new Promise<void>((resolve) => again.once("probe", resolve));
        assertEquals([socket.connected, world.auth.session(again)?.user.name], [false, "grace"]);
      }
    });

    it(`what is held outwards keeps its flags (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" });
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      const flags: unknown[] = [];
      const { client: connection } = socket as unknown as {
        client: { _packet(packet: object, flags: object): void };
      };
      const { _packet } = connection;
      socket.compress(false).emit("plain");
      socket.emit("usual");
      const asked = socket.timeout(20_000).emitWithAck("asked");
      connection._packet = (packet, given) => {
        flags.push(given);
        _packet.call(connection, packet, given);
      };
      client.socket.on("asked", (answer: (text: string) => void) => answer("yes"));
      await client.signIn();
      assertEquals(await asked, "yes");
      const [, plain, usual, timed] = flags as { compress?: boolean; timeout?: number }[];
      assertEquals([plain, usual], [{ compress: false }, { compress: true }]);
      assertEquals(timed!.timeout, 20_000);
    });

    it(`a client of revision 3 of Engine.IO signs in likewise (${place.name})`, async () => {
      if (place.engine === "bun-engine") return; // it speaks revision 4 only
      const world = await openWorld(place, { connection: "connected" }, {
        server: { allowEIO3: true },
      });
      const client = await RawClient.open(world.url, 3);
      await client.packets.next("40");
      await world.log.next("connection");
      world.io.emit("secret");
      client.send(RIGHT);
      await client.packets.next("42");
      world.io.emit("public");
      await client.packets.next("42");
      assertEquals(client.events.map((event) => (event as unknown[])[0]), [
        "authenticated",
        "public",
      ]);
    });

    it(`after a flood nothing is left of it (${place.name})`, async () => {
      const world = await openWorld(place, {
        holdLimit: { events: 50, bytes: 1_000_000 },
        timeout: 60_000,
        connection: "connected",
      });
      /** The sockets, and the connections under them. */
      const left: WeakRef<object>[] = [];
      world.io.sockets.removeAllListeners("connection"); // the test's log keeps sockets
      world.io.on("connection", (socket) => {
        left.push(new WeakRef(socket), new WeakRef(socket.client));
        socket.join(["a", "b", socket.id + "c"]);
        for (let i = 0; i < 20; i++) socket.emit("held", "x".repeat(100), () => {});
      });
      await flood(world, 200);
      await engineIsEmpty(world.io);
      const { sockets: live, adapter } = world.io.of("/");
      assertEquals([transportsOf(world.io).length, live.size], [0, 0]);
      assertEquals([adapter.sids.size, adapter.rooms.size], [0, 0]);
      // Some transports linger for a second, and looking at a socket keeps it for a turn.
      const alive = () => left.filter((object) => object.deref()).length;
      for (let i = 0; alive() > 40 && i < 50; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        collectGarbage();
        await new Promise((resolve) => setTimeout(resolve));
      }
      assertEquals(left.length, 400);
      assert(alive() <= 40, `${alive()} sockets and connections are still in memory`);
    });
  }
});

/** Many clients that sign in wrongly, send too much, or vanish. */
async function flood(world: World, count: number): Promise<void> {
  for (let n = 0; n < count; n += 20) {
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const client = await RawClient.connect(world.url);
      for (let j = 0; j < 60; j++) client.send(`42["event","${"x".repeat(1000)}"]`);
      if (i % 3 === 0) client.send('42["authentication",{"password":"wrong"}]');
      await client.packets.next("close");
    }));
  }
}
