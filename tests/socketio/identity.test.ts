// Who a user is: by the fields that users have, by the options, by `admit`; and what becomes of
// users of whom nobody can tell.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
  describe,
  it,
} from "#testing";
import type { Socket } from "socket.io";
import { admit, type AuthEvent, type Callback, type SessionFacts } from "../../mod.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

/** What the client is told, and nobody else, whose second sign-in cannot be looked at. */
const KEPT = {
  ok: false,
  message: "Signed in as another user",
  code: "subject_mismatch",
  reconnect: false,
  kept: true,
};

/** As the drivers of MongoDB have it. */
class ObjectId {
  readonly #hex: string;

  constructor(hex: string) {
    this.#hex = hex;
  }

  toHexString(): string {
    return this.#hex;
  }
}

/** A policy that admits whoever the client says, by the name of a user. */
function admitting(users: Record<string, () => unknown>, options: object = {}): object {
  return { verify: (_socket: unknown, name: string) => users[name]!(), ...options };
}

async function enter(
  world: World,
  credentials: unknown = "ada",
): Promise<{ client: Client; socket: Socket }> {
  const client = await world.connect();
  await client.signIn(credentials);
  return { client, socket: world.io.sockets.sockets.get(client.socket.id!)! };
}

async function submit(client: Client, credentials: unknown): Promise<Record<string, unknown>> {
  return await client.socket.emitWithAck("authentication", credentials);
}

/** What `onError` was told, and where it happened. */
function told({ errors }: World): string[] {
  return errors.map(({ error, context }) => `${context.during}: ${(error as Error).message}`);
}

/** Users, and the id that each has by default. */
const known: Record<string, [user: unknown, id: string]> = {
  "an id": [{ id: "ada" }, "ada"],
  "an id that is a number": [{ id: 7 }, "7"],
  "an id that is 0": [{ id: 0 }, "0"],
  "an id that is a bigint": [{ id: 7n }, "7"],
  "an id that is an ObjectId": [{ id: new ObjectId("a1") }, "a1"],
  "an id of a class": [
    new (class Account {
      get id() {
        return "ada";
      }
    })(),
    "ada",
  ],
  "an id in front of all others": [{ id: "1", sub: "2", uid: "3", _id: "4" }, "1"],
  "a sub": [{ sub: "auth0|ada" }, "auth0|ada"],
  "a uid": [{ uid: "ada" }, "ada"],
  "an _id": [{ _id: "ada" }, "ada"],
  "an _id that is an ObjectId": [{ _id: new ObjectId("a1"), name: "ada" }, "a1"],
  "an id that is null, and a sub": [{ id: null, sub: "ada" }, "ada"],
  "an id that is none, and a uid": [{ id: { number: 7 }, uid: "ada" }, "ada"],
  "several that are the same": [{ sub: "7", uid: 7, _id: 7n }, "7"],
  "text for a user": ["ada", "ada"],
  "a number for a user": [7, "7"],
  "a bigint for a user": [7n, "7"],
};

/** Users of whom nobody can tell who they are. */
const unknown: Record<string, () => unknown> = {
  "true": () => true,
  "an empty object": () => ({}),
  "a name only": () => ({ name: "ada", Id: 1, email: "ada@example.org" }),
  "ids that are none": () => ({ id: null, sub: undefined, uid: true, _id: { buffer: "a1" } }),
};

/** Ids that are no ids: what any number of users would share. */
const worthless: Record<string, unknown> = {
  "empty text": { id: "" },
  "empty text for a sub": { sub: "" },
  "not a number": { id: NaN },
  "without end": { uid: Infinity },
  "an ObjectId of nothing": { _id: { toHexString: () => "" } },
  "an ObjectId of numbers": { _id: { toHexString: () => 7 } },
};

/** Where two users differ who are not the same. */
const pairs: Record<string, [ada: unknown, eve: unknown]> = {
  "id": [{ id: 1 }, { id: 2 }],
  "sub": [{ sub: "ada" }, { sub: "eve" }],
  "uid": [{ uid: "ada" }, { uid: "eve" }],
  "_id": [{ _id: new ObjectId("a1") }, { _id: new ObjectId("e1") }],
  "text": ["ada", "eve"],
  "number": [1, 2],
  "admit": [admit(true, { userId: "ada" }), admit(true, { userId: "eve" })],
  "one and none": [{ id: "ada" }, true],
};

