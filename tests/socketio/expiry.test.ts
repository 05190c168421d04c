import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { engineIsEmpty, openWorld, type User } from "../kit/world.ts";

const DAY = 24 * 3_600_000;

/** A user whose session ends after `ms`, by what the client says. */
function verify(
  _socket: unknown,
  { username = "ada", ms }: { username?: string; ms: number },
) {
  return { name: username, until: Date.now() + ms };
}
const options = {
  verify,
  userId: (user: User) => user.name,
  expiresAt: ({ until }: { until: number }) => until,
};

/** Ends of a session that nobody can mean. */
const nonsense: Record<string, () => unknown> = {
  "that is no time": () => new Date("never"),
  "in seconds": () => Math.floor(Date.now() / 1000) + 60,
  "in fractions of seconds": () => Date.now() / 1000 + 60,
  "in seconds, as a Date": () => new Date(Math.floor(Date.now() / 1000) + 60),
  "that is 0": () => 0,
  "that is 0, as a Date": () => new Date(0),
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
    it(`in the grace traffic flows, and a late refresh goes on from there (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 20_000 });
      const client = await world.connect();
      const [, early] = await client.signIn({ ms: -100 }) as [true, { expiresIn: number }];
      assertEquals(early.expiresIn, 0);
      const [socket] = await world.log.next("connection") as [Socket];
      socket.on("event", (answer: (text: string) => void) => answer("heard"));
      assertEquals(await client.socket.emitWithAck("event"), "heard");
      world.io.emit("public");
      await client.next("public");
      const [, info] = await client.signIn({ ms: 60 * DAY }) as [true, { expiresAt: number }];
      assert(info.expiresAt > Date.now() + 59 * DAY);
      assertEquals(client.received, ["authenticated", "public", "authenticated"]);
    });

    it(`in the grace another user is refused (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 20_000 });
      const client = await world.connect();
      await client.signIn({ username: "ada", ms: -100 });
      client.emit("authentication", { username: "eve", ms: 1000 });
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "subject_mismatch");
      await client.next("disconnect");
    });

    it(`after the grace comes the close, and says so once (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, grace: 150 });
      const client = await world.connect();
      const [, { expiresAt }] = await client.signIn({ ms: 100 }) as [true, { expiresAt: number }];
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assert(Date.now() >= expiresAt + 150);
      assertEquals(refusal.code, "expired");
      await client.next("disconnect");
      assertEquals(client.received, ["authenticated", "unauthorized"]);
    });

    it(`a refresh puts it off (${place.name})`, async () => {
      const world: TimedWorld = await openTimedWorld(place, {
        ...options,
        verify: (_socket, { ms }: { ms: number }) => ({
          name: "ada",
          until: world.clock.now() + ms,
        }),
      });
      const client = await world.connect();
      await client.signIn({ ms: 150 });
      await client.signIn({ ms: 10_000 });
      world.clock.advance(9999);
      const { authenticated, expired } = world.auth.stats();
      assertEquals([authenticated, expired], [1, 0]);
      world.clock.advance(1);
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "expired");
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
