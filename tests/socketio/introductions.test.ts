// When the application meets a socket: the option `connection`, and what waits for whom.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { connectClient, openClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, engineOnly, type Place, places, start } from "../kit/targets.ts";
import { openWorld, verify, type World } from "../kit/world.ts";

const RIGHT = { username: "ada", password: "right" };
const PATHS = ["/", "/static", "/pattern-1", "/function", "/later"];

/** Writes down everything that the application gets to see, in order. */
async function watch(place: Place, options: object): Promise<{ world: World; seen: string[] }> {
  const seen: string[] = [];
  const isIn = (socket: Socket) => world.auth.session(socket) ? "in" : "out";
  const listen = (path: string, nsp: ReturnType<Server["of"]>) => {
    nsp.use((_socket, next) => void (seen.push(`${path} middleware`), next()));
    for (const event of ["connect", "connection"] as const) {
      nsp.on(event, (socket: Socket) => {
        seen.push(`${path} ${event} ${isIn(socket)}`);
        if (event === "connection") {
          socket.on("event", (answer) => (seen.push(`${path} event ${isIn(socket)}`), answer?.()));
          socket.emit("from the handler");
        }
      });
    }
  };
  const world: World = await openWorld(place, {
    postAuthenticate: (socket: Socket) => {
      seen.push(`${socket.nsp.name} postAuthenticate ${isIn(socket)}`);
      socket.emit("from the hook");
    },
    ...options,
  }, {
    setUp(io) {
      listen("/", io.of("/"));
      listen("/static", io.of("/static"));
      listen("/pattern-1", io.of(/^\/pattern-\d$/));
      const isFunction = (name: string) => name === "/function";
      listen("/function", io.of((name, _auth, next) => next(null, isFunction(name))));
    },
  });
  listen("/later", world.io.of("/later"));
  return { world, seen };
}

const steps = ["connect in", "connection in", "postAuthenticate in", "event in"];

describe("the application meets a socket", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`once it is signed in, in every namespace, in this order (${place.name})`, async () => {
      for (const path of PATHS) {
        const { world, seen } = await watch(place, {});
        const client = await world.connect(path);
        const answered = client.socket.emitWithAck("event");
        await client.signIn();
        await answered;
        assertEquals(seen, ["middleware", ...steps].map((step) => `${path} ${step}`));
        assertEquals(client.received, ["authenticated", "from the handler", "from the hook"]);
      }
    });

    it(`in the same order where it joins later, or comes with credentials (${place.name})`, async () => {
      const { world, seen } = await watch(place, { handshake: true });
      const main = openClient(place, world.url, { auth: RIGHT });
      await main.next("from the hook");
      for (const path of PATHS.slice(1)) {
        const sibling = main.sibling(path);
        await sibling.socket.emitWithAck("event");
        assertEquals(sibling.received, ["authenticated", "from the handler", "from the hook"]);
        const own = seen.filter((step) => step.startsWith(`${path} `));
        assertEquals(own, ["middleware", ...steps].map((step) => `${path} ${step}`));
      }
      assertEquals(main.received, ["authenticated", "from the handler", "from the hook"]);
    });
  }

  for (const place of engineOnly) {
    it(`at once, if it is told to (${place.name})`, async () => {
      for (const path of PATHS) {
        const { world, seen } = await watch(place, { connection: "connected" });
        const client = await world.connect(path);
        const answered = client.socket.emitWithAck("event");
        await client.signIn();
        await answered;
        const order = ["middleware", "connect out", "connection out", ...steps.slice(2)];
        assertEquals(seen, order.map((step) => `${path} ${step}`));
        assertEquals(client.received, ["authenticated", "from the handler", "from the hook"]);
      }
    });

    it(`never, if it does not sign in: refused, cut, silent, or gone (${place.name})`, async () => {
      const { world, seen } = await watch(place, { timeout: 1000, holdLimit: { events: 1 } });
      const [refused, flood, silent, gone] = await Promise.all(
        [1, 2, 3, 4].map(() => world.connect()),
      );
      gone!.socket.disconnect();
      for (let i = 0; i < 5; i++) flood!.emit("event");
      refused!.emit("authentication", { password: "wrong" });
      for (const client of [refused, flood, silent]) await client!.next("disconnect");
      assertEquals(new Set(seen), new Set(["/ middleware"]));
    });

    it(`with the listeners there are by then (${place.name})`, async () => {
      const world = await openWorld(place);
      const client = await world.connect();
      let met = 0;
      world.io.on("connection", () => met++);
      await client.signIn();
      assertEquals(met, 1);
    });

    it(`not again where it was connected before the policy came (${place.name})`, async () => {
      const io = createServer();
      let met = 0;
      io.on("connection", () => met++);
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await connectClient(place, url);
      assertEquals(met, 1);
      socketioAuth(io, { verify });
      await client.signIn();
      assertEquals(met, 1);
    });

    it(`and may throw: that is reported, and the client goes on (${place.name})`, async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.on("event", (answer) => answer("yes"));
            throw new Error("handler");
          }),
      });
      const client = await world.connect();
      await client.signIn();
      assertEquals(await client.socket.emitWithAck("event"), "yes");
      assertEquals(world.errors.map(({ error }) => (error as Error).message), ["handler"]);
    });

    it(`and may sign it out: no hook runs for what is over (${place.name})`, async () => {
      const hooks: unknown[] = [];
      const world: World = await openWorld(place, {
        postAuthenticate: (socket: Socket) => hooks.push(socket.nsp.name),
      }, {
        setUp: (io) => io.of("/out").on("connection", (s) => world.auth.deauthenticate(s)),
      });
      const client = await world.connect();
      await client.signIn();
      const out = client.sibling("/out");
      const again = client.next("connect");
      await out.next("unauthorized");
      await again;
      assertEquals(hooks, ["/"]);
      assertEquals(world.auth.stats().authenticated, 0);
    });
  }
});