describe("the id of a user", () => {
  disposeAfterEach();
  for (const place of engineOnly) suiteOfIds(place);
});

function suiteOfIds(place: Place): void {
  for (const [name, [user, id]] of Object.entries(known)) {
    it(`is known by ${name} (${place.name})`, async () => {
      const world = await openWorld(place, { verify: () => user });
      const { client, socket } = await enter(world);
      assertEquals(world.auth.session(socket)?.userId, id);
      // And that is what a refresh is compared by, and a revocation.
      assertEquals((await submit(client, {})).ok, true);
      assertEquals(await world.auth.revoke({ userId: id }), 1);
      assertEquals(world.errors, []);
    });
  }

  for (const [name, make] of Object.entries(unknown)) {
    it(`is not known by ${name} (${place.name})`, async () => {
      const world = await openWorld(place, { verify: make });
      const { socket } = await enter(world);
      assertEquals(world.auth.session(socket)?.userId, undefined);
      assertEquals(world.errors, []);
    });
  }

  for (const [name, user] of Object.entries(worthless)) {
    it(`is a server error if it is ${name} (${place.name})`, async () => {
      const world = await openWorld(place, { verify: () => user });
      const { code } = await submit(await world.connect(), {});
      assertEquals([code, world.errors.length], ["server_error", 1]);
      assertMatch(told(world)[0]!, /^session: userId must be text that is not empty/);
    });
  }

  it(`is nobody's guess where there are several (${place.name})`, async () => {
    const world = await openWorld(place, { verify: () => ({ sub: "ada", _id: "a1" }) });
    for (let i = 0; i < 2; i++) {
      const { client, socket } = await enter(world);
      assertEquals(world.auth.session(socket)?.userId, undefined);
      assertEquals(world.errors.length, 1);
      assertMatch(
        told(world)[0]!,
        /^userId: A user has several of sub, uid.*option userId\(user\)/,
      );
      client.socket.disconnect();
    }
    const { client } = await enter(world);
    assertEquals(await submit(client, {}), KEPT);
  });

  it(`is for the option userId to say, if there is one (${place.name})`, async () => {
    const ids = ["name", undefined];
    const world = await openWorld(place, {
      verify: () => ({ id: "by default", sub: "ada", _id: "a1" }),
      userId: () => ids.shift(),
    });
    for (const id of ["name", undefined]) {
      const { socket } = await enter(world);
      assertEquals(world.auth.session(socket)?.userId, id);
    }
    assertEquals(world.errors, []);
  });

  for (const [name, [ada, eve]] of Object.entries(pairs)) {
    it(`tells another user in a refresh, by ${name} (${place.name})`, async () => {
      const world = await openWorld(place, admitting({ ada: () => ada, eve: () => eve }));
      const { client } = await enter(world, "ada");
      assertEquals((await submit(client, "ada")).ok, true);
      const { ok, code, kept } = await submit(client, "eve");
      assertEquals([ok, code, kept], [false, "subject_mismatch", undefined]);
      await client.next("unauthorized");
      assertEquals(await client.next("disconnect"), ["io server disconnect"]);
      assertEquals(world.errors, []);
    });
  }
}

describe("a user without an id", () => {
  disposeAfterEach();
  for (const place of engineOnly) suiteOfNobodies(place);
});

