// The honest beside the hostile: what a client may send and be sent before it has signed in.
import { assert, assertEquals, describe, it } from "#testing";
import { Buffer } from "node:buffer";
import type { Socket } from "socket.io";
import type { Outcome, VerifyContext } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

const RIGHT = { username: "ada", password: "right" };

/** Binary data of every kind, of so many bytes. */
const binaries: Record<string, (bytes: number) => unknown> = {
  "a Buffer": (bytes) => Buffer.alloc(bytes),
  "a typed array": (bytes) => new Uint8Array(bytes),
  "an ArrayBuffer": (bytes) => new ArrayBuffer(bytes),
  "a part of a larger Buffer": (bytes) => Buffer.alloc(10 * bytes).subarray(bytes, 2 * bytes),
  "a nested Buffer": (bytes) => ({ deep: [{ data: Buffer.alloc(bytes) }] }),
};

function collect(world: World): unknown[] {
  const received: unknown[] = [];
  world.io.on("connection", (socket) => {
    socket.onAny((_event, ...args) => {
      const last = args.at(-1);
      if (typeof last === "function") last(args[0]);
      received.push(args[0]);
    });
  });
  return received;
}

describe("an honest client", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`that was offline for long sends all it has, behind its sign-in (${place.name})`, async () => {
      const world = await openWorld(place);
      const received = collect(world);
      const client = openClient(place, world.url);
      client.socket.on("connect", () => client.emit("authentication", RIGHT));
      for (let i = 0; i < 40; i++) client.emit("typed", i);
      const answer = client.socket.emitWithAck("typed", 40);
      assertEquals(await answer, 40);
      assertEquals(received, Array.from({ length: 41 }, (_, i) => i));
      assertEquals(world.auth.stats().held, 0);
    });
  }

  for (const place of engineOnly) {
    it(`may send a thousand events before it signs in (${place.name})`, async () => {
      const world = await openWorld(place);
      const received = collect(world);
      const client = await world.connect();
      for (let i = 0; i < 1000; i++) client.emit("typed", i, "x".repeat(100));
      await client.signIn();
      world.io.emit("end");
      await client.next("end");
      await client.socket.emitWithAck("typed", 1000);
      assertEquals(received, Array.from({ length: 1001 }, (_, i) => i));
    });

    for (const [kind, make] of Object.entries(binaries)) {
      it(`may send 250 kB before it signs in: ${kind} (${place.name})`, async () => {
        const world = await openWorld(place);
        const received = collect(world);
        const client = await world.connect();
        client.emit("file", make(250_000));
        const asked = client.socket.emitWithAck("authentication", {}); // a try: it is held by then
        const outcome = await asked as Outcome;
        assertEquals(outcome.ok, false);
        assertEquals([received.length, world.auth.stats().held], [0, 0]);

        const again = await world.connect();
        again.emit("file", make(250_000));
        await again.signIn();
        await again.socket.emitWithAck("end", 1);
        assertEquals(received.length, 2);
      });

      it(`may be sent as much: ${kind} (${place.name})`, async () => {
        const world = await openWorld(place, { connection: "connected" });
        world.io.on("connection", (socket) => socket.emit("file", make(250_000)));
        const client = await world.connect();
        await world.log.next("connection");
        assert(world.auth.stats().held > 250_000 && world.auth.stats().held < 251_000);
        await client.signIn();
        await client.next("file");
        assertEquals([world.errors, world.auth.stats().held], [[], 0]);
      });

      it(`may have credentials and answers with ${kind} (${place.name})`, async () => {
        const world = await openWorld(place, {
          verify: async (_socket: Socket, _given: unknown, { challenge }: VerifyContext) => {
            await challenge("face?");
            return { name: "ada" };
          },
        });
        const client = await world.connect();
        client.socket.on("challenge", (_data, answer) => answer({ face: make(16_000) }));
        assertEquals(await client.signIn({ cert: make(16_000) }), [true]);
      });
    }
  }
});

describe("a hostile client", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`that sends more than a thousand events is cut (${place.name})`, async () => {
      const world = await openWorld(place);
      const received = collect(world);
      const client = await world.connect();
      for (let i = 0; i < 1001; i++) client.emit("typed", i);
      const [{ code }] = await client.next("unauthorized") as [{ code: string }];
      await client.next("disconnect");
      const { cut, held } = world.auth.stats();
      assertEquals([code, cut, held, received], ["too_many_events", 1, 0, []]);
    });

    it(`that sends one byte of a large chunk at a time keeps only that (${place.name})`, async () => {
      const world = await openWorld(place);
      const sizes: number[] = [];
      world.io.on("connection", (socket) => {
        socket.on("byte", (data: Uint8Array) => sizes.push(data.buffer.byteLength));
      });
      const client = await RawClient.connect(world.url);
      for (let i = 0; i < 30; i++) {
        client.send('451-["byte",{"_placeholder":true,"num":0}]');
        client.send(Uint8Array.of(i));
        // So that it is a slice of what comes with it.
        client.send(`42["text","${"x".repeat(5000)}"]`);
      }
      client.send(`42["authentication",${JSON.stringify(RIGHT)}]`);
      await client.packets.next("42");
      world.io.emit("end");
      await client.packets.next("42");
      assertEquals(sizes, Array(30).fill(1));
    });

    it(`on many sockets costs a bounded total, and who holds most is cut (${place.name})`, async () => {
      const world = await openWorld(place, { holdLimit: { total: 300_000 } });
      const received = collect(world);
      const honest = await world.connect();
      for (let i = 0; i < 20; i++) honest.emit("typed", i);
      const hostile = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
      for (const client of hostile) client.emit("flood", "x".repeat(60_000));
      const codes = await Promise.all(
        hostile.slice(0, 4).map(async (client) => {
          const [refusal] = await client.next("unauthorized") as [
            { code: string; retryAfter: number },
          ];
          assert(refusal.retryAfter > 0);
          return refusal.code;
        }),
      );
      assertEquals(codes, Array(4).fill("server_busy"));
      const { cut, held } = world.auth.stats();
      assertEquals([cut, held <= 300_000, held > 200_000], [4, true, true]);
      await honest.signIn();
      await honest.socket.emitWithAck("typed", 20);
      assertEquals(received, Array.from({ length: 21 }, (_, i) => i));
      for (const client of hostile) client.socket.disconnect();
      honest.socket.disconnect();
      while (world.auth.stats().held > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
  }
});
