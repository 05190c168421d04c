import { assertEquals, describe, it } from "#testing";
import "./secrets.ts";
import { start } from "../../examples/recipes/passport.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, Browser, codeOf, open, refusalOf } from "./kit.ts";

const ADA = { username: "ada", password: "lovelace" };

async function logIn(url: string): Promise<Browser> {
  const browser = new Browser(url);
  assertEquals((await browser.request("POST", "/login", ADA)).status, 204);
  return browser;
}

describe("the recipe of passport", () => {
  disposeAfterEach();

  it("signs in with the cookie of the login, and refreshes with it", async () => {
    const client = await (await logIn(await open(start(0)))).connect();
    await client.next("authenticated");
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["ada", "hello"]);
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
  });

  it("refuses a wrong password, a forged cookie and another page", async () => {
    const url = await open(start(0));
    const { status } = await new Browser(url).request("POST", "/login", { ...ADA, password: "x" });
    assertEquals(status, 401);
    const browser = await logIn(url);
    const elsewhere = await browser.connect({ origin: "https://evil.example" });
    elsewhere.emit("authentication", {});
    assertEquals(await codeOf(elsewhere), "authentication_failed");
    const cookie = browser.cookies.get("connect.sid")!;
    browser.cookies.set("connect.sid", cookie.slice(0, -8) + "AAAAAAAA");
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });

  it("ends sockets at the logout, for good", async () => {
    const browser = await logIn(await open(start(0)));
    const cookie = browser.cookies.get("connect.sid")!;
    const client = await browser.connect();
    await client.next("authenticated");
    await browser.post("/logout");
    assertEquals(await codeOf(client), "revoked");
    browser.cookies.set("connect.sid", cookie);
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });

  it("has sockets come back with the new cookie after a second login", async () => {
    const browser = await logIn(await open(start(0)));
    const client = await browser.connect();
    await client.next("authenticated");
    await browser.post("/login", ADA);
    const [told] = await client.next("unauthorized") as [{ code: string; reconnect: boolean }];
    assertEquals([told.code, told.reconnect], ["revoked", true]);
    await (await browser.connect()).next("authenticated");
  });
});