function suiteOfNobodies(place: Place): void {
  for (const [name, make] of Object.entries(unknown)) {
    it(`keeps the session, and nobody looks at a second sign-in: ${name} (${place.name})`, async () => {
      const events: string[] = [];
      let asked = 0;
      const world = await openWorld(place, {
        verify: () => (asked++, make()),
        throttle: { limiter: { consume: () => Promise.resolve(world.log.push("throttle")) } },
        address: () => "203.0.113.9",
        observe: (event: AuthEvent) =>
          events.push("code" in event ? `${event.type} ${event.code}` : event.type),
        attempts: 1,
      }, {
        setUp: (io) => io.on("connection", (socket) => socket.on("ping", (reply) => reply("pong"))),
      });
      const { client, socket } = await enter(world);
      const session = world.auth.session(socket);
      for (let i = 0; i < 3; i++) {
        assertEquals(await submit(client, "eve"), KEPT);
        client.emit("authentication", "eve");
        assertEquals(await client.socket.emitWithAck("ping"), "pong");
      }
      assert(session && world.auth.session(socket) === session);
      assertEquals([client.socket.id, client.received], [socket.id, ["authenticated"]]);
      assertEquals(asked, 1);
      assertEquals(world.log.names.filter((name) => name === "throttle"), ["throttle"]);
      assertEquals(events.filter((event) => event.startsWith("unauthorized")), []);
      // Once, however often that is.
      assertEquals(world.errors.map(({ context }) => context), [{ during: "userId", socket }]);
      assertMatch(told(world)[0]!, /A user has no id, and so a second.*option userId\(user\)/);
    });
  }

  it(`signs in anew after a sign-out (${place.name})`, async () => {
    const world = await openWorld(place, { verify: () => true });
    const { client, socket } = await enter(world);
    const connected = client.next("connect");
    world.auth.deauthenticate(socket);
    await connected;
    await client.signIn();
    assertEquals(world.errors, []);
  });

  it(`has sign-ins of all namespaces declined, and of no other connection (${place.name})`, async () => {
    const world = await openWorld(place, { verify: () => true }, {
      setUp: (io) => void io.of("/other"),
    });
    const { client } = await enter(world);
    const other = client.sibling("/other");
    await other.next("authenticated");
    assertEquals(await submit(other, "eve"), KEPT);
    await enter(world);
    assertEquals([client.socket.connected, other.received], [true, ["authenticated"]]);
  });

  it(`is not recovered, and onError hears of it once (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      verify: () => true,
      disconnect: () => world.log.push("gone"),
    }, { server: { connectionStateRecovery: {} } });
    for (let i = 0; i < 2; i++) {
      const { client } = await enter(world);
      world.io.emit("first");
      await client.next("first");
      await client.drop();
      await world.log.next("gone");
      await client.reconnect();
      assertEquals(client.socket.recovered, false);
    }
    assertEquals(world.errors.length, 1);
    assertMatch(told(world)[0]!, /^userId: A user has no id, and so its lost connection is not/);
  });

  it(`is lost without a word where nothing is recovered (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      verify: () => true,
      disconnect: () => world.log.push("gone"),
    });
    await (await enter(world)).client.drop();
    await world.log.next("gone");
    assertEquals(world.errors, []);
  });

  it(`cannot be revoked, and revoke says so (${place.name})`, async () => {
    const world = await openWorld(place, { verify: () => true });
    // Nobody is here: whoever is meant may be elsewhere.
    assertEquals(await world.auth.revoke({ userId: "ada" }), 0);
    assertEquals(world.errors, []);
    const { client } = await enter(world);
    for (let i = 0; i < 2; i++) {
      const error = await assertRejects(() => world.auth.revoke({ userId: "ada" }), TypeError);
      assertMatch(error.message, /option userId\(user\).*admit\(user, \{ userId \}\)/);
    }
    assertEquals(client.socket.connected, true);
    assertEquals(world.errors.map(({ context }) => context), [{ during: "userId" }]);
    assertMatch(told(world)[0]!, /cannot be found by revoke\(\{ userId \}\)/);
  });

  it(`is no mistake where others have an id, also if they have left (${place.name})`, async () => {
    const world: World = await openWorld(
      place,
      admitting({ ada: () => ({ id: "ada" }), nobody: () => true }, {
        disconnect: () => world.log.push("gone"),
      }),
    );
    const { client } = await enter(world, "ada");
    await enter(world, "nobody");
    client.socket.disconnect();
    await world.log.next("gone");
    assertEquals(await world.auth.revoke({ userId: "ada" }), 0);
  });

  it(`or not, a revocation is carried out (${place.name})`, async () => {
    const answer = Promise.withResolvers<unknown>();
    const world = await openWorld(place, {
      verify: (_socket: unknown, name: string) =>
        name === "nobody" || (world.log.push("asked"), answer.promise),
    });
    await enter(world, "nobody");
    const client = await world.connect();
    const outcome = submit(client, "ada");
    await world.log.next("asked");
    await assertRejects(() => world.auth.revoke({ userId: "ada" }), TypeError);
    answer.resolve({ id: "ada" });
    assertEquals((await outcome).code, "revoked");
  });

  it(`is meant to be, if the option userId says so (${place.name})`, async () => {
    for (const userId of [() => undefined, () => null]) {
      const world: World = await openWorld(place, {
        verify: () => ({ id: "ada" }),
        userId,
        disconnect: () => world.log.push("gone"),
      }, { server: { connectionStateRecovery: {} } });
      const { client } = await enter(world);
      assertEquals(await submit(client, "ada"), KEPT);
      await assertRejects(() => world.auth.revoke({ userId: "ada" }), TypeError, "userId");
      world.io.emit("first");
      await client.next("first");
      await client.drop();
      await world.log.next("gone");
      await client.reconnect();
      assertEquals([client.socket.recovered, world.errors], [false, []]);
    }
  });
}

