// What a refresh may cost, and what it finds if it brings nothing.
import { assert, assertEquals, describe, it } from "#testing";
import { AuthError, type Options, type Outcome, type StandardSchema } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, type Place, places } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";

// deno-lint-ignore no-explicit-any -- tests use the options as the application would
type AnyOptions = Options<any, any, any>;

const HOUR = 3_600_000;

/** What a verifier does with the credentials of a refresh, and what they are answered with. */
const kept: Record<string, [options: object, told: string]> = {
  "a verifier that throws": [{
    verify: () => {
      throw new Error("no connection to the key server");
    },
  }, "server_error"],
  "a verifier that says that it has looked at nothing": [{
    verify: () => Promise.reject(new AuthError("Later", { code: "server_error", retryAfter: 9 })),
  }, "server_error"],
  "a user that is none": [{ verify: () => [] }, "server_error"],
  "an id that is none": [{ userId: () => ({}) }, "server_error"],
  "a reply that throws": [{
    reply: () => {
      throw new Error("no greeting");
    },
  }, "server_error"],
  "a schema that throws": [{
    credentials: schemaOf(() => {
      throw new Error("no schema");
    }),
  }, "server_error"],
  "a throttle without a point": [{
    throttle: { limiter: { consume: () => Promise.reject({ msBeforeNext: 7 }) }, key: () => "a" },
  }, "too_many_attempts"],
  "a throttle that fails": [{
    throttle: { limiter: { consume: () => Promise.reject(new Error("down")) }, key: () => "a" },
  }, "server_error"],
  "a token that has expired": [{ expiresAt: () => 1 }, "expired"],
  "a verifier that says that it has expired": [{
    verify: () => Promise.reject(new AuthError("Too late", { code: "expired" })),
  }, "expired"],
};

/** What ends the session at once. */
const ends: Record<string, [options: object, told: string]> = {
  "a verifier that says no": [{ verify: () => false }, "authentication_failed"],
  "an AuthError": [{
    verify: () => Promise.reject(new AuthError("Locked", { code: "locked", reconnect: true })),
  }, "locked"],
  "an AuthError that looks like an overload": [{
    verify: () => Promise.reject(new AuthError("", { code: "too_many_attempts" })),
  }, "too_many_attempts"],
  "a schema that says no": [{
    credentials: schemaOf(() => ({ issues: [{ message: "no" }] })),
  }, "invalid_credentials"],
  "another user": [{ verify: () => ({ id: "eve" }) }, "subject_mismatch"],
};

function schemaOf(validate: (value: unknown) => unknown): StandardSchema<unknown> {
  return { "~standard": { version: 1, vendor: "test", validate } } as StandardSchema<unknown>;
}

/** Options that are others from the first sign-in on. */
function changing(later: Record<string, unknown>): { options: AnyOptions; change(): void } {
  let isLater = false;
  const usual: Record<string, unknown> = {
    verify: () => ({ id: "ada" }),
    userId: ({ id }: { id: string }) => id,
    expiresAt: () => 1_000_000 + HOUR,
    reply: () => true,
  };
  const options: Record<string, unknown> = {};
  for (const name of Object.keys({ ...usual, ...later })) {
    if (name === "throttle") {
      const { limiter } = later[name] as { limiter: { consume(): unknown } };
      options[name] = {
        limiter: { consume: async () => isLater ? await limiter.consume() : {} },
        key: () => "key",
      };
    } else if (name === "credentials") {
      const { validate } = (later[name] as StandardSchema<unknown>)["~standard"];
      options[name] = schemaOf((value) => isLater ? validate(value) : { value });
    } else {
      options[name] = (...args: unknown[]) =>
        ((isLater && later[name] || usual[name]) as (...args: unknown[]) => unknown)(...args);
    }
  }
  return { options: options as unknown as AnyOptions, change: () => void (isLater = true) };
}