describe("postAuthenticate", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`holds the client's events back until its promise settles (${place.name})`, async () => {
      for (const how of ["resolves", "rejects"]) {
        const hook = Promise.withResolvers<void>();
        const heard: string[] = [];
        const world: World = await openWorld(place, {
          userId: ({ name }: { name: string }) => name,
          async postAuthenticate(socket: Socket) {
            // It may ask the client, whose answer does not wait.
            const { color } = await socket.emitWithAck("preferences");
            await socket.join(color);
            await hook.promise;
            socket.on("event", (n, answer) => (heard.push(n), answer(color)));
            if (how === "rejects") throw new Error("hook");
          },
        });
        const client = await world.connect();
        client.socket.on("preferences", (answer) => answer({ color: "red" }));
        const early = client.socket.emitWithAck("event", "early");
        await client.signIn();
        const late = client.socket.emitWithAck("event", "late");
        // It is signed in meanwhile: traffic to it flows, and it may refresh.
        world.io.emit("public");
        await client.next("public");
        await client.signIn();
        assertEquals(heard, []);
        hook.resolve();
        assertEquals([await early, await late], ["red", "red"]);
        assertEquals(heard, ["early", "late"]);
        world.io.to("red").emit("in the room");
        await client.next("in the room");
        assertEquals(world.errors.length, how === "rejects" ? 1 : 0);
      }
    });
  }

  for (const place of engineOnly) {
    it(`that never settles costs a flood its connection, not the server (${place.name})`, async () => {
      const world = await openWorld(place, {
        holdLimit: { events: 3 },
        postAuthenticate: () => new Promise(() => {}),
      });
      const client = await world.connect();
      await client.signIn();
      for (let i = 0; i < 5; i++) client.emit("event");
      const [{ code }] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(code, "too_many_events");
      await client.next("disconnect");
    });

    it(`keeps nothing back that is let through anyway, nor says it twice (${place.name})`, async () => {
      const hook = Promise.withResolvers<void>();
      const heard: string[] = [];
      const world = await openWorld(place, {
        userId: ({ name }: { name: string }) => name,
        connection: "connected",
        incoming: "pass",
        postAuthenticate: () => hook.promise,
      }, {
        setUp: (io) => io.on("connection", (socket) => socket.on("event", (n) => heard.push(n))),
      });
      const client = await world.connect();
      await client.signIn();
      client.emit("event", "meanwhile");
      await client.signIn(); // behind it
      hook.resolve();
      client.emit("event", "afterwards");
      await client.signIn();
      assertEquals(heard, ["meanwhile", "afterwards"]);
    });

    it(`that settles after the end delivers nothing (${place.name})`, async () => {
      const hook = Promise.withResolvers<void>();
      const world: World = await openWorld(place, {
        userId: ({ name }: { name: string }) => name,
        postAuthenticate(socket: Socket) {
          socket.onAny((event) => world.log.push(event));
          return hook.promise;
        },
      });
      const client = await world.connect();
      client.emit("event");
      await client.signIn();
      await world.auth.revoke({ userId: "ada" });
      await client.next("disconnect");
      hook.resolve();
      await hook.promise;
      assert(!world.log.names.includes("event"));
    });
  }
});
