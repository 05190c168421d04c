import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { AcceptedEvent, AuthEvent, RefusedEvent, Stats, VerifyContext } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

const none: Stats = {
  pending: 0,
  pendingConnections: 0,
  authenticated: 0,
  accepted: 0,
  refused: 0,
  timedOut: 0,
  expired: 0,
  revoked: 0,
  cut: 0,
  held: 0,
};

interface Observed {
  readonly world: World;
  readonly events: AuthEvent[];
  /** The types of all events, with the code where they have one. */
  story(): string[];
  /** Resolves once as many sockets have been disconnected. */
  gone(count: number): Promise<void>;
}

async function open(options: object = {}): Promise<Observed> {
  const events: AuthEvent[] = [];
  const world: World = await openWorld(engineOnly[0]!, {
    userId: (user: User) => user.name,
    observe(event: AuthEvent) {
      events.push(event);
      world.log.push(event.type);
    },
    ...options,
  });
  return {
    world,
    events,
    story: () => events.map((e) => "code" in e ? `${e.type} ${e.code}` : e.type),
    async gone(count) {
      for (let i = 0; i < count; i++) await world.log.next("disconnected");
    },
  };
}

describe("observe and stats", () => {
  disposeAfterEach();

  it("tell of a sign-in, a refresh and a farewell", async () => {
    const { world, events, story, gone } = await open();
    const client = await world.connect();
    assertEquals(world.auth.stats(), { ...none, pending: 1, pendingConnections: 1 });
    await client.signIn();
    await client.signIn();
    assertEquals(world.auth.stats(), { ...none, authenticated: 1, accepted: 2 });
    client.socket.disconnect();
    await gone(1);
    assertEquals(world.auth.stats(), { ...none, accepted: 2 });
    assertEquals(story(), [
      ...["pending", "attempt", "authenticated", "attempt", "refreshed", "disconnected"],
    ]);
    const { id } = client.socket.io.engine;
    assert(id !== undefined);
    for (const event of events) {
      assertEquals([event.namespace, typeof event.socketId], ["/", "string"]);
      if (event.type !== "pending") assert(event.duration >= 0);
      if (event.type === "authenticated") assertEquals(event.userId, "ada");
      if (event.type === "disconnected") {
        assertEquals([event.userId, event.reason], ["ada", "client namespace disconnect"]);
      }
    }
  });

  it("tell of refusals, and of those who say nothing", async () => {
    const { world, story, gone } = await open({ timeout: 1500 });
    const [guesser] = [await world.connect(), await world.connect()];
    guesser!.emit("authentication", { username: "ada", password: "wrong" });
    await gone(2);
    assertEquals(world.auth.stats(), { ...none, refused: 1, timedOut: 1 });
    assertEquals(story().filter((line) => line !== "pending"), [
      "attempt authentication_failed",
      "unauthorized authentication_failed",
      "disconnected",
      "unauthorized timeout",
      "disconnected",
    ]);
  });

  it("tell how a session ends", async () => {
    const { world, story, gone } = await open({
      grace: 100,
      expiresAt: ({ name }: User) => name === "mortal" ? Date.now() + 100 : undefined,
    });
    const mortal = await world.connect();
    await mortal.signIn({ username: "mortal", password: "right" });
    await gone(1);
    assertEquals(story().slice(3), ["expired", "disconnected"]);
    const before = story().length;
    const client = await world.connect();
    await client.signIn();
    const [socket] = [...world.io.of("/").sockets.values()] as [Socket];
    const connected = client.next("connect");
    world.auth.deauthenticate(socket);
    await connected;
    assertEquals(world.auth.stats().pending, 1);
    await client.signIn();
    await world.auth.revoke({ userId: "ada" });
    await gone(2);
    assertEquals(story().slice(before), [
      ...["pending", "attempt", "authenticated", "signed_out", "disconnected"],
      ...["pending", "attempt", "authenticated", "revoked", "disconnected"],
    ]);
    assertEquals(world.auth.stats(), { ...none, accepted: 3, expired: 1, revoked: 1 });
  });

  it("tell of handshakes, whose sockets are never connected if refused", async () => {
    const { world, story, gone } = await open({ handshake: true });
    const knock = (password: string) =>
      openClient(engineOnly[0]!, world.url, { auth: { username: "ada", password } });
    await knock("wrong").next("connect_error");
    const client = knock("right");
    await client.next("authenticated");
    client.socket.disconnect();
    await gone(1);
    assertEquals(story(), [
      "attempt authentication_failed",
      "unauthorized authentication_failed",
      "attempt",
      "authenticated",
      "disconnected",
    ]);
    assertEquals(world.auth.stats(), { ...none, accepted: 1, refused: 1 });
  });

  it("count the sockets of all namespaces", async () => {
    const { world, story } = await open();
    world.io.of("/other");
    const client = await world.connect();
    const other = client.sibling("/other");
    await other.next("connect");
    assertEquals(world.auth.stats().pending, 2);
    await client.signIn();
    await other.next("authenticated");
    assertEquals(world.auth.stats(), { ...none, authenticated: 2, accepted: 1 });
    assertEquals(story().filter((type) => type === "authenticated").length, 2);
  });

  it("have the address that the application says, or the runtime", async () => {
    for (const address of [undefined, () => "203.0.113.9"]) {
      const { world, events } = await open(address && { address });
      await world.connect();
      const [{ address: seen }] = events as [AuthEvent];
      if (address) assertEquals(seen, "203.0.113.9");
      // Not every engine tells.
      else assert(seen === undefined || /127\.0\.0\.1|::1/.test(seen));
    }
  });

  it("an observer that throws or rejects is reported, and disturbs nothing", async () => {
    for (
      const observe of [
        () => {
          throw new Error("broken");
        },
        () => Promise.reject(new Error("broken")),
      ]
    ) {
      const world = await openWorld(engineOnly[0]!, { observe });
      const client = await world.connect();
      await client.signIn();
      assertEquals(world.errors.map(({ context }) => context.during), [
        ...["observe", "observe", "observe"],
      ]);
    }
  });

  it("an address function that throws costs the event, nothing else", async () => {
    const { world, events } = await open({
      address() {
        throw new Error("broken");
      },
    });
    const client = await world.connect();
    await client.signIn();
    assertEquals([events.length, world.errors[0]!.context.during], [0, "observe"]);
  });

  it("no event has credentials in it", async () => {
    const { world, events } = await open({ handshake: true });
    const secret = "correct horse battery staple";
    for (const password of [secret, "right"]) {
      const client = openClient(engineOnly[0]!, world.url, {
        auth: { username: "ada", password, secret },
      });
      await Promise.race([client.next("connect_error"), client.next("authenticated")]);
    }
    const client = await world.connect();
    client.emit("authentication", { username: "ada", password: secret });
    await client.next("unauthorized");
    assert(events.length > 5);
    assertEquals(JSON.stringify(events).includes(secret), false);
  });
});

