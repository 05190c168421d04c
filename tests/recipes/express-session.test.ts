import { env } from "node:process";
import { assert, assertEquals, describe, it } from "#testing";
import { createClient } from "redis";
import "./secrets.ts";
import { start } from "../../examples/recipes/express-session.ts";
import { openRedis, redisIsThere } from "../kit/backends.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { ask, Browser, codeOf, open, refusalOf } from "./kit.ts";

const ADA = { username: "ada", password: "lovelace" };

/** Starts the recipe over a Redis. */
async function openSite(): Promise<string> {
  env.REDIS_URL = await openRedis();
  onDispose(() => delete env.REDIS_URL);
  return await open(await start(0));
}

async function logIn(url: string): Promise<Browser> {
  const browser = new Browser(url);
  assertEquals((await browser.request("POST", "/login", ADA)).status, 204);
  return browser;
}

/** The Redis that the recipe uses, and the key of a session in there. */
async function inRedis(browser: Browser) {
  const redis = createClient({ url: env.REDIS_URL! });
  await redis.connect();
  onDispose(() => redis.destroy());
  const [, id] = /^s%3A(.*?)\./.exec(browser.cookies.get("connect.sid")!)!;
  return { redis, key: `sess:${id}` };
}

const withRedis = redisIsThere() ? it : it.skip;

describe("the recipe of express-session", () => {
  disposeAfterEach();

  withRedis("signs in with the cookie of the login, and refreshes with it", async () => {
    const client = await (await logIn(await openSite())).connect();
    await client.next("authenticated");
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
  });

  withRedis("refuses visitors, wrong passwords and forged cookies", async () => {
    const browser = new Browser(await openSite());
    assertEquals((await browser.request("POST", "/login", { username: "ada" })).status, 401);
    const visitor = await browser.connect();
    visitor.emit("authentication", {});
    assertEquals(await codeOf(visitor), "authentication_failed");
    const cookie = (await logIn(browser.url)).cookies.get("connect.sid")!;
    for (const forged of [cookie.slice(0, -8) + "AAAAAAAA", cookie.split(".")[0]!, "s%3A", "x"]) {
      browser.cookies.set("connect.sid", forged);
      assertEquals(refusalOf(await browser.connect()), "authentication_failed");
    }
  });

  withRedis("refuses a visitor whose session has no user", async () => {
    const browser = await logIn(await openSite());
    const { redis, key } = await inRedis(browser);
    const { user: _, ...visitor } = JSON.parse((await redis.get(key))!);
    await redis.set(key, JSON.stringify(visitor), { expiration: "KEEPTTL" });
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });

  withRedis("takes no cookie from another page, also when asked to look", async () => {
    const browser = await logIn(await openSite());
    const client = await browser.connect({ origin: "https://evil.example" });
    client.emit("authentication", {});
    assertEquals(await codeOf(client), "authentication_failed");
  });

  withRedis("ends sockets at the logout, for good", async () => {
    const browser = await logIn(await openSite());
    const cookie = browser.cookies.get("connect.sid")!;
    const client = await browser.connect();
    await client.next("authenticated");
    await browser.post("/logout");
    assertEquals(await codeOf(client), "revoked");
    browser.cookies.set("connect.sid", cookie);
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });

  withRedis("has sockets come back with the new cookie after a second login", async () => {
    const browser = await logIn(await openSite());
    const client = await browser.connect();
    await client.next("authenticated");
    await browser.post("/login", ADA);
    const [told] = await client.next("unauthorized") as [{ code: string; reconnect: boolean }];
    assertEquals([told.code, told.reconnect], ["revoked", true]);
    await (await browser.connect()).next("authenticated");
  });

  withRedis("takes the end of a session from Redis, and not from what is stored", async () => {
    const browser = await logIn(await openSite());
    const { redis, key } = await inRedis(browser);
    const stored = JSON.parse((await redis.get(key))!);
    stored.cookie.expires = new Date(Date.now() - 1).toISOString();
    await redis.set(key, JSON.stringify(stored), { expiration: { type: "PX", value: 60_000 } });
    const client = await browser.connect();
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(info.expiresIn > 0 && info.expiresIn <= 60_000);
  });

  withRedis("goes on after a refresh, if requests have extended the session", async () => {
    const browser = await logIn(await openSite());
    const { redis, key } = await inRedis(browser);
    await redis.pExpire(key, 60_000);
    const client = await browser.connect();
    const [, before] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(before.expiresIn <= 60_000);
    await browser.get("/");
    await ask(client, "authentication");
    const [, after] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(after.expiresIn > 29 * 60_000);
  });
});