describe("auth.user", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`is the user of whoever is signed in, or was (${place.name})`, async () => {
      const user = { id: "ada" };
      const world = await openWorld(place, {
        verify: () => user,
        postAuthenticate: (socket: Socket) => world.log.push("post", world.auth.user(socket)),
        disconnect: (socket: Socket) => world.log.push("gone", world.auth.user(socket)),
      }, {
        setUp: (io) =>
          io.on("connection", (socket) => world.log.push("met", world.auth.user(socket))),
      });
      const { client, socket } = await enter(world);
      const connected = client.next("connect");
      world.auth.deauthenticate(socket);
      await connected;
      for (const event of ["met", "post", "gone"]) {
        assert((await world.log.next(event))[0] === user as unknown, event);
      }
      assert(world.auth.user(socket) === user as unknown);
      // In its place is a new one, whose user nobody is.
      const again = world.io.sockets.sockets.get(client.socket.id!)!;
      assert(again !== socket);
      assertThrows(() => world.auth.user(again), TypeError, "has not signed in");
    });

    it(`is the last one that was verified (${place.name})`, async () => {
      let visits = 0;
      const world = await openWorld(place, { verify: () => ({ id: "ada", visits: ++visits }) });
      const { client, socket } = await enter(world);
      assertEquals(world.auth.user(socket), { id: "ada", visits: 1 } as object);
      await client.signIn();
      assertEquals(world.auth.user(socket), { id: "ada", visits: 2 } as object);
    });

    it(`throws for a socket that has not signed in (${place.name})`, async () => {
      const errors: Error[] = [];
      const ask = (socket: object) =>
        errors.push(assertThrows(() => world.auth.user(socket), TypeError, "There is no user"));
      const world: World = await openWorld(place, {
        connection: "connected",
        verify: (socket: Socket) => (ask(socket), false),
        disconnect: ask,
      }, {
        setUp(io) {
          io.use((socket, next) => (ask(socket), next()));
          io.on("connection", ask);
        },
      });
      const client = await world.connect();
      client.emit("authentication", {});
      await client.next("disconnect");
      // A middleware, a handler, the verifier, and once it is over.
      assertEquals(errors.length, 4);
      ask({});
      assertEquals(world.errors, []);
    });
  }
});