/** The attempts that were observed, in order. */
function attemptsOf({ events }: { events: AuthEvent[] }): (AcceptedEvent | RefusedEvent)[] {
  return events.filter((event) => event.type === "attempt");
}

describe("an attempt whose client has left", () => {
  disposeAfterEach();

  const leaving: Record<string, (client: Client, socket: Socket) => unknown> = {
    "by disconnecting": ({ socket }) => socket.disconnect(),
    "by a bad network": ({ socket }) => socket.io.engine.close(),
    "by the server": (_client, socket) => socket.disconnect(),
  };

  for (const [name, leave] of Object.entries(leaving)) {
    it(`is observed once, and nobody is told anything, ${name}`, async () => {
      const answer = Promise.withResolvers<User>();
      const { world, story, gone } = await open({
        connection: "connected",
        attempts: 2,
        verify: () => (world.log.push("asked"), answer.promise),
      });
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      client.emit("authentication", {});
      await world.log.next("asked");
      leave(client, socket);
      await gone(1);
      answer.resolve({ name: "ada" });
      await (await world.connect()).signIn();
      assertEquals(story().slice(0, 3), ["pending", "attempt abandoned", "disconnected"]);
      assertEquals(story().slice(3), ["pending", "attempt", "authenticated"]);
      assertEquals(world.auth.stats(), { ...none, authenticated: 1, accepted: 1, refused: 1 });
      assertEquals(world.errors, []);
    });
  }

  it("is observed once, also if it came with a handshake", async () => {
    const { world, story } = await open({
      handshake: true,
      verify: () => new Promise(() => world.log.push("asked")),
    });
    const client = openClient(engineOnly[0]!, world.url, { auth: { token: 1 } });
    await world.log.next("asked");
    client.socket.io.engine.close();
    await world.log.next("attempt");
    await world.connect();
    assertEquals(story(), ["attempt abandoned", "pending"]);
    assertEquals(world.auth.stats(), { ...none, pending: 1, pendingConnections: 1, refused: 1 });
  });

  it("is observed as abandoned, and costs the other sockets nothing", async () => {
    const { world, events, gone } = await open({
      verify: () => new Promise(() => world.log.push("asked")),
    });
    world.io.of("/other");
    const client = await world.connect();
    const other = client.sibling("/other");
    await other.next("connect");
    client.emit("authentication", {});
    await world.log.next("asked");
    client.socket.disconnect();
    await gone(1);
    const told = (path: string) =>
      events.filter(({ namespace }) => namespace === path)
        .map((event) => "code" in event ? `${event.type} ${event.code}` : event.type);
    assertEquals(told("/"), ["pending", "attempt abandoned", "disconnected"]);
    assertEquals([told("/other"), other.received], [["pending"], []]);
    assertEquals(world.auth.stats(), { ...none, pending: 1, pendingConnections: 1, refused: 1 });
  });

  it("is observed with the time that it has taken", async () => {
    const world: TimedWorld = await openTimedWorld(engineOnly[0]!, {
      verify: () => new Promise(() => world.log.push("asked")),
    });
    const client = await world.connect();
    client.emit("authentication", {});
    await world.log.next("asked");
    world.clock.block(30);
    client.socket.disconnect();
    await world.log.next("disconnected");
    const [{ duration, verification }] = attemptsOf(world) as [RefusedEvent];
    assertEquals([duration, verification], [30, 30]);
  });
});

