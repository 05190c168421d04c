// What a client connection may cost before it is signed in, on however many namespaces.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import { io as connect } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";
import { socketioAuth, type VerifyContext } from "../../mod.ts";
import { Client } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { PollingClient, RawClient } from "../kit/raw.ts";
import { createServer, engineOnly, type Place, places, start } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, type World } from "../kit/world.ts";

const RIGHT = `42["authentication",{"username":"ada","password":"right"}]`;

/** Packets of Socket.IO in one payload of Engine.IO. */
const payload = (packets: string[]) => packets.map((packet) => `4${packet}`).join("\x1e");

/** How the server's hand is tried: one by one over a WebSocket, or all in one POST. */
const wires: Record<string, (url: string, packets: string[]) => Promise<unknown>> = {
  async "a WebSocket"(url, packets) {
    const raw = await RawClient.open(url);
    for (const packet of packets) raw.send(`4${packet}`);
    await raw.packets.next("close");
  },
  async "one POST"(url, packets) {
    const polling = await PollingClient.open(url);
    await polling.send(payload(packets));
  },
};

/** The names that a pattern made of a function is asked about, and the namespaces there are. */
function patterns(io: Server): { asked: () => number; made: () => number } {
  let asked = 0;
  const before = io._nsps.size;
  io.of(/^\/room-\d+$/);
  io.of((name, _auth, next) => {
    asked++;
    next(null, name.startsWith("/yes"));
  });
  return { asked: () => asked, made: () => io._nsps.size - before };
}

