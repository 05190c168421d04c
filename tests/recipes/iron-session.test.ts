import { assert, assertEquals, describe, it } from "#testing";
import { sealData } from "iron-session";
import { SECRET } from "./secrets.ts";
import { start } from "../../examples/recipes/iron-session.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, Browser, codeOf, open, refusalOf } from "./kit.ts";

const ADA = { username: "ada", password: "lovelace" };

async function logIn(url: string): Promise<Browser> {
  const browser = new Browser(url);
  assertEquals((await browser.request("POST", "/login", ADA)).status, 204);
  return browser;
}

describe("the recipe of iron-session", () => {
  disposeAfterEach();

  it("signs in with the cookie of the login, and refreshes with it", async () => {
    const client = await (await logIn(await open(start(0)))).connect();
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(info.expiresIn > 7 * 3600_000 && info.expiresIn <= 8 * 3600_000);
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
    assertEquals((await ask(client, "authentication") as { ok: boolean }).ok, true);
  });

  it("refuses seals that are forged, of another password, too old, or of no user", async () => {
    const browser = new Browser(await open(start(0)));
    const { status } = await browser.request("POST", "/login", { username: "ada" });
    assertEquals(status, 401);
    const user = { id: "1", name: "Ada" };
    const data = { user, id: "x", endsAt: Date.now() + 60_000 };
    const right = await sealData(data, { password: SECRET });
    const seals = [
      right.replace(/.{5}(?=~)/, "AAAAA"),
      await sealData(data, { password: "another password of 32 characters" }),
      await sealData({ basket: ["tea"] }, { password: SECRET }),
      await sealData({ user }, { password: SECRET }),
      "nonsense",
    ];
    for (const seal of seals) {
      browser.cookies.set("session", encodeURIComponent(seal));
      assertEquals(refusalOf(await browser.connect()), "authentication_failed");
    }
    const over = await sealData({ ...data, endsAt: Date.now() - 1 }, { password: SECRET });
    browser.cookies.set("session", encodeURIComponent(over));
    assertEquals(refusalOf(await browser.connect()), "expired");
    browser.cookies.set("session", encodeURIComponent(right));
    await (await browser.connect()).next("authenticated");
  });

  it("takes no cookie from another page", async () => {
    const browser = await logIn(await open(start(0)));
    const client = await browser.connect({ origin: "https://evil.example" });
    client.emit("authentication", {});
    assertEquals(await codeOf(client), "authentication_failed");
  });

  it("ends sockets at the logout, and takes the cookie no more", async () => {
    const browser = await logIn(await open(start(0)));
    const cookie = browser.cookies.get("session")!;
    const client = await browser.connect();
    await client.next("authenticated");
    await browser.post("/logout");
    assertEquals(await codeOf(client), "revoked");
    browser.cookies.set("session", cookie);
    assertEquals(refusalOf(await browser.connect()), "authentication_failed");
  });
});