describe("the times of an attempt", () => {
  disposeAfterEach();

  /** A limiter and a verifier that take their time, and a client that does before it answers. */
  function taking(world: () => TimedWorld, options: object = {}) {
    const take = (ms: number) => world().clock.block(ms);
    return {
      timeout: "none" as const,
      throttle: {
        limiter: { consume: () => Promise.resolve(take(1000)) },
        key: () => "key",
      },
      async verify(_socket: unknown, given: unknown, { challenge }: VerifyContext) {
        take(1);
        for (let i = 0; i < 2; i++) await challenge("code?");
        take(2);
        return given === "right" && { id: "ada" };
      },
      ...options,
    };
  }

  function answerLate(client: Client, { clock }: TimedWorld): void {
    client.socket.on("challenge", (_question, answer) => {
      clock.block(100);
      answer("code");
    });
  }

  it("are from its arrival, and of the verifier without throttle and challenges", async () => {
    const world: TimedWorld = await openTimedWorld(engineOnly[0]!, taking(() => world));
    const client = await world.connect();
    answerLate(client, world);
    await client.signIn("right");
    await client.signIn("right");
    client.emit("authentication", "wrong");
    await client.next("disconnect");
    const times = attemptsOf(world).map(({ duration, verification }) => [duration, verification]);
    assertEquals(times, [[1203, 3], [1203, 3], [1203, 3]]);
  });

  it("are the same for a handshake", async () => {
    const world: TimedWorld = await openTimedWorld(
      engineOnly[0]!,
      taking(() => world, {
        handshake: ({ auth }: { auth: { token?: string } }) => auth.token,
      }),
    );
    const client = openClient(engineOnly[0]!, world.url, { auth: { token: "right" } });
    answerLate(client, world);
    await client.next("authenticated");
    const [{ duration, verification }] = attemptsOf(world) as [AcceptedEvent];
    assertEquals([duration, verification], [1203, 3]);
  });

  it("have nothing of the verifier where it was not asked", async () => {
    const limiter = { consume: () => Promise.reject({ msBeforeNext: 1000 }) };
    const schema = {
      validate: () => ({ issues: [{ message: "no" }] }),
      version: 1,
      vendor: "test",
    };
    const policies: [options: object, code: string, given: string][] = [
      [{ throttle: { limiter, key: () => "key" } }, "too_many_attempts", "right"],
      [{ credentials: { "~standard": schema } }, "invalid_credentials", "right"],
      [{}, "invalid_credentials", "right".repeat(10_000)],
    ];
    for (const [options, code, given] of policies) {
      const world: TimedWorld = await openTimedWorld(engineOnly[0]!, taking(() => world, options));
      const client = await world.connect();
      client.emit("authentication", given);
      await client.next("unauthorized");
      const [attempt] = attemptsOf(world) as [RefusedEvent];
      assertEquals([attempt.code, attempt.duration], [code, 0]);
      assert(!("verification" in attempt));
    }
  });

  it("have what the verifier has taken until the deadline", async () => {
    const world: TimedWorld = await openTimedWorld(engineOnly[0]!, {
      verify: () => new Promise(() => world.log.push("asked")),
      throttle: {
        limiter: { consume: () => Promise.resolve(world.clock.block(400)) },
        key: () => "key",
      },
    });
    const client = await world.connect();
    client.emit("authentication", {});
    await world.log.next("asked");
    world.clock.advance(600);
    await client.next("disconnect");
    const [{ code, duration, verification }] = attemptsOf(world) as [RefusedEvent];
    assertEquals([code, duration, verification], ["timeout", 1000, 600]);
  });
});
