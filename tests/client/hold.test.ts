// What the application emits before it is signed in stays on the client, with whatever Socket.IO
// knows to do with an event, whatever version of its client it is.
import { assert, assertEquals, assertRejects, assertThrows, describe, it } from "#testing";
import type { Server } from "socket.io";
import { clients, type Connect } from "./clients.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import type { EventQueue } from "../kit/events.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";
import { ada, reach, signIn, userId } from "./session.ts";

/** Nothing that comes before the sign-in passes: what arrives has waited on the client. */
const strict = { incoming: "drop" } as const;

/** A server that tells what has come to it, in order, and answers. */
function listen(io: Server): void {
  io.on("connection", (socket) => {
    socket.onAny((event, ...args) => {
      const acknowledge = args.at(-1);
      if (typeof acknowledge === "function") acknowledge(`got ${event}`);
      socket.emit("heard", event, ...args.filter((arg) => typeof arg !== "function"));
    });
  });
}

/** The names of what the server has heard, up to and with the `last`. */
async function hearUntil(events: EventQueue, last: string): Promise<unknown[]> {
  const heard: unknown[] = [];
  do heard.push((await events.next("event heard"))[0]); while (heard.at(-1) !== last);
  return heard;
}

for (const place of engineOnly) {
  for (const [version, connectTo] of Object.entries(clients)) {
    describe(`what waits for the sign-in (client ${version}, ${place.name})`, () => {
      disposeAfterEach();

      function open(world: World, options: Parameters<Connect>[1] = {}) {
        const socket = connectTo(world.url, { ...place.transport, forceNew: true, ...options });
        onDispose(() => socket.disconnect());
        return socket;
      }

      it("goes out in order, whenever it was emitted", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world, { autoConnect: false });
        for (let n = 0; n < 300; n++) socket.emit("offline", n);
        const { session, events } = signIn(socket, async () => {
          socket.emit("asked for credentials");
          return await Promise.resolve(ada);
        });
        socket.once("connect", () => socket.emit("connected"));
        socket.once("authenticated", () => socket.emit("told"));
        await session.ready;
        socket.emit("signed in");
        const heard = [];
        do heard.push((await events.next("event heard"))[0]); while (heard.at(-1) !== "signed in");
        assertEquals(heard.length, 304);
        assertEquals(heard.slice(0, 300).every((event) => event === "offline"), true);
        assertEquals(heard.slice(300), ["asked for credentials", "connected", "told", "signed in"]);
      });

      it("keeps its acknowledgements, its binary and its kind", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world);
        const { session, events } = signIn(socket, ada);
        const answers = [
          socket.emitWithAck("plain", 1),
          socket.timeout(30_000).emitWithAck("with a timeout", 2),
        ];
        const called = new Promise((resolve) =>
          socket.emit("binary", new Uint8Array([1, 2]), resolve)
        );
        socket.send("a message");
        socket.compress(false).emit("uncompressed");
        await session.ready;
        assertEquals(await Promise.all(answers), ["got plain", "got with a timeout"]);
        assertEquals(await called, "got binary");
        const heard: unknown[][] = [];
        for (let n = 0; n < 5; n++) heard.push(await events.next("event heard"));
        assertEquals(heard.map(([event]) => event), [
          "plain",
          "with a timeout",
          "binary",
          "message",
          "uncompressed",
        ]);
        assertEquals([...new Uint8Array(heard[2]![1] as ArrayBuffer)], [1, 2]);
      });

      it("does not keep the credentials waiting with `retries`, and goes out once", async () => {
        const world = await openWorld(place, { ...strict, userId }, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 10_000 });
        socket.emit("first", 1);
        const { session, events } = signIn(socket, ada);
        const answer = socket.emitWithAck("second", 2);
        await session.ready;
        assertEquals(await answer, "got second");
        assertEquals((await events.next("event heard")).slice(0, 2), ["first", 1]);
        assertEquals((await events.next("event heard")).slice(0, 2), ["second", 2]);
        await session.refresh();
        session.stop();
        socket.emit("third");
        assertEquals(await hearUntil(events, "third"), ["authentication", "third"]);
      });

      it("times out where it waits, and is not sent then", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        let bring = (_credentials: unknown) => {};
        const credentials = new Promise((resolve) => bring = resolve);
        const socket = open(world);
        const { session, events } = signIn(socket, () => credentials);
        await assertRejects(() => socket.timeout(20).emitWithAck("too late"), Error, "timed out");
        socket.emit("in time");
        bring(ada);
        await session.ready;
        assertEquals((await events.next("event heard"))[0], "in time");
      });

      it("is not volatile", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world);
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        let bring = (_credentials: object) => {};
        const { session, events } = signIn(socket, () => new Promise((next) => bring = next));
        await reach(session, "authenticating");
        // A volatile event is not kept back by a transport that could send it.
        assert((socket.io.engine.transport as unknown as { writable: boolean }).writable);
        socket.volatile.emit("volatile");
        socket.emit("lasting");
        bring(ada);
        await session.ready;
        assertEquals((await events.next("event heard"))[0], "lasting");
      });

      it("is not given up for want of credentials with `retries`", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 300 });
        // Socket.IO has given up four tries by the time they come.
        const late = new Promise<object>((resolve) => setTimeout(resolve, 1_500, ada));
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        const { session } = signIn(socket, () => late);
        assertEquals(await socket.emitWithAck("patience"), "got patience");
        assertEquals(session.state, "authenticated");
      });

      it("is told once to listeners for outgoing events, and credentials never", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world);
        const outgoing: unknown[] = [];
        socket.onAnyOutgoing((event) => outgoing.push(event));
        const { session, events } = signIn(socket, ada);
        socket.emit("offline");
        socket.once("connect", () => socket.emit("connected"));
        await session.ready;
        socket.emit("signed in");
        while ((await events.next("event heard"))[0] !== "signed in");
        assertEquals(outgoing, ["offline", "connected", "signed in"]);
      });

      it("is not overtaken by what those listeners emit", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world);
        socket.onAnyOutgoing((event) => {
          if (event === "one") socket.emit("three");
        });
        const { session, events } = signIn(socket, ada);
        socket.emit("one");
        socket.emit("two");
        await session.ready;
        const heard = [];
        for (let n = 0; n < 3; n++) heard.push((await events.next("event heard"))[0]);
        assertEquals(heard, ["one", "two", "three"]);
      });

      it("goes out when the session is stopped before the sign-in", async () => {
        const world = await openWorld(place, {}, { setUp: listen });
        const socket = open(world);
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        const { session, events } = signIn(socket, () => new Promise<object>(() => {}));
        socket.emit("one");
        session.stop();
        // By hand: the server holds it for as long.
        socket.emit("authentication", ada);
        assertEquals((await events.next("event heard"))[0], "one");
      });

      it("goes out once, with `retries`, when it is stopped and another begins", async () => {
        const world = await openWorld(place, {}, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 10_000 });
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        const { session } = signIn(socket, () => new Promise<object>(() => {}));
        const first = socket.emitWithAck("first");
        session.stop();
        // The server has it by then, and holds it.
        const { events } = signIn(socket, ada);
        assertEquals(await first, "got first");
        socket.emit("second");
        assertEquals(await hearUntil(events, "second"), ["first", "second"]);
      });

      it("waits for the next sign-in if this one is refused", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world);
        const { session } = signIn(socket, { ...ada, password: "wrong" });
        socket.emit("question");
        await assertRejects(() => session.ready);
        const next = signIn(socket, ada);
        await next.session.ready;
        assertEquals((await next.events.next("event heard"))[0], "question");
      });

      it("is sent once, with `retries`, if the application then signs in by hand", async () => {
        const world = await openWorld(place, { handshake: true, userId }, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 10_000 });
        const { session, events } = signIn(socket, { ...ada, password: "wrong" });
        const first = socket.emitWithAck("first");
        await assertRejects(() => session.ready);
        await new Promise((resolve) => socket.once("disconnect", resolve));
        socket.auth = ada;
        socket.connect();
        // Version 4.6.0 does not look into its queue before something else is emitted.
        const answers = [first, socket.emitWithAck("second")];
        assertEquals(await Promise.all(answers), ["got first", "got second"]);
        // To the server, that is a refresh.
        await signIn(socket, ada).session.ready;
        socket.emit("third");
        assertEquals(await hearUntil(events, "third"), [
          "first",
          "second",
          "authentication",
          "third",
        ]);
      });

      it("is sent once, with `retries`, if it follows on two that are refused", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world, { retries: 1, ackTimeout: 10_000 });
        for (const event of ["first", "second"]) {
          const { session } = signIn(socket, { ...ada, password: "wrong" });
          socket.emit(event);
          await reach(session, "authenticating");
          socket.emit(`${event}, connected`);
          await assertRejects(() => session.ready);
        }
        const { session, events } = signIn(socket, ada);
        await session.ready;
        socket.emit("third");
        assertEquals(await hearUntil(events, "third"), [
          "first",
          "first, connected",
          "second",
          "second, connected",
          "third",
        ]);
      });

      it("is sent once, with `retries`, if the next sign-in begins in `disconnect`", async () => {
        const world = await openWorld(place, strict, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 10_000 });
        signIn(socket, { ...ada, password: "wrong" });
        const next = new Promise<ReturnType<typeof signIn>>((resolve) => {
          socket.once("disconnect", () => resolve(signIn(socket, ada)));
        });
        socket.emit("first");
        socket.emit("second");
        const { events } = await next;
        assertEquals(await hearUntil(events, "second"), ["first", "second"]);
        socket.emit("third");
        assertEquals(await hearUntil(events, "third"), ["third"]);
      });

      it("is sent once, with `retries`, if the session is stopped while offline", async () => {
        const world = await openWorld(place, { handshake: true }, { setUp: listen });
        const socket = open(world, { retries: 3, ackTimeout: 10_000, reconnectionDelay: 20 });
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        const { session, events } = signIn(socket, () => new Promise<object>(() => {}));
        const first = socket.emitWithAck("first");
        socket.io.engine.close();
        session.stop();
        socket.auth = ada;
        assertEquals(await first, "got first");
        socket.emit("second");
        assertEquals(await hearUntil(events, "second"), ["first", "second"]);
      });

      // In the minified script nobody can get at what `retries` keeps.
      const numbers = version.endsWith("minified") ? [undefined] : [undefined, 5, Infinity];
      for (const retries of numbers) {
        it(`is not sent as another user (retries: ${retries})`, async () => {
          const world = await openWorld(
            place,
            { ...strict, userId },
            { setUp: listen, server: { connectionStateRecovery: {} } },
          );
          const socket = open(world, { ...retries && { retries, ackTimeout: 10_000 } });
          const { session } = signIn(socket, ada);
          await session.ready;
          socket.io.engine.close();
          // Before 4.8, and in the minified script, Socket.IO waits until the end.
          const lost = socket.timeout(version === "4.8" ? 60_000 : 500).emitWithAck("secret");
          socket.emit("another");
          session.stop();
          await assertRejects(() => lost);
          const grace = signIn(socket, { ...ada, username: "grace" });
          await grace.session.ready;
          socket.emit("mine");
          assertEquals((await grace.events.next("event heard"))[0], "mine");
          assertEquals(socket.recovered, false);
        });
      }

      it("is not sent again after a sign-out", async () => {
        const world = await openWorld(place, { timeout: "none", userId }, {
          setUp: (io) =>
            io.on("connection", (socket) => {
              socket.on("sign out", () => world.auth.deauthenticate(socket));
              socket.on("mine", () => socket.emit("heard", "mine"));
            }),
        });
        const socket = open(world, { retries: 3, ackTimeout: 10_000 });
        const { session } = signIn(socket, ada);
        await session.ready;
        socket.emit("sign out");
        await reach(session, "stopped");
        const grace = signIn(socket, { ...ada, username: "grace" });
        await grace.session.ready;
        socket.emit("mine");
        if (!version.endsWith("minified")) await grace.events.next("event heard");
        await grace.session.refresh();
        assertEquals(grace.session.state, "authenticated");
      });

      it("goes on when the application removes all listeners", async () => {
        const world = await openWorld(place, { ...strict, userId });
        const socket = open(world);
        const { session } = signIn(socket, ada);
        socket.removeAllListeners();
        socket.offAny();
        await session.ready;
        await world.auth.revoke({ userId: "ada" });
        await reach(session, "stopped");
        assertEquals(session.error?.code, "revoked");
        assert(!socket.connected);
      });

      it("is not what Socket.IO would recover of another user", async () => {
        let isGone = () => {};
        const gone = new Promise<void>((resolve) => isGone = resolve);
        const world = await openWorld(
          place,
          { ...strict, userId },
          {
            setUp: (io) => {
              listen(io);
              io.on("connection", (peer) => peer.on("disconnect", isGone));
            },
            server: { connectionStateRecovery: {} },
          },
        );
        const socket = open(world);
        const { session, events } = signIn(socket, ada);
        await session.ready;
        // The last event is what recovery begins at.
        socket.emit("hello");
        await events.next("event heard");
        socket.io.engine.close();
        session.stop();
        await gone;
        const grace = signIn(socket, { ...ada, username: "grace" });
        await grace.session.ready;
        assertEquals([socket.recovered, world.auth.stats().refused], [false, 0]);
        // The next loss is of Grace's own.
        socket.emit("hello");
        await grace.events.next("event heard");
        socket.io.engine.close();
        await grace.session.ready;
        assertEquals(socket.recovered, true);
      });

      it("is not what a former connection has sent late", async () => {
        const world = await openWorld(place, strict);
        const socket = open(world, { autoConnect: false });
        const { session, events } = signIn(socket, ada);
        // As Socket.IO takes what comes while the namespace is not connected.
        const { onevent } = socket as unknown as { onevent(packet: { data: unknown[] }): void };
        onevent.call(socket, { data: ["secret", "for somebody else"] });
        await session.ready;
        session.stop();
        assertEquals(events.names.filter((name) => name === "event secret"), []);
      });

      it("leaves alone what others have put in the way of `emit`", async () => {
        const world = await openWorld(place, { ...strict, userId }, { setUp: listen });
        const socket = open(world);
        const seen: unknown[] = [];
        const wrap = (name: string) => {
          const { emit } = socket;
          const wrapper: typeof emit = (...event) => {
            seen.push(`${name} ${event[0]}`);
            return emit.apply(socket, event);
          };
          socket.emit = wrapper;
          return wrapper;
        };
        wrap("before");
        const first = signIn(socket, ada);
        socket.emit("one");
        await first.session.ready;
        first.session.stop();
        const late = wrap("after");
        const second = signIn(socket, ada);
        assertEquals(await socket.emitWithAck("two"), "got two");
        second.session.stop();
        assert(socket.emit === late);
        assertEquals(await socket.emitWithAck("three"), "got three");
        assertEquals(seen.splice(0), [
          "before one",
          "after two",
          "before two",
          "after three",
          "before three",
        ]);
        const third = signIn(socket, ada);
        const between = wrap("between");
        await third.session.ready;
        third.session.stop();
        assert(socket.emit === between);
        assertEquals(await socket.emitWithAck("four"), "got four");
        assertEquals(seen[0], "between four");
      });

      it("goes on when a listener of the application throws", async () => {
        const world = await openWorld(place, strict);
        const socket = open(world);
        const { session, events } = signIn(socket, ada);
        socket.on("authenticated", () => {
          throw new Error("of the application");
        });
        await new Promise((resolve) => socket.once("connect", () => resolve(undefined)));
        const { emitEvent } = socket as unknown as { emitEvent(event: unknown[]): void };
        const receive = () => emitEvent.call(socket, ["authenticated", true]);
        assertThrows(receive, Error, "of the application");
        assertEquals(session.state, "authenticated");
        await events.next("in");
      });
    });
  }
}
