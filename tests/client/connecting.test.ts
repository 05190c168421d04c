// Ways to a server, and away from it: servers that are down, applications that connect themselves.
import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io-client";
import type { UnauthorizedError } from "../../src/client/client.ts";
import { clients } from "./clients.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, transports } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, openSocket, reach, signIn } from "./session.ts";

for (const place of transports) {
  describe(`a server that cannot be reached (${place.name})`, () => {
    disposeAfterEach();

    it("shows, and is waited for", async () => {
      const world = await openWorld(place);
      const port = Number(new URL(world.url).port);
      await world.close();
      const { session, events } = openSession(place, world.url, ada);
      const ready = session.ready;
      const [error] = await events.next("out") as [UnauthorizedError];
      assertEquals([error.code, session.error?.code, session.state], [
        "connect_error",
        "connect_error",
        "connecting",
      ]);
      await openWorld(place, {}, { port });
      await ready;
      assertEquals(session.error, undefined);
      // Once for each outage, however often Socket.IO has tried.
      assertEquals(events.names.filter((name) => name === "out").length, 1);
    });

    it("shows where nothing tries again", async () => {
      const world = await openWorld(place);
      await world.close();
      const { session } = openSession(place, world.url, ada, { client: { reconnection: false } });
      await reach(session, "waiting");
      assertEquals([session.error?.code, session.retryAt], ["connect_error", undefined]);
    });

    it("shows where a page must not read its answers", async () => {
      const world = await openWorld(place, {}, {
        server: { allowRequest: (_request, decide) => decide("not from here", false) },
      });
      const { session, events } = openSession(place, world.url, ada);
      await events.next("out");
      assertEquals(session.error?.code, "connect_error");
    });
  });
}

