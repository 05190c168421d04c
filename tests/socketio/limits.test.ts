import { assert, assertEquals, describe, it } from "#testing";
import pg from "pg";
import { createClient } from "redis";
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis } from "rate-limiter-flexible";
import type { Socket } from "socket.io";
import type { Limiter, Outcome } from "../../mod.ts";
import { findPostgres, openRedis, randomPrefix, redisIsThere } from "../kit/backends.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type User } from "../kit/world.ts";

const WRONG = { username: "ada", password: "wrong" };
const RIGHT = { username: "ada", password: "right" };
const postgresUrl = await findPostgres();
const withRedis = redisIsThere() ? it : it.skip;
const withPostgres = postgresUrl ? it : it.skip;

async function submit(client: Client, credentials: unknown): Promise<Outcome> {
  return await client.socket.emitWithAck("authentication", credentials);
}

function memory(points = 2): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: 60, keyPrefix: randomPrefix() });
}

async function redis(): Promise<RateLimiterRedis> {
  const storeClient = createClient({ url: await openRedis() });
  await storeClient.connect();
  onDispose(() => storeClient.close());
  return new RateLimiterRedis({
    storeClient,
    useRedisPackage: true,
    points: 2,
    duration: 60,
    keyPrefix: randomPrefix(),
  });
}

async function postgres(): Promise<RateLimiterPostgres> {
  const storeClient = new pg.Pool({ connectionString: postgresUrl!, max: 4 });
  onDispose(() => storeClient.end());
  const tableName = randomPrefix();
  const limiter = await new Promise<RateLimiterPostgres>((resolve, reject) => {
    const options = { storeClient, storeType: "pool", tableName, points: 2, duration: 60 };
    const created = new RateLimiterPostgres(options, (error) => {
      if (error) reject(error);
      else resolve(created);
    });
  });
  onDispose(() => storeClient.query(`DROP TABLE "${tableName}"`));
  return limiter;
}

/** Those of rate-limiter-flexible, where they can be had. */
const limiters = [
  ["memory", it, memory],
  ["Redis", withRedis, redis],
  ["PostgreSQL", withPostgres, postgres],
] as const;

function expectThrottled(outcome: Outcome): void {
  assert(!outcome.ok);
  const { retryAfter, ...rest } = outcome;
  assertEquals(rest, {
    ok: false,
    message: "Too many authentication attempts",
    code: "too_many_attempts",
    reconnect: true,
  });
  assert(Number.isInteger(retryAfter) && retryAfter! > 0 && retryAfter! <= 60_000);
}

