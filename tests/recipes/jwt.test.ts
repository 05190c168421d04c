import { assert, assertEquals, describe, it } from "#testing";
import { SignJWT } from "jose";
import { SECRET } from "./secrets.ts";
import { start } from "../../examples/recipes/jwt.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, Browser, codeOf, connect, open, refusalOf } from "./kit.ts";

const ADA = { username: "ada", password: "lovelace" };

async function logIn(url: string): Promise<string> {
  return JSON.parse(await new Browser(url).post("/login", ADA)).token;
}

/** Signs a token as the recipe does, but for what is given. */
function sign(
  { secret = SECRET, alg = "HS256", end = 60, ...claims }: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT({ sub: "1", iss: "https://app.example", aud: "chat", sid: "s", ...claims })
    .setProtectedHeader({ alg: String(alg) })
    .setExpirationTime(Math.floor(Date.now() / 1000) + Number(end))
    .sign(new TextEncoder().encode(String(secret)));
}

describe("the recipe of JSON Web Tokens", () => {
  disposeAfterEach();

  it("signs in with the token of the login, and refreshes with the next one", async () => {
    const url = await open(start(0));
    const client = await connect(url, { auth: { token: await logIn(url) } });
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(info.expiresIn > 14 * 60_000 && info.expiresIn <= 15 * 60_000);
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
    const answer = await ask(client, "authentication", { token: await logIn(url) });
    assertEquals((answer as { ok: boolean }).ok, true);
  });

  it("refuses a wrong password, and wrong tokens", async () => {
    const url = await open(start(0));
    const wrong = { ...ADA, password: "guess" };
    assertEquals((await new Browser(url).request("POST", "/login", wrong)).status, 401);
    const tokens: Record<string, [token: string, code: string]> = {
      "another secret": [await sign({ secret: "x".repeat(32) }), "authentication_failed"],
      "another issuer": [await sign({ iss: "https://evil.example" }), "authentication_failed"],
      "another audience": [await sign({ aud: "mail" }), "authentication_failed"],
      "another algorithm": [await sign({ alg: "HS512" }), "authentication_failed"],
      "a user who is gone": [await sign({ sub: "2" }), "authentication_failed"],
      "over": [await sign({ end: -1 }), "expired"],
    };
    for (const [what, [token, code]] of Object.entries(tokens)) {
      assertEquals([what, refusalOf(await connect(url, { auth: { token } }))], [what, code]);
    }
    await (await connect(url, { auth: { token: await sign() } })).next("authenticated");
  });

  it("ends sockets at the logout, and takes the token no more", async () => {
    const url = await open(start(0));
    const token = await logIn(url);
    const client = await connect(url, { auth: { token } });
    const other = await connect(url, { auth: { token: await logIn(url) } });
    assertEquals((await new Browser(url).request("POST", "/logout", { token })).status, 204);
    assertEquals(await codeOf(client), "revoked");
    assertEquals(refusalOf(await connect(url, { auth: { token } })), "authentication_failed");
    other.emit("chat", "still here");
    assertEquals(await other.next("chat"), ["Ada", "still here"]);
  });

  it("signs out no one by a forged token", async () => {
    const url = await open(start(0));
    const token = await sign({ secret: "x".repeat(32) });
    assertEquals((await new Browser(url).request("POST", "/logout", { token })).status, 401);
  });
});
