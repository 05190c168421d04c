import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { AuthEvent, Stats } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

const none: Stats = {
  pending: 0,
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
    assertEquals(world.auth.stats(), { ...none, pending: 1 });
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
    const { world, story, gone } = await open({ timeout: 150 });
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