for (const [version, connectTo] of Object.entries(clients)) {
  // The minified script polls by XMLHttpRequest, which only browsers have; once is enough for 4.6.
  for (const place of version === "4.8" ? transports : engineOnly) {
    describe(`an application that connects itself (client ${version}, ${place.name})`, () => {
      disposeAfterEach();

      function open(url: string, options: object = {}): Socket {
        const socket = connectTo(url, { ...place.transport, forceNew: true, ...options });
        onDispose(() => socket.disconnect());
        return socket;
      }

      for (const autoConnect of [false, true]) {
        it(`sends one CONNECT (autoConnect: ${autoConnect})`, async () => {
          const world = await openWorld(place);
          const socket = open(world.url, { autoConnect });
          const { session } = signIn(socket, () => Promise.resolve(ada));
          socket.connect();
          let opened = 0;
          socket.io.on("open", () => {
            opened++;
            // On a transport that is open, Socket.IO sends a CONNECT for each call.
            socket.connect();
            queueMicrotask(() => socket.connect());
          });
          await session.ready;
          socket.io.engine.close();
          socket.connect();
          await session.ready;
          await reach(session, "authenticated");
          assertEquals([opened, world.auth.stats().refused], [2, 0]);
        });
      }

      it("is connected though a DISCONNECT of before comes late", async () => {
        const world = await openWorld(place, {}, {
          setUp: (io) =>
            io.use((peer, next) => {
              peer["packet"]({ type: 1 });
              next();
            }),
        });
        await signIn(open(world.url, { autoConnect: false }), ada).session.ready;
      });

      for (const kind of ["object", "function"]) {
        it(`has its own auth sent with the credentials: ${kind}`, async () => {
          const given = new EventQueue();
          const world = await openWorld(place, {
            handshake: true,
            verify: (_socket: unknown, credentials: object) => given.push("given", credentials),
          } as object);
          const own = { app: 1 };
          const auth = kind === "object" ? own : (send: (own: object) => void) => send(own);
          const socket = open(world.url, { autoConnect: false, auth });
          signIn(socket, ada, { handshake: true });
          assertEquals(await given.next("given"), [{ ...own, ...ada }]);
        });
      }

      for (const answer of ["nothing", "CONNECT", "CONNECT_ERROR"]) {
        it(`may leave before CONNECT is answered, and come back after ${answer}`, async () => {
          const asked = new EventQueue();
          const world = await openWorld(place, { open: ["/open"] }, {
            setUp: (io) => {
              io.of("/open").on("connection", (peer) => peer.on("ping?", (reply) => reply()));
              io.use((_socket, next) => asked.push("CONNECT", next));
            },
          });
          const { io } = open(world.url, { autoConnect: false });
          const neighbor = io.socket("/open");
          neighbor.connect();
          await new Promise<void>((resolve) => neighbor.once("connect", resolve));
          let lost = 0;
          neighbor.on("disconnect", () => lost++);
          const socket = io.socket("/");
          const { session } = signIn(socket, ada);
          const nextCall = async () => (await asked.next("CONNECT"))[0] as (error?: Error) => void;
          const decide = await nextCall();
          socket.disconnect();
          await neighbor.emitWithAck("ping?");
          if (answer === "nothing") {
            // A second CONNECT would come after the server has admitted the client.
            socket.connect();
            decide();
          } else {
            decide(answer === "CONNECT" ? undefined : new Error("not now"));
            // The answer has come; and what the client has sent for it.
            for (let n = 0; n < 2; n++) await neighbor.emitWithAck("ping?");
            socket.connect();
            (await nextCall())();
          }
          await session.ready;
          // Once it is answered, there may be another.
          socket.disconnect();
          await neighbor.emitWithAck("ping?");
          socket.connect();
          (await nextCall())();
          await session.ready;
          assertEquals([session.state, lost], ["authenticated", 0]);
        });
      }

      it("may stop a session before CONNECT is answered", async () => {
        const asked = new EventQueue();
        const world = await openWorld(place, {}, {
          setUp: (io) => io.use((_socket, next) => asked.push("CONNECT", next)),
        });
        const socket = open(world.url);
        const { session } = signIn(socket, ada);
        const [admit] = await asked.next("CONNECT") as [() => void];
        session.stop();
        admit();
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        // For a second CONNECT, the server would close, and not answer.
        const { ok } = await socket.emitWithAck("authentication", ada);
        assertEquals([ok, socket.connected], [true, true]);
      });

      it("may emit in its own `authenticated`, volatile or not", async () => {
        const world = await openWorld(place, { incoming: "drop" }, {
          setUp: (io) =>
            io.on("connection", (socket) => {
              socket.onAny((event) => socket.emit("heard", event));
            }),
        });
        // While polling, or upgrading from it, a client cannot always write at once.
        const socket = open(world.url, { autoConnect: false, transports: ["websocket"] });
        socket.on("authenticated", () => {
          socket.volatile.emit("volatile");
          socket.emit("lasting");
        });
        const { session, events } = signIn(socket, ada);
        await session.ready;
        assertEquals((await events.next("event heard"))[0], "volatile");
        assertEquals((await events.next("event heard"))[0], "lasting");
      });

      it("hears nothing from `subscribe` after stop()", async () => {
        const world = await openWorld(place);
        const { session } = signIn(open(world.url), ada);
        let heard = 0;
        session.subscribe(() => heard++);
        await session.ready;
        session.refresh().catch(() => {});
        session.stop();
        const before = heard;
        session.subscribe(() => heard++);
        await Promise.resolve();
        await world.connect();
        assertEquals(heard, before);
      });

      it("may refresh what is not signed in, and hears that it has stopped", async () => {
        const world = await openWorld(place);
        const { session } = signIn(open(world.url), ada);
        assertEquals(await session.refresh(), true);
        session.stop();
        const error = await session.refresh().catch((error) => error) as UnauthorizedError;
        assertEquals(error.code, "stopped");
      });
    });
  }
}

for (const place of transports) {
  describe(`signing in within a second of a refusal (${place.name})`, () => {
    disposeAfterEach();

    for (const handshake of [false, true]) {
      it(`waits for the close (handshake: ${handshake})`, async () => {
        const world = await openWorld(place, { handshake, attempts: 1 });
        const socket = openSocket(place, world.url);
        const first = signIn(socket, { ...ada, password: "no" }, { handshake });
        await reach(first.session, "stopped");
        const next = signIn(socket, ada, { handshake });
        assertEquals(next.session.state, "waiting");
        assert(next.session.retryAt! <= Date.now() + 1_100);
        await next.session.ready;
        assertEquals([world.auth.stats().accepted, world.auth.stats().refused], [1, 1]);
      });
    }
  });
}