async function signedIn(
  place: Place,
  later: object,
): Promise<{ world: TimedWorld; client: Client; refresh(): Promise<Outcome> }> {
  const { options, change } = changing(later as Record<string, unknown>);
  const world = await openTimedWorld(place, options);
  const client = await world.connect();
  await client.signIn();
  change();
  return {
    world,
    client,
    refresh: () => client.socket.emitWithAck("authentication", { token: 2 }),
  };
}

describe("a refresh", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [what, [later, code]] of Object.entries(kept)) {
      it(`with ${what} is answered, and the session goes on (${place.name})`, async () => {
        const { world, client, refresh } = await signedIn(place, later);
        const before = world.auth.stats();
        for (let i = 0; i < 3; i++) {
          const told = await refresh();
          assert(!told.ok);
          assertEquals([told.code, told.reconnect, told.kept], [code, false, true]);
          if (code === "too_many_attempts") assertEquals(told.retryAfter, 7);
          if (/looked/.test(what)) assertEquals([told.message, told.retryAfter], ["Later", 9]);
        }
        // It reaches the client as ever, until its own end.
        world.io.emit("news");
        await client.next("news");
        assertEquals(client.received, ["authenticated", "news"]);
        assertEquals(world.auth.stats(), { ...before, refused: 3 });
        world.clock.advance(HOUR);
        await client.next("disconnect");
        const [reason] = client.events.all.findLast(([event]) => event === "unauthorized")!.slice(
          1,
        );
        assertEquals((reason as { code: string }).code, "expired");
      });
    }

    for (const [what, [later, code]] of Object.entries(ends)) {
      it(`with ${what} ends the session at once (${place.name})`, async () => {
        const { client, refresh } = await signedIn(place, later);
        const told = await refresh();
        assert(!told.ok && !told.kept);
        assertEquals(told.code, code);
        // The clock stands still.
        await client.next("disconnect");
        assertEquals(client.received, ["authenticated", "unauthorized"]);
      });
    }

    it(`does not put off the end of the session while it is verified (${place.name})`, async () => {
      const log = new EventQueue();
      const { world, client, refresh } = await signedIn(place, {
        verify: () => new Promise(() => log.push("asked")),
      });
      const told = refresh();
      await log.next("asked");
      world.clock.advance(30_000);
      assertEquals((await told as { code: string }).code, "timeout");
      world.clock.advance(HOUR - 60_000);
      const again = refresh();
      await log.next("asked");
      world.clock.advance(30_000);
      assertEquals((await again as { code: string }).code, "expired");
      await client.next("disconnect");
    });

    it(`may be a smaller session: its end counts (${place.name})`, async () => {
      const { world, client, refresh } = await signedIn(place, { expiresAt: () => 1_000_500 });
      assert((await refresh()).ok);
      world.clock.advance(500);
      await client.next("disconnect");
    });
  }
});