describe("before a client is signed in", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [wire, send] of Object.entries(wires)) {
      for (const name of ["/room-", "/yes-", "/no-"]) {
        it(`64 namespaces are made or asked about, ${name} over ${wire} (${place.name})`, async () => {
          const world = await openWorld(place, { timeout: "none" });
          const { asked, made } = patterns(world.io);
          await send(world.url, Array.from({ length: 5000 }, (_, i) => `0${name}${i},`));
          await engineIsEmpty(world.io);
          assert(asked() <= 64, `${asked()} asked`);
          assert(made() <= 64, `${made()} made`);
          assertEquals(world.auth.stats().pendingConnections, 0);
        });
      }
    }

    it(`whatever a client writes for a CONNECT (${place.name})`, async () => {
      for (const type of [" ", "\t"]) {
        const world = await openWorld(place, { timeout: "none" });
        const { asked, made } = patterns(world.io);
        const raw = await RawClient.open(world.url);
        for (let i = 0; i < 300; i++) raw.send(`4${type}/${i % 2 ? "room" : "no"}-${i},`);
        await raw.packets.next("close");
        assert(asked() <= 64 && made() <= 64, `${asked()} asked, ${made()} made`);
      }
    });

    it(`whoever was there before the guard is counted, too (${place.name})`, async () => {
      const io = createServer();
      const { url, close } = await start(place, io);
      onDispose(close);
      const { asked } = patterns(io);
      const raw = await RawClient.open(url);
      socketioAuth(io, { verify: () => true, timeout: "none" });
      for (let i = 0; i < 300; i++) raw.send(`40/no-${i},`);
      await raw.packets.next("close");
      assert(asked() <= 64, `${asked()} asked`);
    });

    it(`a namespace that a pattern is deciding about is not open (${place.name})`, async () => {
      const io = createServer();
      io.of("/x");
      const slow = io.of((name, _auth, next) => void setTimeout(next, 60_000, null, name === "/x"));
      socketioAuth(slow, { verify: () => true, timeout: "none" });
      const { url, close } = await start(place, io);
      onDispose(close);
      const raw = await RawClient.open(url);
      for (let i = 0; i < 300; i++) raw.send("40/x,");
      await raw.packets.next("close");
    });

    it(`one that is cut beside an open namespace gets no socket later (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none", open: "/open" });
      world.io.of("/open").on("connection", echo);
      const held: (() => void)[] = [];
      world.io.of(/^\/room-/).use((_socket, next) => void held.push(next));
      const raw = await RawClient.open(world.url);
      raw.send("40/open,");
      await raw.packets.next("40");
      for (let i = 0; i < 70; i++) raw.send(`40/room-${i},`);
      raw.send(`42/open,0["size","x"]`);
      await raw.packets.next("43");
      for (const go of held) go();
      raw.send(`42/open,1["size","x"]`);
      await raw.packets.next("43");
      assertEquals(raw.packets.names.filter((name) => name === "40").length, 1);
      assertEquals([world.auth.stats().pending, world.auth.stats().pendingConnections], [0, 0]);
    });

    it(`beside an open namespace nothing is answered past the limit (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none", open: "/open" });
      world.io.of("/open").on("connection", echo);
      const raw = await RawClient.open(world.url);
      raw.send("40/open,");
      await raw.packets.next("40");
      for (let i = 0; i < 400; i++) raw.send(`40/none-${i},`);
      raw.send(`42/open,0["size","x"]`);
      await raw.packets.next("43");
      assertEquals(raw.packets.names.filter((name) => name === "44").length, 65);
    });

    it(`what another policy refuses does not wait beside a member (${place.name})`, async () => {
      const world = await openWorld(place);
      socketioAuth(world.io.of(/^\/full-/), {
        verify: () => true,
        handshake: true,
        maxPending: 0,
      });
      // It goes on after the look that the server takes at the end of the turn.
      world.io.of("/slow").use((_socket, next) => void setTimeout(next));
      const raw = await RawClient.connect(world.url);
      raw.send(RIGHT);
      await raw.packets.next("42");
      for (let i = 0; i < 64; i++) raw.send(`40/full-${i},{"token":1}`);
      for (let i = 0; i < 64; i++) await raw.packets.next("44");
      raw.send("40/slow,");
      await raw.packets.next("42");
      for (let i = 0; i < 64; i++) await raw.packets.next("41");
      assertEquals(raw.packets.names.includes("close"), false);
    });

    it(`and no query makes a name an open one (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none", open: "/open" });
      world.io.of("/open");
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < 200; i++) raw.send(`40/open?${i},`);
      await raw.packets.next("close");
      assert(raw.packets.names.filter((name) => name === "44").length <= 65);
    });

    it(`open namespaces do not count, nor does what they send (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none", open: /^\/open/ });
      for (let i = 0; i < 80; i++) world.io.of(`/open-${i}`).on("connection", echo);
      const client = await world.connect("/open-0");
      const others = Array.from({ length: 79 }, (_, i) => client.sibling(`/open-${i + 1}`));
      for (const other of others) await other.next("connect");
      for (let i = 0; i < 4; i++) {
        assertEquals(await client.socket.emitWithAck("size", "x".repeat(600_000)), 600_000);
      }
    });

    if (place.engine !== "bun-engine") {
      it(`nor do those that a client of Socket.IO 2 asks for with a query (${place.name})`, async () => {
        const world = await openWorld(place, { timeout: "none", open: /^\/open/ }, {
          server: { allowEIO3: true },
        });
        for (let i = 0; i < 80; i++) world.io.of(`/open-${i}`);
        const raw = await RawClient.open(world.url, 3);
        for (let i = 0; i < 80; i++) raw.send(`40/open-${i}?from=here,`);
        // One more is the main namespace, which it is connected to without being asked.
        for (let i = 0; i < 81; i++) await raw.packets.next("40");
        raw.send(RIGHT);
        await raw.packets.next("42");
        assertEquals(raw.events, [["authenticated", true]]);
        assertEquals(raw.packets.names.includes("44"), false);
      });
    }

    it(`64 attempts are declined while one runs, also of a member (${place.name})`, async () => {
      for (const isMember of [false, true]) {
        let asked = 0;
        const world = await openWorld(place, {
          timeout: 60_000,
          async verify(_socket: Socket, _given: unknown, { challenge }: VerifyContext) {
            if (asked++ > 0 || !isMember) await challenge("code?", { timeout: 60_000 });
            return { id: "ada" };
          },
        });
        const raw = await RawClient.connect(world.url);
        if (isMember) {
          raw.send(RIGHT);
          await raw.packets.next("42");
        }
        raw.send(RIGHT);
        for (let i = 0; i < 1000; i++) raw.send(`42${i}["authentication",{}]`);
        await raw.packets.next("close");
        assertEquals(raw.packets.names.filter((name) => name === "43").length, 65);
        const [, told] = raw.packets.all.findLast(([type]) => type === "42")!;
        assert(String(told).includes("too_many_attempts"), String(told));
      }
    });

    it(`a place is that of a connection, whatever its sockets (${place.name})`, async () => {
      const world = await openWorld(place, { maxPending: 3 });
      world.io.of(/^\/room-/);
      const crowds = await Promise.all([0, 1].map(() => RawClient.connect(world.url)));
      for (const raw of crowds) {
        for (let i = 0; i < 60; i++) raw.send(`40/room-${i},`);
        for (let i = 0; i < 60; i++) await raw.packets.next("40");
      }
      const { pending, pendingConnections } = world.auth.stats();
      assertEquals([pending, pendingConnections], [122, 2]);
      const honest = await world.connect();
      await honest.signIn();
      // One that has left its namespaces has its place until it is gone.
      crowds[0]!.close();
      while (world.auth.stats().pendingConnections > 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });

    it(`the connection that holds most is cut, not the one with most events (${place.name})`, async () => {
      const world = await openWorld(place, {
        holdLimit: { bytes: 100_000, events: 5000, total: 400_000 },
      });
      world.io.of(/^\/room-/);
      const honest = await world.connect();
      for (let i = 0; i < 60; i++) honest.emit("typed", i);
      const hostile = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(world.url)));
      for (const raw of hostile) {
        for (let i = 0; i < 60; i++) raw.send(`40/room-${i},`);
        for (let i = 0; i < 60; i++) await raw.packets.next("40");
        for (let i = 0; i < 60; i++) raw.send(`42/room-${i},["x","${"x".repeat(900)}"]`);
      }
      const cut = hostile.filter(({ packets }) => packets.names.includes("close"));
      await honest.signIn();
      assert(cut.length > 0 || world.auth.stats().held <= 400_000);
      assertEquals(honest.received, ["authenticated"]);
    });

    it(`the limits of what is held are those of a connection (${place.name})`, async () => {
      const world = await openWorld(place, { holdLimit: { events: 10 } });
      world.io.of(/^\/room-/);
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < 5; i++) raw.send(`40/room-${i},`);
      for (let i = 0; i < 5; i++) await raw.packets.next("40");
      for (let i = 0; i < 11; i++) raw.send(`42/room-${i % 5},["x"]`);
      await raw.packets.next("close");
      const [, first] = raw.packets.all.find(([type]) => type === "42")!;
      assert(String(first).includes("too_many_events"));
    });

    it(`no parser keeps more than a mebibyte or so (${place.name})`, async () => {
      const world = await openWorld(place);
      const raw = await RawClient.connect(world.url);
      raw.send(`4510-["file"${`,{"_placeholder":true,"num":0}`.repeat(10)}]`);
      for (let i = 0; i < 9; i++) raw.send(new Uint8Array(700_000));
      await raw.packets.next("close");
      const [, told] = raw.packets.all.find(([type]) => type === "42")!;
      assert(String(told).includes("too_many_events"), String(told));
    });

    it(`over polling, too, also if nothing is fetched (${place.name})`, async () => {
      const asked = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        timeout: 60_000,
        async verify(_socket: Socket, _given: unknown, { challenge }: VerifyContext) {
          asked.resolve();
          return await challenge("code?", { timeout: 60_000 }) === "right";
        },
      });
      const guessing = await PollingClient.connect(world.url);
      await guessing.send(RIGHT);
      await asked.promise;
      const guesses = Array.from({ length: 1000 }, (_, i) => `2${i}["authentication",{}]`);
      await guessing.send(payload(guesses));
      await engineIsEmpty(world.io);
      assertEquals(world.auth.stats().cut, 1);

      const sending = await PollingClient.connect(world.url);
      await sending.send(`4510-["file"${`,{"_placeholder":true,"num":0}`.repeat(10)}]`);
      const part = `b${"A".repeat(800_000)}`;
      for (let i = 0; i < 9 && world.auth.stats().cut === 1; i++) await sending.send(part);
      await engineIsEmpty(world.io);
      assertEquals([world.auth.stats().cut, world.auth.stats().pendingConnections], [2, 0]);
    });

    it(`as much may come as credentials and held events take (${place.name})`, async () => {
      const world = await openWorld(place, { maxCredentials: 100_000, attempts: 10 });
      const raw = await RawClient.connect(world.url);
      for (let i = 0; i < 10; i++) {
        raw.send(`42["authentication",{"password":"${"x".repeat(99_000)}"}]`);
        await raw.packets.next("42");
      }
      const told = raw.events.map((event) => (event as [string, { code: string }])[1].code);
      assertEquals(told, Array(10).fill("authentication_failed"));
    });

    it(`with incoming "pass" it is the application's affair (${place.name})`, async () => {
      const world = await openWorld(place, { incoming: "pass", connection: "connected" });
      world.io.on("connection", echo);
      const client = await world.connect();
      for (let i = 0; i < 4; i++) {
        assertEquals(await client.socket.emitWithAck("size", "x".repeat(600_000)), 600_000);
      }
    });

    it(`nothing is counted once it is signed in, and again when it is not (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: "none" });
      const { made } = patterns(world.io);
      world.io.on("connection", echo);
      const client = await world.connect();
      await client.signIn();
      const [socket] = await world.log.next("connection") as [Socket];
      const conn = socket.conn as unknown as { listeners(event: string): unknown[] };
      assertEquals(conn.listeners("data").length, 1);
      for (let i = 0; i < 4; i++) {
        assertEquals(await client.socket.emitWithAck("size", "x".repeat(600_000)), 600_000);
      }
      for (let i = 0; i < 80; i++) await client.sibling(`/room-${i}`).next("authenticated");
      assertEquals(made(), 80);
      const connected = client.next("connect");
      world.auth.deauthenticate(socket);
      await connected;
      for (let i = 80; i < 200; i++) client.sibling(`/room-${i}`);
      await client.next("disconnect");
      assert(made() <= 80 + 64, `${made()}`);
    });

    it(`a member may be on the way into 64 namespaces at once (${place.name})`, async () => {
      const world = await openWorld(place);
      world.io.of(/^\/room-/).use(() => {});
      const raw = await RawClient.connect(world.url);
      raw.send(RIGHT);
      await raw.packets.next("42");
      for (let i = 0; i < 200; i++) raw.send(`40/room-${i},`);
      await raw.packets.next("close");
      const [, told] = raw.packets.all.findLast(([type]) => type === "42")!;
      assert(String(told).includes("too_many_attempts"));
    });

    it(`whoever observes is told once of a connection that is cut (${place.name})`, async () => {
      const world = await openWorld(place, {
        timeout: "none",
        observe: ({ type, ...event }) =>
          world.log.push(`${type} ${"code" in event ? event.code : ""}`),
      });
      world.io.of(/^\/room-/);
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < 200; i++) raw.send(`40/room-${i},`);
      await raw.packets.next("close");
      await engineIsEmpty(world.io);
      await world.log.next("unauthorized too_many_attempts");
      const told = world.log.names.filter((name) => name.startsWith("unauthorized"));
      assertEquals(told, ["unauthorized too_many_attempts"]);
    });
  }
});

describe("only plain data comes from clients", () => {
  disposeAfterEach();

  /** Whether to assign to `__proto__` is to set the prototype, as everywhere but on Deno. */
  function setsPrototype(): boolean {
    const object: Record<string, unknown> = {};
    object["__proto__"] = { inherited: true };
    return object.inherited === true;
  }

  /** What a parser makes an object of that inherits something; else something that is not plain. */
  const hidden = (content: object) =>
    setsPrototype()
      ? JSON.parse(`{"__proto__":${JSON.stringify(content)}}`)
      : { ...content, at: new Date() };

  async function open(place: Place, options: object): Promise<World> {
    return await openWorld(place, options, { server: { parser: msgpack } });
  }

  function knock({ transport }: Place, url: string, auth?: object): Client {
    const options = { ...transport, forceNew: true, reconnection: false, parser: msgpack };
    return new Client(connect(url, { ...options, ...auth && { auth } }));
  }

  for (const place of places) {
    it(`with another parser, too (${place.name})`, async () => {
      const seen: unknown[] = [];
      const world = await open(place, {
        attempts: 9,
        maxCredentials: 1000,
        verify: (_socket: unknown, given: { admin?: boolean; password?: string }) => {
          seen.push(given);
          return given.admin || given.password === "right" ? { name: "ada" } : undefined;
        },
      });
      const client = knock(place, world.url);
      await client.next("connect");
      const smuggled = [
        hidden({ admin: true, padding: "x".repeat(10_000) }),
        { user: [hidden({ admin: true })] },
        new Date(),
      ];
      for (const credentials of smuggled) {
        const outcome = await client.socket.emitWithAck("authentication", credentials);
        assertEquals(outcome.code, "invalid_credentials");
      }
      assertEquals(seen, []);
      const outcome = await client.socket.emitWithAck("authentication", { password: "right" });
      assertEquals([outcome.ok, seen], [true, [{ password: "right" }]]);
    });
  }

  for (const place of engineOnly) {
    it(`in CONNECT, in answers, and in events that are held (${place.name})`, async () => {
      const asked: unknown[] = [];
      const world = await open(place, {
        handshake: true,
        verify: async (_socket: unknown, _given: unknown, { challenge }: VerifyContext) => {
          asked.push(await challenge("code?"));
          return { name: "ada" };
        },
      });
      const knocking = knock(place, world.url, hidden({ admin: true }));
      const [error] = await knocking.next("connect_error") as [{ data?: { code: string } }];
      assertEquals(error.data?.code, "invalid_credentials");

      const answering = knock(place, world.url);
      await answering.next("connect");
      answering.emit("authentication", {});
      const [, answer] = await answering.next("challenge") as [unknown, (a: unknown) => void];
      answer(hidden({ admin: true }));
      const [refusal] = await answering.next("unauthorized") as [{ code: string }];
      assertEquals([refusal.code, asked], ["invalid_credentials", []]);

      const chatting = knock(place, world.url);
      await chatting.next("connect");
      chatting.emit("chat", hidden({ admin: true }));
      const [cut] = await chatting.next("unauthorized") as [{ code: string }];
      assertEquals([cut.code, world.auth.stats().held], ["too_many_events", 0]);
    });

    it(`where events pass, too, and only before the sign-in (${place.name})`, async () => {
      const seen: unknown[] = [];
      const welcomed = Promise.withResolvers<void>();
      const world = await open(place, {
        incoming: "pass",
        connection: "connected",
        attempts: 9,
        postAuthenticate: () => welcomed.promise,
      });
      world.io.on("connection", (socket) => socket.on("chat", (what) => seen.push(what)));
      const client = knock(place, world.url);
      await client.next("connect");
      client.emit("chat", hidden({ admin: true }));
      await client.next("disconnect");
      assertEquals(seen, []);
      const member = knock(place, world.url);
      await member.next("connect");
      await member.signIn();
      member.emit("chat", new Date(0));
      welcomed.resolve();
      while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assertEquals(member.received, ["authenticated"]);
    });

    it(`64 namespaces are asked for, with another parser (${place.name})`, async () => {
      const world = await open(place, { timeout: "none" });
      const { made } = patterns(world.io);
      const client = knock(place, world.url);
      await client.next("connect");
      for (let i = 0; i < 200; i++) client.sibling(`/room-${i}`);
      await client.next("disconnect");
      assert(made() <= 64, `${made()}`);
    });
  }
});

function echo(socket: Socket): void {
  socket.on(
    "size",
    (text: string, acknowledge: (size: number) => void) => acknowledge(text.length),
  );
}