describe("throttle", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, test, create] of limiters) {
      test(`counts failures over all connections of an address, ${name} (${place.name})`, async () => {
        let asked = 0;
        const world = await openWorld(place, {
          throttle: { limiter: await create(), ...place.engine === "bun-engine" && here },
          verify: (_socket: unknown, given: typeof RIGHT) => {
            asked++;
            return given.password === "right" && { name: "ada" };
          },
        });
        // A success costs nothing.
        for (let i = 0; i < 4; i++) {
          const client = await world.connect();
          assertEquals((await submit(client, RIGHT)).ok, true);
        }
        for (let i = 0; i < 2; i++) {
          const outcome = await submit(await world.connect(), WRONG);
          assertEquals(!outcome.ok && outcome.code, "authentication_failed");
        }
        const last = await world.connect();
        expectThrottled(await submit(last, RIGHT));
        await last.next("unauthorized");
        assertEquals([asked, world.errors], [6, []]);
      });
    }

    for (const [name, test, create] of limiters) {
      test(`lets a burst of right ones in, and of wrong ones no more than there are points, ${name} (${place.name})`, async () => {
        let asked = 0;
        const world = await openWorld(place, {
          throttle: { limiter: await create(), ...place.engine === "bun-engine" && here },
          verify: async (_socket: unknown, given: typeof RIGHT) => {
            asked++;
            await Promise.resolve();
            return given.password === "right" && { name: "ada" };
          },
        });
        const burst = async (credentials: unknown) => {
          const clients = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
          return await Promise.all(clients.map((client) => submit(client, credentials)));
        };
        assertEquals((await burst(RIGHT)).map(({ ok }) => ok), Array(8).fill(true));
        asked = 0;
        const codes = (await burst(WRONG)).map((outcome) => !outcome.ok && outcome.code).sort();
        assertEquals(asked, 2);
        assertEquals(codes, [
          ...Array(2).fill("authentication_failed"),
          ...Array(6).fill("too_many_attempts"),
        ]);
        assertEquals(world.errors, []);
      });
    }

    it(`counts whatever it is told to, several keys if need be (${place.name})`, async () => {
      const keys: string[] = [];
      const limiter: Limiter = {
        async consume(key) {
          await Promise.resolve();
          if (keys.filter((other) => other === key).length >= 2) throw { msBeforeNext: 1500.2 };
          keys.push(key);
        },
      };
      const world = await openWorld(place, {
        throttle: {
          limiter,
          key: (socket: Socket, { username }: typeof RIGHT) => [
            `user:${username}`,
            ...username === "root" ? [`from:${socket.nsp.name}`] : [],
          ],
        },
      });
      for (let i = 0; i < 2; i++) await submit(await world.connect(), WRONG);
      const outcome = await submit(await world.connect(), WRONG);
      assertEquals(!outcome.ok && outcome.retryAfter, 1501);
      await submit(await world.connect(), { ...WRONG, username: "root" });
      assertEquals(keys, ["user:ada", "user:ada", "user:root", "from:/"]);
    });

    it(`several throttles each have to agree (${place.name})`, async () => {
      const asked: string[] = [];
      const limiter = (name: string, rejection?: object): Limiter => ({
        async consume(key) {
          asked.push(`${name} ${key}`);
          await (rejection ? Promise.reject(rejection) : undefined);
        },
      });
      const world = await openWorld(place, {
        throttle: [
          { limiter: limiter("a"), key: () => "1" },
          { limiter: limiter("b", { msBeforeNext: 5 }), key: () => "2" },
          { limiter: limiter("c"), key: () => "3" },
        ],
      });
      const outcome = await submit(await world.connect(), RIGHT);
      assertEquals([!outcome.ok && outcome.code, asked], ["too_many_attempts", ["a 1", "b 2"]]);
    });

    it(`no key at all is no limit (${place.name})`, async () => {
      const limiter = { consume: () => Promise.reject({ msBeforeNext: 1 }) };
      const world = await openWorld(place, { throttle: { limiter, key: () => [] } });
      assertEquals((await submit(await world.connect(), RIGHT)).ok, true);
    });

    const failures: Record<string, Limiter> = {
      "rejects with an error": { consume: () => Promise.reject(new Error("down")) },
      "rejects with nothing": { consume: () => Promise.reject() },
      "throws": {
        consume() {
          throw new Error("down");
        },
      },
      "is no promise and no verdict": { consume: () => Promise.reject({ points: 1 }) },
    };
    for (const [how, limiter] of Object.entries(failures)) {
      it(`a limiter that ${how} does not open the door (${place.name})`, async () => {
        const world = await openWorld(place, {
          throttle: { limiter, key: () => "key" },
          verify: () => world.log.push("asked") ?? true,
        });
        const outcome = await submit(await world.connect(), RIGHT);
        assertEquals(!outcome.ok && outcome.code, "server_error");
        assertEquals(world.errors.map(({ context }) => context.during), ["throttle"]);
        assertEquals(world.log.names.includes("asked"), false);
      });
    }

    it(`a limiter that does not answer runs into the deadline (${place.name})`, async () => {
      const answer = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        timeout: 1000,
        throttle: { limiter: { consume: () => answer.promise }, key: () => "key" },
        verify: () => world.log.push("asked") ?? true,
      });
      const client = await world.connect();
      const outcome = await submit(client, RIGHT);
      assertEquals(!outcome.ok && outcome.code, "timeout");
      answer.resolve();
      await client.next("disconnect");
      await world.connect();
      assertEquals(world.log.names.includes("asked"), false);
    });

    it(`a key that is none, or throws, does not open the door (${place.name})`, async () => {
      const keys: (() => string | string[] | undefined)[] = [
        () => undefined,
        () => "",
        () => ["a", 5 as never],
        () => {
          throw new Error("broken");
        },
      ];
      for (const key of keys) {
        const world = await openWorld(place, { throttle: { limiter: memory(), key } });
        const outcome = await submit(await world.connect(), RIGHT);
        assertEquals(!outcome.ok && outcome.code, "server_error");
        assertEquals(world.errors[0]!.context.during, "throttle");
      }
    });

    it(`points that cannot be given back are reported, nothing more (${place.name})`, async () => {
      const limiter = {
        consume: () => Promise.resolve(),
        reward: () => Promise.reject(new Error("down")),
      };
      const world = await openWorld(place, {
        userId: ({ name }: User) => name,
        throttle: { limiter, key: () => "key" },
      });
      const client = await world.connect();
      await client.signIn();
      await client.socket.emitWithAck("authentication", RIGHT);
      assertEquals(world.errors.map(({ context }) => context.during), ["throttle", "throttle"]);
    });

    it(`is asked for refreshes and handshakes too (${place.name})`, async () => {
      const world = await openWorld(place, {
        handshake: true,
        userId: ({ name }: User) => name,
        throttle: { limiter: { consume: memory(1).consume.bind(memory(1)) }, key: () => "key" },
      });
      const client = openClient(place, world.url, { auth: { ...RIGHT } });
      await client.next("authenticated");
      const refused = openClient(place, world.url, { auth: { ...RIGHT } });
      const [{ data }] = await refused.next("connect_error") as [{ data: Outcome & { ok: false } }];
      assertEquals([data.code, data.reconnect], ["too_many_attempts", true]);
      assert(data.retryAfter! > 0);
      // The session has points of its own.
      assertEquals((await submit(client, RIGHT)).ok, true);
      const told = await submit(client, RIGHT);
      assert(!told.ok && told.kept && told.retryAfter! > 0);
      assertEquals([told.code, told.reconnect], ["too_many_attempts", false]);
      assertEquals(client.socket.connected, true);
    });
  }
});

const here = { key: () => "127.0.0.1" };