describe("credentials that the transport brought", () => {
  disposeAfterEach();

  const cookies: Record<string, string> = { "sid=1": "ada", "sid=2": "eve" };
  const sessions = new Set(Object.keys(cookies));

  /** Sessions by cookie. */
  async function open(place: Place, more: object = {}): Promise<TimedWorld> {
    return await openTimedWorld(place, {
      handshake: ({ headers }: { headers: Record<string, string> }) => headers.cookie,
      verify: (_socket: unknown, cookie: string) =>
        sessions.has(cookie) ? { id: cookies[cookie] ?? cookie } : undefined,
      expiresAt: () => Date.now() + HOUR,
      ...more,
    } as unknown as AnyOptions);
  }

  async function enter(place: Place, world: TimedWorld, cookie?: string): Promise<Client> {
    const client = openClient(place, world.url, cookie ? { headers: { cookie } } : {});
    await client.next("connect");
    return client;
  }

  const ask = (client: Client, ...credentials: unknown[]): Promise<Outcome> =>
    client.socket.emitWithAck("authentication", ...credentials);

  for (const place of places) {
    it(`are those of an event without any (${place.name})`, async () => {
      const world = await open(place);
      const client = await enter(place, world, "sid=1");
      await client.next("authenticated");
      for (const given of [[], [null], [undefined], [{}]]) {
        assertEquals((await ask(client, ...given)).ok, true);
        await client.next("authenticated");
      }
      sessions.delete("sid=1");
      const told = await ask(client);
      sessions.add("sid=1");
      assertEquals(told.ok ? told : [told.code, told.kept], ["authentication_failed", undefined]);
      await client.next("disconnect");
    });
  }

  for (const place of engineOnly) {
    it(`are none where there is no cookie: refused at once (${place.name})`, async () => {
      const world = await open(place);
      const client = await enter(place, world);
      const told = await ask(client, null);
      assertEquals(told.ok ? told : [told.code, told.reconnect], ["authentication_failed", false]);
      assertEquals(world.errors, []);
    });

    it(`are those of before after a sign-out, and count no more (${place.name})`, async () => {
      const world = await open(place);
      const client = await enter(place, world, "sid=1");
      const [socket] = await world.log.next("connection");
      const connected = client.next("connect");
      world.auth.deauthenticate(socket as object);
      await connected;
      const told = await ask(client);
      assertEquals(told.ok ? told : told.code, "authentication_failed");
    });

    it(`give way to the client's own (${place.name})`, async () => {
      sessions.add("own");
      const world = await open(place);
      const client = await enter(place, world);
      assertEquals((await ask(client, "own")).ok, true);
    });

    it(`give way to {} where a schema takes it, and only there (${place.name})`, async () => {
      for (const takesNothing of [true, false]) {
        const seen: unknown[] = [];
        const world = await open(place, {
          credentials: schemaOf((value) =>
            takesNothing || typeof value === "string" ? { value } : { issues: [{ message: "no" }] }
          ),
          verify: (_socket: unknown, given: unknown) => (seen.push(given), { id: "ada" }),
        });
        const client = await enter(place, world, "sid=1");
        await client.next("authenticated");
        await ask(client, {});
        await ask(client, null);
        assertEquals(seen, ["sid=1", takesNothing ? {} : "sid=1", "sid=1"]);
      }
    });

    it(`that cannot be found leave the session as it is (${place.name})`, async () => {
      let isBroken = false;
      const world = await open(place, {
        handshake: () => {
          if (isBroken) throw new Error("cookie parser");
          return "sid=1";
        },
      });
      const client = await enter(place, world);
      await client.next("authenticated");
      isBroken = true;
      const told = await ask(client);
      assertEquals(told.ok ? told : [told.code, told.kept], ["server_error", true]);
      assertEquals(world.errors.map(({ context }) => context.during), ["handshake"]);
    });

    it(`that throw when they are looked at lead to a clear answer (${place.name})`, async () => {
      const world = await open(place, {
        handshake: () => ({
          toJSON() {
            throw new Error("a getter");
          },
        }),
      });
      const knocking = openClient(place, world.url);
      const [error] = await knocking.next("connect_error") as [Error & { data: { code: string } }];
      assertEquals(error.data.code, "server_error");
      assertEquals(world.errors.map(({ context }) => context.during), ["handshake"]);
    });

    it(`give way to a list, which is something (${place.name})`, async () => {
      const seen: unknown[] = [];
      const world = await open(place, {
        verify: (_socket: unknown, given: unknown) => (seen.push(given), { id: "ada" }),
      });
      const client = await enter(place, world, "sid=1");
      await client.next("authenticated");
      for (const given of [[], new Uint8Array(0)]) await ask(client, given);
      assertEquals(seen.slice(1).map((given) => typeof given), ["object", "object"]);
    });

    it(`are left alone where handshake is no function (${place.name})`, async () => {
      for (const handshake of [true, false]) {
        const seen: unknown[] = [];
        const world = await open(place, {
          handshake,
          verify: (_socket: unknown, given: unknown) => (seen.push(given), { id: "ada" }),
        });
        const client = await enter(place, world, "sid=1");
        for (const given of [[], [null], [{}]]) await ask(client, ...given);
        assertEquals(seen, [undefined, null, {}]);
      }
    });
  }
});
