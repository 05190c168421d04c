import { afterAll, assert, assertEquals, describe, it } from "#testing";
import { start } from "../../examples/recipes/better-auth.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, Browser, close, codeOf, connect, refusalOf, urlOf } from "./kit.ts";

const COOKIE = "better-auth.session_token";

interface Login {
  readonly browser: Browser;
  readonly token: string;
  readonly email: string;
}

/** One for all tests: on Deno, several better-auth in one process mix up their databases. */
const io = start(0);

let users = 0;

/** A page of the recipe's, which is at localhost as far as better-auth knows. */
async function logIn(email?: string): Promise<Login> {
  const browser = new Browser(urlOf(io), "http://localhost:0");
  const path = `/api/auth/sign-${email ? "in" : "up"}/email`;
  email ??= `ada${++users}@example.com`;
  const response = await browser.request("POST", path, {
    email,
    password: "lovelace",
    name: "Ada",
  });
  assertEquals(response.status, 200);
  return { browser, token: response.headers.get("set-auth-token")!, email };
}

/** Connects from a page of the server's own. */
async function signIn({ browser }: Login): Promise<Client> {
  const client = await browser.connect({ origin: browser.url });
  await client.next("authenticated");
  return client;
}

describe("the recipe of better-auth", () => {
  disposeAfterEach();
  afterAll(() => close(io));

  it("signs in with the cookie or the token, and refreshes with it", async () => {
    const login = await logIn();
    const client = await signIn(login);
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
    const { token } = login;
    const other = await connect(login.browser.url, { auth: { token } });
    await other.next("authenticated");
    other.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
    assertEquals((await ask(other, "authentication", { token }) as { ok: boolean }).ok, true);
  });

  it("refuses what is forged, or no text", async () => {
    const { browser, token } = await logIn();
    const [id] = token.split(".");
    for (const forged of [`${id}.${"A".repeat(43)}=`, "x", "", [token], { length: 3 }, null]) {
      const client = await connect(browser.url);
      client.emit("authentication", { token: forged });
      assertEquals(await codeOf(client), "authentication_failed");
    }
    browser.cookies.set(COOKIE, `${id}.${"A".repeat(43)}%3D`);
    const client = await browser.connect({ origin: browser.url });
    assertEquals(refusalOf(client), "authentication_failed");
  });

  it("takes no cookie from another page", async () => {
    const { browser } = await logIn();
    const client = await browser.connect({ origin: "https://evil.example" });
    client.emit("authentication", {});
    assertEquals(await codeOf(client), "authentication_failed");
  });

  it("ends the sockets of a session that signs out, and no others", async () => {
    const login = await logIn();
    const client = await signIn(login);
    const other = await signIn(await logIn(login.email));
    const { cookies } = login.browser;
    const kept = cookies.get(COOKIE)!;
    await login.browser.post("/api/auth/sign-out");
    assertEquals(await codeOf(client), "revoked");
    cookies.set(COOKIE, kept);
    const again = await login.browser.connect({ origin: login.browser.url });
    assertEquals(refusalOf(again), "authentication_failed");
    assertEquals((await ask(other, "authentication") as { ok: boolean }).ok, true);
  });

  it("ends the other sessions of a user who revokes them", async () => {
    const former = await logIn();
    const other = await signIn(former);
    const login = await logIn(former.email);
    const client = await signIn(login);
    await login.browser.post("/api/auth/revoke-other-sessions");
    assertEquals(await codeOf(other), "revoked");
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
  });

  it("tells the client when the session ends", async () => {
    const { browser } = await logIn();
    const client = await browser.connect({ origin: browser.url });
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    const days = info.expiresIn / 86_400_000;
    assert(days > 6.9 && days <= 7, `${days} days`);
  });
});
