import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { socketioAuth, type VerifyContext } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, type Place, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, transportsOf, type User, type World } from "../kit/world.ts";

const RIGHT = { username: "ada", password: "right" };
const WRONG = { username: "ada", password: "wrong" };

interface Refusal {
  message: string;
  data: { code: string; reconnect: boolean; retryAfter?: number };
}

async function refusalOf(client: Client): Promise<Refusal> {
  const [{ message, data }] = await client.next("connect_error") as [Refusal];
  return { message, data };
}

function knock(place: Place, { url }: World, auth: object, path = "/"): Client {
  return openClient(place, url, { path, auth: { ...auth } });
}

describe("credentials in the handshake", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`admit the client without a round trip (${place.name})`, async () => {
      const seen: unknown[] = [];
      const world = await openWorld(place, {
        handshake: true,
        verify: (_socket: unknown, credentials: unknown) => (seen.push(credentials), true),
      }, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            world.log.push("auth", (socket as unknown as { auth: boolean }).auth);
            socket.emit("hello");
          }),
      });
      const client = knock(place, world, RIGHT);
      await client.next("hello");
      assertEquals(await world.log.next("auth"), [true]);
      assertEquals(client.received, ["authenticated", "hello"]);
      world.io.emit("news");
      await client.next("news");
      assertEquals(seen, [RIGHT]);
    });

    it(`that are wrong are a connect_error, and the transport is closed (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: true });
      const client = knock(place, world, WRONG);
      assertEquals(await refusalOf(client), {
        message: "Authentication failure",
        data: { code: "authentication_failed", reconnect: false },
      });
      await engineIsEmpty(world.io);
      assertEquals(world.io.of("/").sockets.size, 0);
      assertEquals(world.log.names, []);
    });

    it(`are not needed: without them there are two steps (${place.name})`, async () => {
      const world = await openWorld(place, { handshake: true });
      const client = await world.connect();
      world.io.emit("secret");
      await client.signIn();
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "public"]);
    });
  }

  for (const place of engineOnly) suite(place);
});

function suite(place: Place): void {
  it(`are none of the verifier's business by default (${place.name})`, async () => {
    const world = await openWorld(place);
    const client = knock(place, world, RIGHT);
    await client.next("connect");
    await client.signIn();
  });

  it(`that a function has found may be anything (${place.name})`, async () => {
    const found = new Map([["at", new Date(0)]]);
    const given: unknown[] = [];
    const world = await openWorld(place, {
      handshake: () => found,
      verify: (_socket: unknown, credentials: unknown) => given.push(credentials) > 0,
    });
    const client = openClient(place, world.url);
    await client.next("authenticated");
    assertEquals(given, [found]);
  });

  it(`come without pid and offset (${place.name})`, async () => {
    const seen: unknown[] = [];
    const world = await openWorld(place, {
      handshake: true,
      verify: (_socket: unknown, credentials: unknown) => (seen.push(credentials), true),
    });
    const client = knock(place, world, { pid: "p", offset: "o", token: "t" });
    await client.next("authenticated");
    assertEquals(seen, [{ token: "t" }]);
    // Socket.IO's own two alone are no credentials.
    const other = knock(place, world, { pid: "p", offset: "o" });
    await other.next("connect");
    assertEquals(other.received, []);
  });

  it(`are verified before middleware runs, which knows who it is (${place.name})`, async () => {
    const world = await openWorld(place, { handshake: true }, {
      setUp: (io) =>
        io.use((socket, next) => {
          world.log.push("middleware", socket.id);
          next();
        }),
    });
    await refusalOf(knock(place, world, WRONG));
    await knock(place, world, RIGHT).next("authenticated");
    assertEquals(world.log.names, ["middleware", "connection"]);
  });

  it(`do not wait for an event that is held (${place.name})`, async () => {
    const world = await openWorld(place, {
      handshake: true,
      verify: async (socket: Socket) => {
        await socket.join("room");
        socket.emit("held");
        return { name: "ada" };
      },
    });
    const client = knock(place, world, RIGHT);
    await client.next("held");
    world.io.to("room").emit("public");
    await client.next("public");
    assertEquals(client.received, ["authenticated", "held", "public"]);
  });

  // A server acts upon 64 CONNECTs at most. If more of them come at once, it may not verify any.
  for (const [tries, least] of [[60, 1], [200, 0]] as const) {
    it(`cannot be guessed on one transport, ${tries} at once (${place.name})`, async () => {
      let guesses = 0;
      const world = await openWorld(place, {
        handshake: true,
        verify: () => void guesses++,
      });
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < tries; i++) raw.send(`40${JSON.stringify({ password: i })}`);
      await raw.packets.next("close");
      assert(guesses >= least && guesses <= 1, `${guesses} guesses`);
      const [[, first]] = raw.packets.all.filter(([type]) => type === "44") as [[string, string]];
      const { code } = JSON.parse(first).data;
      assertEquals(code, guesses === 1 ? "authentication_failed" : "too_many_attempts");
    });
  }

  it(`cannot be guessed in many namespaces either (${place.name})`, async () => {
    let guesses = 0;
    const world = await openWorld(place, {
      handshake: true,
      verify: () => new Promise(() => guesses++),
      timeout: 200,
    }, {
      setUp: (io) => io.of(/^\/n\d+$/),
    });
    const raw = await RawClient.open(world.url);
    for (let i = 0; i < 50; i++) raw.send(`40/n${i},${JSON.stringify({ password: i })}`);
    await raw.packets.next("close");
    assertEquals(guesses, 1);
  });

  it(`that are enormous or deep never reach the verifier (${place.name})`, async () => {
    const world = await openWorld(place, {
      handshake: true,
      verify: () => world.log.push("asked"),
    });
    let deep: object = {};
    for (let i = 0; i < 40; i++) deep = { deep };
    for (const auth of [{ big: "x".repeat(20_000) }, deep]) {
      const { data } = await refusalOf(knock(place, world, auth));
      assertEquals(data.code, "invalid_credentials");
    }
    assertEquals(world.log.names, []);
  });

  it(`have the same deadline (${place.name})`, async () => {
    const world = await openWorld(place, {
      handshake: true,
      timeout: 100,
      verify: () => new Promise(() => {}),
    });
    const { data } = await refusalOf(knock(place, world, RIGHT));
    const { retryAfter, ...rest } = data;
    assertEquals(rest, { code: "timeout", reconnect: true });
    assert(retryAfter! >= 500, `${retryAfter}`);
    await engineIsEmpty(world.io);
    assertEquals(world.auth.stats(), {
      ...{ pending: 0, pendingConnections: 0, authenticated: 0, accepted: 0, refused: 1 },
      ...{ timedOut: 1, cut: 0, expired: 0, revoked: 0, held: 0 },
    });
  });

  it(`verified after the client has left admit no client (${place.name})`, async () => {
    const answer = Promise.withResolvers<User>();
    const aborted = Promise.withResolvers<void>();
    const world = await openWorld(place, {
      handshake: true,
      verify(_socket: unknown, _given: unknown, { signal }: VerifyContext) {
        signal.addEventListener("abort", () => aborted.resolve());
        world.log.push("asked");
        return answer.promise;
      },
      postAuthenticate: () => world.log.push("welcome"),
    });
    const client = knock(place, world, RIGHT);
    await world.log.next("asked");
    client.socket.io.engine.close();
    await aborted.promise;
    answer.resolve({ name: "ada" });
    await answer.promise;
    // Whoever comes next is served as ever.
    await world.connect();
    assertEquals(world.log.names.filter((name) => name === "welcome"), []);
    assertEquals(world.io.of("/").sockets.size, 1);
  });

  it(`whose client leaves do not keep a dynamic namespace (${place.name})`, async () => {
    const world = await openWorld(place, {
      handshake: true,
      verify: () => new Promise(() => world.log.push("asked")),
    }, {
      server: { cleanupEmptyChildNamespaces: true },
      setUp: (io) => io.of(/^\/n/),
    });
    const client = knock(place, world, RIGHT, "/n1");
    await world.log.next("asked");
    assertEquals(world.io._nsps.has("/n1"), true);
    client.socket.io.engine.close();
    await engineIsEmpty(world.io);
    assertEquals([world.io._nsps.has("/n1"), world.auth.stats().pending], [false, 0]);
  });

  it(`serve all namespaces of the connection (${place.name})`, async () => {
    let asked = 0;
    const world = await openWorld(place, {
      handshake: true,
      verify: () => (asked++, { name: "ada" }),
    }, { setUp: (io) => io.of("/other") });
    const client = knock(place, world, RIGHT);
    const other = client.sibling("/other", { ...RIGHT });
    await client.next("authenticated");
    await other.next("authenticated");
    assertEquals(asked, 1);
    assertEquals(transportsOf(world.io).length, 1);
  });

  it(`refused in one namespace leave another that is signed in alone (${place.name})`, async () => {
    const world = await openWorld(place, {}, {
      setUp: (io) => socketioAuth(io.of("/admin"), { handshake: true, verify: () => false }),
    });
    const client = await world.connect();
    await client.signIn();
    const admin = client.sibling("/admin", { token: 1 });
    // The client takes no notice of it by itself: it has left already.
    const dismissed = new Promise<void>((resolve) => {
      client.socket.io.engine.on("packet", ({ data }) => {
        if (String(data).startsWith("1/admin")) resolve();
      });
    });
    assertEquals((await refusalOf(admin)).data.code, "authentication_failed");
    await dismissed;
    // What came before that has been handled then.
    world.io.emit("public");
    await client.next("public");
    admin.socket.connect();
    assertEquals((await refusalOf(admin)).data.code, "too_many_attempts");
    assertEquals(client.socket.connected, true);
  });

  it(`go to postAuthenticate as well (${place.name})`, async () => {
    const world = await openWorld(place, {
      handshake: true,
      postAuthenticate: (_socket: unknown, credentials: unknown) =>
        world.log.push("welcome", credentials),
    });
    knock(place, world, RIGHT);
    assertEquals(await world.log.next("welcome"), [RIGHT]);
    assertEquals(world.log.names, ["connection", "welcome"]);
  });

  it(`of a recovered connection must be the same user's (${place.name})`, async () => {
    const world: World = await openWorld(place, {
      handshake: true,
      userId: (user: User) => user.name,
      disconnect: () => world.log.push("gone"),
    }, { server: { connectionStateRecovery: {} } });
    async function comeBack(credentials: object): Promise<Client> {
      const client = knock(place, world, RIGHT);
      await client.next("authenticated");
      await client.next("connect");
      const [socket] = await world.log.next("connection") as [Socket];
      await socket.join("room");
      world.io.emit("first");
      await client.next("first");
      await client.drop();
      await world.log.next("gone");
      world.io.to("room").emit("missed");
      client.socket.auth = { ...credentials };
      client.socket.connect();
      return client;
    }
    const same = await comeBack(RIGHT);
    await same.next("missed");
    assertEquals(same.socket.recovered, true);
    assertEquals(same.received, ["authenticated", "first", "authenticated", "missed"]);
    same.socket.disconnect();

    const other = await comeBack({ username: "grace", password: "right" });
    assertEquals((await refusalOf(other)).data.code, "subject_mismatch");
    assertEquals(other.received, ["authenticated", "first", "connect_error"]);
  });
}
