// What a client is told that asks for a namespace with too much, or for too many.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import type { VerifyContext } from "../../mod.ts";
import { beginJoining } from "../../src/socketio/joining.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly } from "../kit/targets.ts";
import { engineIsEmpty, openWorld } from "../kit/world.ts";

type Handshake = NonNullable<NonNullable<Parameters<typeof openWorld>[1]>["handshake"]>;
type RawClientOf = Parameters<typeof beginJoining>[0];

interface Refusal {
  readonly message: string;
  readonly data: { readonly code: string; readonly reconnect: boolean };
}

async function refusalOf(client: Client): Promise<Refusal["data"]> {
  const [{ data }] = await client.next("connect_error") as [Refusal];
  return data;
}

function namespacesOf(io: Server): number {
  return io._nsps.size;
}

describe("namespaces that a client joins at once", () => {
  it("may be many: what each costs does not depend on the others", () => {
    const client = { conn: {} } as RawClientOf;
    const begun = performance.now();
    for (let i = 0; i < 200_000; i++) assert(beginJoining(client, `/${i}`));
    assertEquals(beginJoining(client, "/7"), undefined);
    // A list of them would take minutes.
    assert(performance.now() - begun < 20_000);
  });
});

describe("a CONNECT payload", () => {
  disposeAfterEach();

  let deep: object = {};
  for (let i = 0; i < 40; i++) deep = { deep };
  const payloads: Record<string, object> = { "too large": { big: "x".repeat(20_000) }, deep };
  for (const place of engineOnly) {
    for (const [what, auth] of Object.entries(payloads)) {
      for (const handshake of [false, true]) {
        it(`that is ${what} is refused before it is kept, handshake: ${handshake} (${place.name})`, async () => {
          const kept: unknown[] = [];
          const world = await openWorld(place, {
            handshake,
            timeout: "none",
            connection: "connected",
            observe: ({ type, ...rest }) => world?.log.push(type, (rest as { code?: string }).code),
          });
          world.io.use((socket, next) => {
            kept.push(socket.handshake.auth);
            next();
          });
          const client = openClient(place, world.url, { auth: { ...auth } });
          assertEquals(await refusalOf(client), { code: "invalid_credentials", reconnect: false });
          await engineIsEmpty(world.io);
          assertEquals([kept, world.auth.stats().pending], [[], 0]);
          assertEquals(await world.log.next("unauthorized"), ["invalid_credentials"]);
          assertEquals(world.log.names.includes("connection"), false);
        });
      }
    }

    it(`that is too large has the client told to stay away (${place.name})`, async () => {
      const world = await openWorld(place);
      const client = await RawClient.open(world.url);
      client.send(`40${JSON.stringify({ big: "x".repeat(20_000) })}`);
      await client.packets.next("44");
      assertEquals(world.auth.stats().pending, 1);
      await client.packets.next("41");
      await client.packets.next("close");
    });

    it(`that is too large for a second namespace costs the first nothing (${place.name})`, async () => {
      const world = await openWorld(place);
      world.io.of("/other");
      const client = await world.connect();
      await client.signIn();
      const other = client.sibling("/other", { big: "x".repeat(20_000) });
      assertEquals((await refusalOf(other)).code, "invalid_credentials");
      world.io.emit("news");
      await client.next("news");
    });

    it(`of as much as maxCredentials is taken (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: true, maxCredentials: 50_000 });
      const auth = { username: "ada", password: "right", face: "x".repeat(40_000) };
      const client = openClient(place, world.url, { auth });
      await client.next("authenticated");
    });
  }
});

describe("the 65th namespace before anybody has signed in", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`is refused in words, and leaves nothing behind (${place.name})`, async () => {
      const world = await openWorld(place, { open: "/open", timeout: "none" }, {
        server: { cleanupEmptyChildNamespaces: true },
      });
      world.io.of("/open");
      world.io.of(/^\/room-/);
      const before = namespacesOf(world.io);
      const raw = await RawClient.open(world.url);
      // With one beside it that keeps the transport open.
      raw.send("40/open,");
      await raw.packets.next("40");
      for (let i = 0; i < 64; i++) {
        raw.send(`40/room-${i},`);
        await raw.packets.next("40");
      }
      assertEquals(namespacesOf(world.io), before + 64);
      for (let i = 64; i < 70; i++) raw.send(`40/room-${i},`);
      const [answer] = await raw.packets.next("44");
      const { message, data } = JSON.parse(String(answer).replace(/^[^{]+/, "")) as Refusal;
      assert(message.length > 0);
      assertEquals(data, { code: "too_many_attempts", reconnect: false });
      // Once, or they would pile up.
      raw.send(`42/open,0["nobody"]`);
      await raw.packets.next("41");
      assertEquals(raw.packets.names.filter((name) => name === "44").length, 1);
      assertEquals([namespacesOf(world.io), world.auth.stats().pending], [before, 0]);
      assert(world.auth.stats().cut >= 64);
    });
  }
});

describe("a handshake with a challenge", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`ends with its socket, if a middleware refuses that (${place.name})`, async () => {
      const aborted = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        handshake: true,
        async verify(_socket: Socket, _given: unknown, { challenge, signal }: VerifyContext) {
          signal.addEventListener("abort", () => aborted.resolve());
          await challenge("code?", { timeout: 3_600_000 });
          return { name: "ada" };
        },
      });
      world.io.use((_socket, next) => next(new Error("not today")));
      const client = openClient(place, world.url, { auth: { token: 1 } });
      const [error] = await client.next("connect_error") as [Error];
      assertEquals(error.message, "not today");
      await aborted.promise;
      assertEquals(world.auth.stats().pending, 0);
      assertEquals(world.auth.stats().refused, 1);
    });
  }
});

describe("handshake as a function", () => {
  disposeAfterEach();

  const cookie = (handshake: unknown) => {
    const { headers } = handshake as { headers: Record<string, string | undefined> };
    const [, username] = /user=(\w+)/.exec(headers.cookie ?? "") ?? [];
    return username && { username, password: "right" };
  };

  for (const place of engineOnly) {
    it(`takes credentials from wherever they are, or none (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: cookie });
      const client = openClient(place, world.url, { headers: { cookie: "user=ada" } });
      await client.next("authenticated");
      const [socket] = await world.log.next("connection") as [Socket];
      assertEquals(world.auth.session(socket)!.user.name, "ada");
      const stranger = await world.connect();
      await stranger.signIn();
    });

    it(`does not sign in again who has just been signed out (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: cookie });
      const client = openClient(place, world.url, { headers: { cookie: "user=ada" } });
      await client.next("authenticated");
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await client.next("connect");
      await client.signIn({ username: "grace", password: "right" });
      const [next] = await world.log.next("connection") as [Socket];
      assertEquals(world.auth.session(next)!.user.name, "grace");
    });

    const failures: Record<string, () => unknown> = {
      "throws": () => {
        throw new Error("broken");
      },
      "returns a promise": () => Promise.resolve({ username: "ada", password: "right" }),
    };
    for (const [how, handshake] of Object.entries(failures)) {
      it(`that ${how} is reported, and lets nobody in (${place.name})`, async () => {
        const world = await openWorld(place, { handshake });
        const client = openClient(place, world.url);
        assertEquals(await refusalOf(client), { code: "server_error", reconnect: true });
        assertEquals(world.errors.map(({ context }) => context.during), ["handshake"]);
        await engineIsEmpty(world.io);
      });
    }

    const auth = { username: "ada", password: "right" };
    const payload = (handshake: unknown) => (handshake as { auth: object }).auth;

    const readers: Record<string, [handshake: Handshake, seen: object]> = {
      "that true has read": [true, {}],
      "that a function has read": [payload, {}],
      "that a list has read": [[cookie, payload], {}],
      "that nobody has read": [cookie, auth],
    };
    for (const [what, [handshake, seen]] of Object.entries(readers)) {
      it(`a payload ${what} is the same for a middleware after a sign-out (${place.name})`, async () => {
        const world = await openWorld(place, { handshake });
        world.io.use((socket, next) => {
          world.log.push("payload", socket.handshake.auth);
          next();
        });
        const client = openClient(place, world.url, { auth });
        await client.next("connect");
        assertEquals(await world.log.next("payload"), [seen]);
        if (handshake === cookie) await client.signIn();
        const [socket] = await world.log.next("connection") as [Socket];
        assertEquals(socket.handshake.auth, seen);
        world.auth.deauthenticate(socket);
        assertEquals(await world.log.next("payload"), [seen]);
      });
    }

    it(`the first of a list that finds any is heard, and an empty object is nothing (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: [payload, cookie] });
      const nameOf = async () => {
        const [socket] = await world.log.next("connection") as [Socket];
        return world.auth.session(socket)!.user.name;
      };
      const headers = { cookie: "user=grace" };
      await openClient(place, world.url, { headers, auth }).next("authenticated");
      assertEquals(await nameOf(), "ada");
      await openClient(place, world.url, { headers }).next("authenticated");
      assertEquals(await nameOf(), "grace");
      const neither = await world.connect();
      await neither.signIn();
      assertEquals(await nameOf(), "ada");
    });

    it(`does not take what Socket.IO has in the payload for credentials (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: payload }, {
        server: { connectionStateRecovery: {} },
      });
      const raw = await RawClient.open(world.url);
      raw.send('40{"pid":"0","offset":"0"}');
      await raw.packets.next("40");
      assertEquals(world.auth.stats().refused, 0);
    });
  }
});

describe("a room that a middleware enters by the adapter", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`is entered with the sign-in (${place.name})`, async () => {
      const world = await openWorld(place);
      world.io.use((socket, next) => {
        world.io.of("/").adapter.addAll(socket.id, new Set(["room"]));
        next();
      });
      const client = await world.connect();
      world.io.to("room").emit("secret");
      await client.signIn();
      world.io.to("room").emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "public"]);
    });
  }
});

describe("a session", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`needs a socket: one that a middleware refuses leaves nothing behind (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: true });
      world.io.use((_socket, next) => next(new Error("maintenance")));
      world.io.of("/other");
      const raw = await RawClient.open(world.url);
      raw.send(`40{"username":"ada","password":"right"}`);
      await raw.packets.next("44");
      raw.send("40/other,");
      await raw.packets.next("40");
      assertEquals([raw.events, world.auth.stats().authenticated], [[], 0]);
      raw.send(`42/other,0["authentication",{"username":"grace","password":"right"}]`);
      await raw.packets.next("43");
      assertEquals(world.auth.stats().authenticated, 1);
    });
  }
});