describe("admit", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`adds what is not in the user (${place.name})`, async () => {
      const user = { name: "ada" };
      const expiresAt = new Date(Date.now() + 3_600_000);
      const admission = admit(user, { userId: new ObjectId("a1"), sessionId: 7n, expiresAt });
      const policies = [
        { verify: () => admission },
        { verify: () => Promise.resolve(admission) },
        { authenticate: (_s: unknown, _d: unknown, done: Callback) => done(null, admission) },
      ];
      for (const policy of policies) {
        const world = await openWorld(place, {
          ...policy,
          reply: (given: unknown) => given === user,
        });
        const client = await world.connect();
        const [reply, info] = await client.signIn() as [boolean, { expiresAt: number }];
        assertEquals([reply, info.expiresAt], [true, expiresAt.getTime()]);
        const [socket] = [...world.io.sockets.sockets.values()] as [Socket];
        const { authenticatedAt, ...session } = world.auth.session(socket)!;
        assertEquals(session, {
          ...{ user, userId: "a1", sessionId: "7", expiresAt: expiresAt.getTime() },
        });
        assert(authenticatedAt <= Date.now() && world.auth.user(socket) === user);
      }
    });

    it(`says nothing where a fact is nothing (${place.name})`, async () => {
      const facts: (SessionFacts | undefined)[] = [
        undefined,
        {},
        { userId: undefined, sessionId: undefined, expiresAt: undefined },
        { userId: null, sessionId: null, expiresAt: null },
      ];
      for (const given of facts) {
        const world = await openWorld(place, { verify: () => admit({ id: "ada" }, given) });
        const { socket } = await enter(world);
        const { authenticatedAt: _, ...session } = world.auth.session(socket)!;
        // A fact that is nothing hides no id of the user.
        assertEquals(session, { user: { id: "ada" }, userId: "ada" } as unknown as typeof session);
      }
    });

    it(`goes before what users have, and options before it (${place.name})`, async () => {
      const end = Date.now() + 3_600_000;
      const facts = { userId: "fact", sessionId: "fact", expiresAt: end };
      const found = { userId: "option", sessionId: "option", expiresAt: end + 1 };
      for (const option of [undefined, null, found]) {
        const world = await openWorld(place, {
          verify: () => admit({ id: "user" }, facts),
          ...option !== undefined && {
            userId: () => option?.userId,
            sessionId: () => option?.sessionId,
            expiresAt: () => option?.expiresAt,
          },
        });
        const { socket } = await enter(world);
        const { userId, sessionId, expiresAt } = world.auth.session(socket)!;
        assertEquals({ userId, sessionId, expiresAt }, option ?? facts);
      }
    });

    it(`has options see the user, not what it was admitted with (${place.name})`, async () => {
      const seen: unknown[] = [];
      const look = (user: unknown) => void seen.push(user);
      const options = { userId: look, sessionId: look, expiresAt: look };
      const world = await openWorld(place, { ...options, verify: () => admit("ada", {}) });
      await enter(world);
      assertEquals(seen, ["ada", "ada", "ada"]);
    });

    it(`names a session, which can be revoked (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (_socket: unknown, sessionId: string) => admit({ id: "ada" }, { sessionId }),
      });
      const [phone, laptop] = [await enter(world, "phone"), await enter(world, "laptop")];
      assertEquals(await world.auth.revoke({ sessionId: "phone" }), 1);
      const [{ code }] = await phone.client.next("unauthorized") as [{ code: string }];
      assertEquals([code, laptop.client.socket.connected], ["revoked", true]);
      assertEquals(await world.auth.revoke({ sessionId: "tablet" }), 0);
    });

    it(`ends a session in time (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (_socket: unknown, ms: number) => admit(true, { expiresAt: Date.now() + ms }),
      });
      const { client } = await enter(world, 150);
      const [{ code }] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(code, "expired");
      assertEquals((await submit(await world.connect(), -1)).code, "expired");
    });

    for (const nobody of [null, undefined, false, 0, ""]) {
      it(`refuses ${JSON.stringify(nobody)}, whatever the facts (${place.name})`, async () => {
        const world = await openWorld(place, { verify: () => admit(nobody, { userId: "ada" }) });
        assertEquals((await submit(await world.connect(), {})).code, "authentication_failed");
        assertEquals(world.errors, []);
      });
    }

    it(`takes no fact that cannot be used (${place.name})`, async () => {
      const wrong: [facts: SessionFacts, told: RegExp][] = [
        [{ userId: "" }, /^session: userId must be/],
        [{ userId: {} as never }, /^session: userId must be/],
        [{ sessionId: NaN }, /^session: sessionId must be/],
        [{ sessionId: true as never }, /^session: sessionId must be/],
        [{ expiresAt: 0 }, /^session: expiresAt .*0 is the year 1970/],
        [{ expiresAt: Math.floor(Date.now() / 1000) }, /^session: expiresAt .*milliseconds/],
        [{ expiresAt: new Date("never") }, /^session: expiresAt /],
        [{ exp: 1 } as never, /^verify: Cannot admit: there is no fact "exp".*userId, sessionId/],
      ];
      for (const [facts, expected] of wrong) {
        const world = await openWorld(place, { verify: () => admit(true, facts) });
        assertEquals((await submit(await world.connect(), {})).code, "server_error");
        assertEquals(world.errors.length, 1);
        assertMatch(told(world)[0]!, expected);
      }
    });
  }

  it("throws at what is no fact", () => {
    assertThrows(() => admit(true, { expires: 1 } as never), TypeError, 'no fact "expires"');
    for (const facts of [null, "ada", 1]) {
      assertThrows(() => admit(true, facts as never), TypeError, "must be an object");
    }
  });
});
