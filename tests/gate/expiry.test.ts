import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, type User, type World } from "../kit/world.ts";

const DAY = 24 * 3_600_000;

/** A user whose session ends after `ms`, by what the client says. */
function authenticate(
  _socket: unknown,
  { username = "ada", ms }: { username?: string; ms: number },
) {
  return { name: username, until: Date.now() + ms };
}
const options = {
  authenticate,
  userId: (user: User) => user.name,
  expiresAt: ({ until }: { until: number }) => until,
};

/** Signs in for a moment, joins "room", and waits until the session is over. */
async function expire(world: World): Promise<{ client: Client; socket: Socket }> {
  const client = await world.connect();
  const [socket] = await world.log.next("connection") as [Socket];
  await client.signIn({ ms: 150 });
  await socket.join("room");
  await client.next("unauthorized");
  return { client, socket };
}

/** Ends of a session that nobody can mean. */
const nonsense: Record<string, () => unknown> = {
  "that is no time": () => new Date("never"),
  "in seconds": () => Math.floor(Date.now() / 1000) + 60,
  "in fractions of seconds": () => Date.now() / 1000 + 60,
  "in seconds, as a Date": () => new Date(Math.floor(Date.now() / 1000) + 60),
  "in text": () => new Date().toISOString(),
};

describe("expiry", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`ends the connection, with the reason (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const client = await world.connect();
      const [, { expiresAt }] = await client.signIn({ ms: 200 }) as [true, { expiresAt: number }];
      const [refusal] = await client.next("unauthorized") as [{ code: string; reconnect: boolean }];
      assert(Date.now() >= expiresAt);
      assertEquals([refusal.code, refusal.reconnect], ["expired", true]);
      await client.next("disconnect");
      await engineIsEmpty(world.io);
    });
  }

  for (const place of engineOnly) {
    it(`in the grace the gate is shut, and the same user comes back (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 20_000 });
      const { client, socket } = await expire(world);
      assertEquals(world.auth.session(socket), undefined);
      socket.on("event", () => world.log.push("event"));
      client.emit("event");
      world.io.to("room").emit("secret");
      assertEquals((await world.io.fetchSockets()).length, 0);
      const [, info] = await client.signIn({ ms: 60 * DAY }) as [true, { expiresAt: number }];
      await world.log.next("event");
      assert(info.expiresAt > Date.now() + 59 * DAY);
      world.io.to("room").emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated", "public"]);
    });

    it(`in the grace another user does not (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 20_000 });
      const { client } = await expire(world);
      client.emit("authentication", { username: "eve", ms: 1000 });
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "subject_mismatch");
      await client.next("disconnect");
    });

    it(`after the grace comes the close (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 150 });
      const { client } = await expire(world);
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "expired");
      await client.next("disconnect");
    });

    it(`a refresh puts it off (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const client = await world.connect();
      await client.signIn({ ms: 150 });
      await client.signIn({ ms: 60 * DAY });
      const short = await world.connect();
      await short.signIn({ ms: 200 });
      await short.next("disconnect");
      assertEquals(client.socket.connected, true);
    });

    it(`a session that is over on arrival is refused (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const client = await world.connect();
      client.emit("authentication", { ms: -1 });
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals([refusal.code, client.received], ["expired", ["unauthorized"]]);
    });

    for (const [name, expiresAt] of Object.entries(nonsense)) {
      it(`an end ${name} is a server error, and reported (${place.name})`, async () => {
        const world = await openWorld(place, { ...options, expiresAt: expiresAt as () => number });
        const client = await world.connect();
        client.emit("authentication", { ms: 1 });
        const [refusal] = await client.next("unauthorized") as [{ code: string }];
        assertEquals(refusal.code, "server_error");
        assertEquals(world.errors.map(({ context }) => context.during), ["session"]);
      });
    }
  }
});
