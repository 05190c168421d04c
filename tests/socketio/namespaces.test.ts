import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { createServer, engineOnly, places, start } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, verify } from "../kit/world.ts";

/** Lets the server finish what it has begun. */
const engineTurn = () => new Promise((resolve) => setTimeout(resolve, 0));

const RIGHT = { username: "ada", password: "right" };

describe("namespaces", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`existing, later and dynamic namespaces are guarded (${place.name})`, async () => {
      const io = createServer();
      io.of("/early");
      io.of(/^\/dynamic-\d+$/);
      socketioAuth(io, { verify });
      io.of("/late");
      io.of((name, _auth, next) => next(null, name === "/function"));
      const { url, close } = await start(place, io);
      onDispose(close);
      for (const path of ["/", "/early", "/late", "/dynamic-1", "/function"]) {
        const client = await connectClient(place, url, path);
        io.of(path).emit("secret");
        await client.signIn();
        io.of(path).emit("public");
        await client.next("public");
        assertEquals(client.received, ["authenticated", "public"]);
      }
    });

    it(`one sign-in serves all namespaces of the connection (${place.name})`, async () => {
      const world = await openWorld(place, {
        postAuthenticate: (socket: Socket, credentials: unknown) =>
          world.log.push("post", socket.nsp.name, credentials, socket.connected),
      }, {
        setUp(io) {
          for (const path of ["/a", "/b"]) {
            io.of(path).on("connection", (socket) => {
              world.log.push("connection", path, (socket as unknown as { auth: boolean }).auth);
              socket.emit("hello", path);
            });
          }
        },
      });
      const main = await world.connect();
      const a = main.sibling("/a");
      await a.next("connect");
      a.emit("authentication", RIGHT);
      await main.next("authenticated");
      await a.next("authenticated");
      assertEquals(await a.next("hello"), ["/a"]);

      const b = main.sibling("/b");
      await b.next("hello");
      assertEquals(b.received, ["authenticated", "hello"]);
      world.io.of("/b").emit("public");
      await b.next("public");

      assertEquals(world.log.all.filter(([name]) => name === "post"), [
        ["post", "/", RIGHT, true],
        ["post", "/a", RIGHT, true],
        ["post", "/b", RIGHT, true],
      ]);
      const flags = world.log.all.filter(([name, path]) => name === "connection" && path === "/b");
      assertEquals(flags, [["connection", "/b", true]]);
      assertEquals(
        world.log.names.lastIndexOf("post") > world.log.names.lastIndexOf("connection"),
        true,
      );
    });

    it(`one refusal closes all of them, each with the reason (${place.name})`, async () => {
      const world = await openWorld(place, {}, { setUp: (io) => void io.of("/a") });
      const main = await world.connect();
      const a = main.sibling("/a");
      await a.next("connect");
      a.emit("authentication", { password: "wrong" });
      await main.next("disconnect");
      await a.next("disconnect");
      assertEquals([main.received, a.received], [["unauthorized"], ["unauthorized"]]);
      await engineIsEmpty(world.io);
    });

    it(`a single namespace can be guarded alone (${place.name})`, async () => {
      const io = createServer();
      const log = new EventQueue();
      const auth = socketioAuth(io.of("/admin"), {
        verify,
        connection: "connected",
      });
      io.on("connection", (socket) => socket.on("open", (acknowledge) => acknowledge("yes")));
      io.of("/admin").on("connection", (socket) => log.push("admin", socket));
      const { url, close } = await start(place, io);
      onDispose(close);

      const open = await connectClient(place, url);
      assertEquals(await open.socket.emitWithAck("open"), "yes");
      const admin = open.sibling("/admin");
      await admin.next("connect");
      const [socket] = await log.next("admin") as [Socket];
      assertEquals(auth.session(socket), undefined);
      io.of("/admin").emit("secret");
      admin.emit("authentication", { password: "wrong" });
      await admin.next("disconnect");
      assertEquals(admin.received, ["unauthorized"]);
      // The open namespace goes on, and guessing on its transport is over.
      assertEquals(await open.socket.emitWithAck("open"), "yes");
      admin.socket.connect();
      const [, refusal] = [await admin.next("unauthorized"), await admin.next("unauthorized")];
      assertEquals((refusal as [{ code: string }])[0].code, "too_many_attempts");
      await admin.next("disconnect");
      assertEquals(open.socket.connected, true);
      // Nothing of the refused one is left on the client connection.
      const [main] = [...io.sockets.sockets.values()] as unknown as [
        { client: { sockets: Map<string, unknown>; nsps: Map<string, unknown> } },
      ];
      await engineTurn();
      assertEquals([main.client.sockets.size, [...main.client.nsps.keys()]], [1, ["/"]]);

      const other = await connectClient(place, url, "/admin");
      await other.signIn();
      io.of("/admin").emit("public");
      await other.next("public");
    });
  }

  it("a refusal closes the transport under a namespace that is pending itself", async () => {
    const io = createServer();
    socketioAuth(io, { verify, timeout: 30_000 });
    socketioAuth(io.of("/admin"), { verify });
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io);
    onDispose(close);
    const main = await connectClient(place, url);
    const admin = main.sibling("/admin");
    await admin.next("connect");
    admin.emit("authentication", { password: "wrong" });
    // Told to leave, not dropped: it has no reason to connect again by itself.
    assertEquals(await main.next("disconnect"), ["io server disconnect"]);
    await engineIsEmpty(io);
  });

  it("a socket on its way when its namespace gets a policy is under that one only", async () => {
    const io = createServer();
    const next = Promise.withResolvers<() => void>();
    io.of("/admin").use((_socket, proceed) => next.resolve(proceed));
    socketioAuth(io, { verify: () => ({ name: "anybody" }) });
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io);
    onDispose(close);
    const admin = connectClient(place, url, "/admin");
    const proceed = await next.promise;
    let count = 0;
    socketioAuth(io.of("/admin"), {
      verify(socket, credentials: typeof RIGHT) {
        count++;
        return verify(socket, credentials);
      },
      userId: ({ name }) => name,
    });
    proceed();
    const client = await admin;
    await client.signIn();
    const refresh = await client.socket.emitWithAck("authentication", RIGHT);
    assertEquals(refresh, { ok: true, reply: true });
    // A refresh is heard once.
    assertEquals(count, 2);
  });

  it("a parent's policy holds for the children it has, and those of an older parent", async () => {
    const io = createServer();
    io.of(/^\/team-/);
    io.of("/team-1");
    const younger = io.of(/^\/team-/);
    socketioAuth(younger, { verify });
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io);
    onDispose(close);
    for (const path of ["/team-1", "/team-2"]) {
      const client = await connectClient(place, url, path);
      io.of(path).emit("secret");
      await client.signIn();
      assertEquals(client.received, ["authenticated"]);
    }
  });

  it("the policy of an expression holds for the main namespace, too, if that matches", async () => {
    const io = createServer();
    socketioAuth(io.of(/^\//), { verify });
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io);
    onDispose(close);
    const client = await connectClient(place, url);
    io.emit("secret");
    await client.signIn();
    assertEquals(client.received, ["authenticated"]);
  });

  for (const order of ["server first", "namespace first"]) {
    it(`a namespace's own policy comes before the server's, ${order}`, async () => {
      const io = createServer();
      const guards = [
        () => socketioAuth(io, { verify: () => ({ name: "anybody" }) }),
        () => socketioAuth(io.of("/admin"), { verify }),
      ];
      if (order === "namespace first") guards.reverse();
      for (const guard of guards) guard();
      const place = engineOnly[0]!;
      const { url, close } = await start(place, io);
      onDispose(close);
      const main = await connectClient(place, url);
      await main.signIn({});
      const admin = main.sibling("/admin");
      await admin.next("connect");
      io.of("/admin").emit("secret");
      admin.emit("authentication", { password: "wrong" });
      await admin.next("disconnect");
      assertEquals(admin.received, ["unauthorized"]);
      assertEquals(main.socket.connected, true);
    });
  }

  it("a policy that comes later does not trust whom another one has admitted", async () => {
    const world = await openWorld(engineOnly[0]!, { verify: () => ({ name: "anybody" }) });
    world.io.of("/admin");
    const client = await world.connect("/admin");
    await client.signIn({});
    socketioAuth(world.io.of("/admin"), { verify });
    assertEquals(await client.next("disconnect"), ["io server disconnect"]);
    assertEquals(world.io.of("/admin").sockets.size, 0);
  });

  it("a parent of dynamic namespaces can have a policy of its own", async () => {
    const io = createServer();
    socketioAuth(io, { verify: () => ({ name: "anybody" }) });
    socketioAuth(io.of(/^\/team-/), { verify });
    const place = engineOnly[0]!;
    const { url, close } = await start(place, io);
    onDispose(close);
    const client = await connectClient(place, url, "/team-1");
    client.emit("authentication", { password: "wrong" });
    await client.next("unauthorized");
  });

  it("guarding the same target twice is an error", () => {
    const io = createServer();
    socketioAuth(io, { verify });
    assertThrows(() => socketioAuth(io, { verify }), Error, "twice");
    socketioAuth(io.of("/a"), { verify });
    assertThrows(() => socketioAuth(io.of("/a"), { verify }), Error, '"/a" twice');
  });

  it("a target that cannot be made safe is refused", () => {
    const legacy = { nsps: {}, of() {}, on() {}, sockets: { sockets: {} } };
    for (const target of [undefined, null, {}, legacy, new Map(), () => {}]) {
      assertThrows(() => socketioAuth(target as never, { verify }), TypeError);
    }
  });

  it("a wrong option is an error at set-up that says what was wanted", () => {
    const wrong: [options: unknown, Class: typeof Error, includes: string][] = [
      [undefined, TypeError, "options must be an object"],
      [{ verify: undefined }, TypeError, "exactly one of verify and authenticate is required"],
      [{ authenticate: verify }, TypeError, "both are given, but exactly one of verify and"],
      [{ verify: {} }, TypeError, "verify must be a function, got an object"],
      [{ verify: undefined, authenticate: 1 }, TypeError, "authenticate must be a function, got 1"],
      [{ timeout: "1s" }, TypeError, 'timeout must be a number, got "1s"'],
      [{ timeout: 0 }, RangeError, "timeout"],
      [{ timeout: NaN }, RangeError, "timeout"],
      [{ incoming: "block" }, TypeError, '"hold" or "drop" or "pass", got "block"'],
      [{ outgoing: "drop" }, TypeError, '"hold" or "pass"'],
      [{ handshake: "yes" }, TypeError, "handshake must be true, false, a function or a list of"],
      [{ handshake: [] }, TypeError, "handshake must be true, false, a function or a list of"],
      [{ recovery: "resume" }, TypeError, 'no option "recovery"'],
      [{ connection: "late" }, TypeError, '"authenticated" or "connected", got "late"'],
      [{ connection: "authenticated", incoming: "pass" }, TypeError, 'connection: "connected"'],
      [{ connection: "authenticated", outgoing: "pass" }, TypeError, 'connection: "connected"'],
      [{ incoming: "pass" }, TypeError, 'connection: "connected"'],
      [{ outgoing: "pass" }, TypeError, 'connection: "connected"'],
      [{ maxCredentials: 0 }, RangeError, "maxCredentials"],
      [{ open: [1] }, TypeError, "open must be names of namespaces and regular expressions, got 1"],
      [{ open: "" }, TypeError, "open must be"],
      [{ observe: [] }, TypeError, "observe must be a function"],
      [{ address: "::1" }, TypeError, "address must be a function"],
      [{ attempts: 0 }, RangeError, "attempts must be a finite number of at least 1, got 0"],
      [{ attempts: "3" }, TypeError, 'attempts must be a number, got "3"'],
      [{ maxPending: -1 }, RangeError, "maxPending"],
      [{ credentials: { parse() {} } }, TypeError, "Standard Schema"],
      [{ throttle: null }, TypeError, "throttle must be an object { limiter, key? }, got null"],
      [{ throttle: [{}] }, TypeError, "method consume(key), got undefined"],
      [{ throttle: { limiter: { consume() {} }, key: 1 } }, TypeError, "throttle.key"],
      [{ holdLimit: { events: -1 } }, RangeError, "holdLimit.events"],
      [{ onError: 1 }, TypeError, "onError"],
      [{ timeOut: 5 }, TypeError, 'no option "timeOut"'],
    ];
    for (const [options, Class, includes] of wrong) {
      const io = createServer();
      const given = options && { verify, ...options as object };
      assertThrows(() => socketioAuth(io, given as never), Class, includes);
      // Nothing was installed: a correct second try works.
      assert(socketioAuth(io, { verify }));
    }
  });
});
