import { assert, assertEquals, assertRejects, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { RevokeTarget, VerifyContext } from "../../mod.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, type Place, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, type User, type World } from "../kit/world.ts";

type Visitor = User & { session: string };

/** Users are who they say they are; a session's id is theirs to choose. */
const options = {
  verify: (_socket: unknown, { username, session }: Record<string, string>) => ({
    name: username,
    session,
  }),
  userId: (user: User) => user.name,
  sessionId: (user: Visitor) => user.session,
};

async function enter(world: World, username: string, session?: string): Promise<Client> {
  const client = await world.connect();
  await client.signIn({ username, session });
  return client;
}

async function expectRevoked(client: Client): Promise<void> {
  assertEquals(await client.next("unauthorized"), [
    { message: "Session revoked", code: "revoked", reconnect: false },
  ]);
  await client.next("disconnect");
}

describe("revoke", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`ends all sessions of a user, and nobody else's (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const [first, second, other] = [
        await enter(world, "ada"),
        await enter(world, "ada"),
        await enter(world, "grace"),
      ];
      assertEquals(await world.auth.revoke({ userId: "ada" }), 2);
      await expectRevoked(first);
      await expectRevoked(second);
      world.io.emit("news");
      await other.next("news");
      assertEquals(first.received.includes("news"), false);
      assertEquals(world.auth.stats().revoked, 2);
      // A new session is welcome.
      await (await enter(world, "ada")).signIn({ username: "ada" });
    });
  }

  for (const place of engineOnly) suite(place);

  for (const target of [{}, { userId: null }, { userId: "a", sessionId: "b" }, { userId: {} }, 5]) {
    it(`wants one id, not ${JSON.stringify(target)}`, async () => {
      const { auth } = await openWorld(engineOnly[0]!, options);
      await assertRejects(() => auth.revoke(target as unknown as RevokeTarget), TypeError);
    });
  }

  it("says so if no session could ever be found", async () => {
    const { auth, errors, connect } = await openWorld(engineOnly[0]!);
    // Nobody has been here yet: who could be found elsewhere is not known.
    assertEquals(await auth.revoke({ sessionId: 1 }), 0);
    await (await connect()).signIn();
    await assertRejects(() => auth.revoke({ sessionId: 1 }), TypeError, "option sessionId");
    assertEquals(errors, []);
  });
});

function suite(place: Place): void {
  it(`of others, during somebody's sign-in, ends that of nobody else (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      ...options,
      observe: ({ type }) => {
        if (type === "authenticated") void world.auth.revoke({ userId: "grace" });
      },
    });
    await enter(world, "grace");
    const ada = await enter(world, "ada");
    world.io.emit("news");
    await ada.next("news");
    assertEquals(ada.received, ["authenticated", "news"]);
    assertEquals(world.auth.stats().authenticated, 1);
  });

  it(`ends a single session by its id (${place.name})`, async () => {
    const world = await openWorld(place, options);
    const [phone, laptop] = [await enter(world, "ada", "phone"), await enter(world, "ada", "lap")];
    assertEquals(await world.auth.revoke({ sessionId: "phone" }), 1);
    await expectRevoked(phone);
    world.io.emit("news");
    await laptop.next("news");
  });

  it(`counts sockets, in all namespaces (${place.name})`, async () => {
    const world = await openWorld(place, options, { setUp: (io) => io.of("/other") });
    const client = await enter(world, "ada");
    const other = client.sibling("/other");
    await other.next("authenticated");
    assertEquals(await world.auth.revoke({ userId: "ada" }), 2);
    await expectRevoked(client);
    await expectRevoked(other);
    await engineIsEmpty(world.io);
  });

  it(`has happened on this node when the call returns, and warns of nothing (${place.name})`, async () => {
    const world = await openWorld(place, options);
    const client = await enter(world, "ada");
    const [socket] = await world.log.next("connection") as [Socket];
    const { warn } = console;
    const warnings: unknown[] = [];
    console.warn = (...args: unknown[]) => void warnings.push(args);
    try {
      const revoked = world.auth.revoke({ userId: "ada" });
      assertEquals([socket.connected, world.io.of("/").sockets.size], [false, 0]);
      world.io.emit("secret");
      await revoked;
    } finally {
      console.warn = warn;
    }
    await expectRevoked(client);
    assertEquals([warnings, client.received], [[], ["authenticated", "unauthorized"]]);
  });

  it(`numbers and text are the same id (${place.name})`, async () => {
    const world = await openWorld(place, { ...options, userId: () => 7 });
    const client = await enter(world, "ada");
    assertEquals(await world.auth.revoke({ userId: "7" }), 1);
    await expectRevoked(client);
  });

  it(`refuses a sign-in that began before and ends after, not one that begins after (${place.name})`, async () => {
    const answers: ((user: unknown) => void)[] = [];
    const world = await openWorld(place, {
      ...options,
      verify: (_socket: unknown, given: Record<string, string>) =>
        new Promise((resolve) => {
          answers.push(() => resolve({ name: given.username }));
          world.log.push("asked");
        }),
      postAuthenticate: () => world.log.push("welcome"),
    });
    const before = await world.connect();
    before.emit("authentication", { username: "ada" });
    await world.log.next("asked");
    assertEquals(await world.auth.revoke({ userId: "ada" }), 0);
    const after = await world.connect();
    after.emit("authentication", { username: "ada" });
    await world.log.next("asked");
    for (const answer of answers) answer(true);
    await expectRevoked(before);
    await after.next("authenticated");
    assertEquals(world.log.names.filter((name) => name === "welcome"), ["welcome"]);
  });

  it(`ends a refresh in flight, whose answer comes too late (${place.name})`, async () => {
    const asked = Promise.withResolvers<(user: unknown) => void>();
    let isAborted = false;
    const world = await openWorld(place, {
      ...options,
      async verify(_socket: unknown, given: { slow?: true }, { signal }: VerifyContext) {
        if (!given.slow) return { name: "ada" };
        signal.addEventListener("abort", () => isAborted = true);
        return await new Promise(asked.resolve);
      },
    });
    const client = await enter(world, "ada");
    client.emit("authentication", { slow: true });
    const answer = await asked.promise;
    assertEquals(await world.auth.revoke({ userId: "ada" }), 1);
    assert(isAborted);
    answer({ name: "ada" });
    await expectRevoked(client);
    assertEquals(client.received, ["authenticated", "unauthorized"]);
  });

  it(`ends a session in its grace (${place.name})`, async () => {
    const world = await openWorld(place, {
      ...options,
      expiresAt: () => Date.now() - 50,
      grace: 20_000,
    });
    const client = await enter(world, "ada");
    assertEquals(await world.auth.revoke({ userId: "ada" }), 1);
    await expectRevoked(client);
  });

  it(`spares one client connection, in all its namespaces (${place.name})`, async () => {
    const world = await openWorld(place, options, { setUp: (io) => void io.of("/other") });
    const here = await enter(world, "ada", "here");
    const [socket] = await world.log.next("connection") as [Socket];
    const sibling = here.sibling("/other");
    await sibling.next("authenticated");
    const elsewhere = await Promise.all([1, 2].map(() => enter(world, "ada", "elsewhere")));
    assertEquals(await world.auth.revoke({ userId: "ada" }, { except: socket }), 2);
    await Promise.all(elsewhere.map(expectRevoked));
    world.io.emit("news");
    world.io.of("/other").emit("news");
    await here.next("news");
    await sibling.next("news");
    // Another one, which spares another, ends it.
    const later = await enter(world, "ada", "later");
    const spared = world.io.sockets.sockets.get(later.socket.id!)!;
    assertEquals(await world.auth.revoke({ userId: "ada" }, { except: spared }), 2);
    await expectRevoked(here);
    await assertRejects(
      () => world.auth.revoke({ userId: 1 }, { except: {} }),
      TypeError,
      "except must be a socket",
    );
  });

  it(`spares its refresh in flight (${place.name})`, async () => {
    const asked = Promise.withResolvers<(user: unknown) => void>();
    const world = await openWorld(place, {
      ...options,
      verify: (_socket: unknown, { slow }: { slow?: true }) =>
        slow ? new Promise(asked.resolve) : { name: "ada", session: "1" },
    });
    const client = await world.connect();
    await client.signIn({});
    const [socket] = await world.log.next("connection") as [Socket];
    const refreshed = client.socket.emitWithAck("authentication", { slow: true });
    const answer = await asked.promise;
    assertEquals(await world.auth.revoke({ userId: "ada" }, { except: socket }), 0);
    answer({ name: "ada", session: "2" });
    assertEquals((await refreshed).ok, true);
    assertEquals(client.socket.connected, true);
  });

  it(`spares its recovery, also when it is lost already (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      ...options,
      disconnect: () => world.log.push("gone"),
    }, { server: { connectionStateRecovery: {} } });
    const client = await enter(world, "ada", "phone");
    const [socket] = await world.log.next("connection") as [Socket];
    world.io.emit("first");
    await client.next("first");
    await world.auth.revoke({ userId: "ada" }, { except: socket });
    await client.drop();
    await world.log.next("gone");
    world.io.emit("missed");
    await client.reconnect();
    await client.signIn({ username: "ada", session: "phone" });
    await client.next("missed");
    assertEquals(client.socket.recovered, true);
  });

  it(`spares a session by its id, also one that is lost (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      ...options,
      disconnect: () => world.log.push("gone"),
    }, { server: { connectionStateRecovery: {} } });
    const [phone, laptop] = [await enter(world, "ada", "phone"), await enter(world, "ada", "lap")];
    world.io.emit("first");
    await phone.next("first");
    await phone.drop();
    await world.log.next("gone");
    assertEquals(
      await world.auth.revoke({ userId: "ada" }, { except: { sessionId: "phone" } }),
      1,
    );
    await expectRevoked(laptop);
    world.io.emit("missed");
    await phone.reconnect();
    await phone.signIn({ username: "ada", session: "phone" });
    await phone.next("missed");
    assertEquals(phone.socket.recovered, true);
  });

  it(`says what it is told to say, and sends clients for fresh credentials (${place.name})`, async () => {
    const world = await openWorld(place, {
      ...options,
      verify: async (socket: Socket, given: Record<string, string>) => {
        if (given.username === "slow") {
          await world.auth.revoke({ userId: "slow" }, { message: "Not you" });
        }
        return options.verify(socket, given);
      },
    });
    const client = await enter(world, "ada");
    await world.auth.revoke({ userId: "ada" }, {
      message: "Your plan has changed",
      reconnect: true,
    });
    assertEquals(await client.next("unauthorized"), [
      { message: "Your plan has changed", code: "revoked", reconnect: true },
    ]);
    await client.next("disconnect");
    // Attempts in flight are told so, too.
    const slow = await world.connect();
    slow.emit("authentication", { username: "slow" });
    assertEquals(await slow.next("unauthorized"), [
      { message: "Not you", code: "revoked", reconnect: false },
    ]);
  });

  it(`olderThan a socket: the sign-ins that began before, and no later one (${place.name})`, async () => {
    const world = await openWorld(place, options);
    const sockets: Socket[] = [];
    const clients: Client[] = [];
    for (let i = 0; i < 3; i++) {
      clients.push(await enter(world, "ada", `${i}`));
      sockets.push((await world.log.next("connection"))[0] as Socket);
    }
    const [first, second, third] = clients as [Client, Client, Client];
    // A refresh makes a sign-in no younger.
    await first.signIn({ username: "ada", session: "0" });
    assertEquals(await world.auth.revoke({ userId: "ada" }, { olderThan: sockets[1]! }), 1);
    await expectRevoked(first);
    world.io.emit("news");
    await Promise.all([second, third].map((client) => client.next("news")));
    assertEquals(await world.auth.revoke({ userId: "ada" }, { olderThan: sockets[2]! }), 1);
    await expectRevoked(second);
    await enter(world, "ada");
  });

  it(`olderThan a socket: not what comes back of its own connection (${place.name})`, async () => {
    const doors = new EventQueue();
    let isSlow = false;
    const world: World = await openWorld(place, {
      ...options,
      disconnect: () => world.log.push("gone"),
    }, {
      server: { connectionStateRecovery: { skipMiddlewares: false } },
      setUp: (io) => {
        io.of("/chat").use((_socket, next) => isSlow ? void doors.push("next", next) : next());
        io.of("/chat").on("connection", () => {});
      },
    });
    const client = await enter(world, "ada");
    const chat = client.sibling("/chat");
    await chat.next("authenticated");
    world.io.emit("first");
    world.io.of("/chat").emit("first");
    await Promise.all([client.next("first"), chat.next("first")]);
    await client.drop();
    await world.log.next("gone");
    await world.log.next("gone");
    isSlow = true;
    client.socket.connect();
    chat.socket.connect();
    await client.next("connect");
    await client.signIn({ username: "ada" });
    const [next] = await doors.next("next") as [() => void];
    const socket = world.io.sockets.sockets.get(client.socket.id!)!;
    assertEquals(await world.auth.revoke({ userId: "ada" }, { olderThan: socket }), 0);
    next();
    await chat.next("authenticated");
    assertEquals([client.socket.connected, world.auth.stats().revoked], [true, 0]);
  });

  it(`olderThan a socket that is over: nothing (${place.name})`, async () => {
    const world = await openWorld(place, options);
    const other = await enter(world, "ada", "other");
    await world.log.next("connection");
    const client = await enter(world, "ada");
    const [socket] = await world.log.next("connection") as [Socket];
    socket.disconnect();
    await client.next("disconnect");
    assertEquals(await world.auth.revoke({ userId: "ada" }, { olderThan: socket }), 0);
    assertEquals(other.socket.connected, true);
  });

  it(`olderThan a socket: an attempt that began before, not one that began since (${place.name})`, async () => {
    const answers: (() => void)[] = [];
    const world = await openWorld(place, {
      ...options,
      verify: (_socket: unknown, given: Record<string, string>) =>
        given.session === "now" ? { name: given.username } : new Promise((resolve) => {
          answers.push(() => resolve({ name: given.username }));
          world.log.push("asked");
        }),
    });
    const before = await world.connect();
    before.emit("authentication", { username: "ada" });
    await world.log.next("asked");
    await enter(world, "ada", "now");
    const [socket] = await world.log.next("connection") as [Socket];
    const since = await world.connect();
    since.emit("authentication", { username: "ada" });
    await world.log.next("asked");
    await world.auth.revoke({ userId: "ada" }, { olderThan: socket });
    for (const answer of answers) answer();
    await expectRevoked(before);
    await since.next("authenticated");
    assertEquals(world.auth.stats().authenticated, 2);
  });

  it(`wants options that it can make something of (${place.name})`, async () => {
    const world = await openWorld(place, options);
    const { auth } = world;
    const client = await enter(world, "ada");
    const [socket] = await world.log.next("connection") as [Socket];
    const stranger = await world.connect();
    const pending = world.io.sockets.sockets.get(stranger.socket.id!)!;
    const wrong: [options: unknown, error: ErrorConstructor, text: string][] = [
      [{ except: {} }, TypeError, "except must be a socket"],
      [{ except: 5 }, TypeError, "except must be a socket"],
      [{ except: { sessionId: NaN } }, TypeError, "except.sessionId must be"],
      [{ olderThan: pending }, TypeError, "olderThan must be a socket"],
      [{ olderThan: {} }, TypeError, "olderThan must be a socket"],
      [{ olderThan: socket, except: socket }, TypeError, "both except and olderThan"],
      [{ message: "" }, TypeError, "message must be text"],
      [{ message: "x".repeat(257) }, RangeError, "256 characters at most, got 257"],
      [{ reconnect: 1 }, TypeError, "reconnect must be true or false"],
      [{ exept: socket }, TypeError, 'no option "exept"'],
      [null, TypeError, "the options must be an object"],
    ];
    for (const [options, error, text] of wrong) {
      await assertRejects(() => auth.revoke({ userId: "ada" }, options as never), error, text);
    }
    for (const within of [undefined, -1, NaN, Infinity, "5"]) {
      const options = { within } as { within: number };
      await assertRejects(() => auth.refresh({ userId: "ada" }, options), RangeError, "within");
    }
    await assertRejects(() => auth.refresh({ userId: "ada" }, undefined as never), TypeError);
    assertEquals(world.auth.stats().authenticated, 1);
    await client.drop();
    while (socket.connected) await new Promise((resolve) => setImmediate(resolve));
    await assertRejects(
      () => auth.revoke({ userId: "ada" }, { except: socket }),
      TypeError,
      "is over",
    );
  });

  it(`makes a connection that was lost worthless (${place.name})`, async () => {
    for (const target of [{ userId: "ada" }, { sessionId: "phone" }] as RevokeTarget[]) {
      const world: World = await openWorld(place, {
        ...options,
        disconnect: () => world.log.push("gone"),
      }, { server: { connectionStateRecovery: {} } });
      const client = await enter(world, "ada", "phone");
      const [socket] = await world.log.next("connection") as [Socket];
      await socket.join("room");
      world.io.emit("first");
      await client.next("first");
      await client.drop();
      await world.log.next("gone");
      assertEquals(await world.auth.revoke(target), 0);
      world.io.to("room").emit("secret");
      await client.reconnect();
      assertEquals(client.socket.recovered, false);
      await client.signIn({ username: "ada" });
      world.io.to("room").emit("secret");
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "first", "authenticated", "public"]);
      // And what the new session loses can be recovered again.
      await client.drop();
      await world.log.next("gone");
      await client.reconnect();
      assertEquals(client.socket.recovered, true);
    }
  });

  it(`from a hook in the middle of a sign-in is heard (${place.name})`, async () => {
    const world = await openWorld(place, {
      ...options,
      reply: () => (void world.auth.revoke({ userId: "ada" }), true),
    });
    const client = await world.connect();
    client.emit("authentication", { username: "ada" });
    await expectRevoked(client);
    await engineIsEmpty(world.io);
    assertEquals(world.auth.stats().authenticated, 0);
  });

  it(`of one policy does not concern another (${place.name})`, async () => {
    const { socketioAuth } = await import("../../mod.ts");
    let admins: ReturnType<typeof socketioAuth>;
    const world = await openWorld(place, options, {
      setUp: (io) => admins = socketioAuth(io.of("/admin"), options as never),
    });
    const client = await enter(world, "ada");
    const admin = client.sibling("/admin");
    await admin.next("connect");
    await admin.signIn({ username: "ada" });
    assertEquals(await admins!.revoke({ userId: "ada" }), 1);
    await expectRevoked(admin);
    world.io.emit("news");
    await client.next("news");
  });
}
