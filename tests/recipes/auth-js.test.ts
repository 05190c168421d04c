import { assert, assertEquals, describe, it } from "#testing";
import { encode } from "@auth/core/jwt";
import { SECRET } from "./secrets.ts";
import { start } from "../../examples/recipes/auth-js.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, Browser, codeOf, open, refusalOf } from "./kit.ts";

const COOKIE = "authjs.session-token";

/** Signs in as the form of Auth.js does. */
async function logIn(url: string, password = "lovelace"): Promise<Browser> {
  const browser = new Browser(url);
  await post(browser, "/auth/callback/credentials", { username: "ada", password });
  return browser;
}

async function post(browser: Browser, path: string, body: object = {}): Promise<void> {
  const { csrfToken } = JSON.parse(await browser.get("/auth/csrf"));
  await browser.post(path, { ...body, csrfToken });
}

/** Gives a browser the cookie of a token, in parts if it is long. */
async function setToken(browser: Browser, token: object, secret = SECRET) {
  const value = await encode({ token: { ...token }, secret, salt: COOKIE });
  browser.cookies.delete(COOKIE);
  const parts = value.match(/.{1,3900}/g)!;
  if (parts.length === 1) browser.cookies.set(COOKIE, value);
  else for (const [i, part] of parts.entries()) browser.cookies.set(`${COOKIE}.${i}`, part);
  return parts.length;
}

describe("the recipe of Auth.js", () => {
  disposeAfterEach();

  it("signs in with the cookie of the login, and refreshes with it", async () => {
    const client = await (await logIn(await open(start(0)))).connect();
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    const days = info.expiresIn / 86_400_000;
    assert(days > 29 && days <= 30);
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
  });

  it("puts a cookie together that is in several parts", async () => {
    const browser = new Browser(await open(start(0)));
    const token = { sub: "1", sid: "s", name: "Ada", more: "x".repeat(6000) };
    assertEquals(await setToken(browser, token), 3);
    await (await browser.connect()).next("authenticated");
  });

  it("refuses a wrong password, and tokens of another secret or without a session", async () => {
    const url = await open(start(0));
    const browser = await logIn(url, "guess");
    assertEquals(browser.cookies.has(COOKIE), false);
    const right = { sub: "1", sid: "s" };
    await setToken(browser, right, "another secret");
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
    await setToken(browser, { sub: "1" });
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
    browser.cookies.set(COOKIE, "nonsense");
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });

  it("takes no cookie from another page", async () => {
    const browser = await logIn(await open(start(0)));
    const client = await browser.connect({ origin: "https://evil.example" });
    client.emit("authentication", {});
    assertEquals(await codeOf(client), "authentication_failed");
  });

  it("ends sockets at the sign-out, and takes the cookie no more", async () => {
    const browser = await logIn(await open(start(0)));
    const cookie = browser.cookies.get(COOKIE)!;
    const client = await browser.connect();
    await client.next("authenticated");
    await post(browser, "/auth/signout");
    assertEquals(await codeOf(client), "revoked");
    browser.cookies.set(COOKIE, cookie);
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });
});
