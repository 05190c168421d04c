import { assert, assertEquals, describe, it } from "#testing";
import jwt, { type SignOptions } from "jsonwebtoken";
import { SECRET } from "./secrets.ts";
import { start } from "../../examples/recipes/passport-jwt.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, connect, open, refusalOf } from "./kit.ts";

const RIGHT: SignOptions = {
  subject: "1",
  issuer: "https://id.example",
  audience: "chat",
  expiresIn: 60,
};
const sign = (options: SignOptions = {}, secret: string | null = SECRET) =>
  jwt.sign({}, secret as string, { ...RIGHT, ...options });

describe("the recipe of passport-jwt", () => {
  disposeAfterEach();

  it("signs in with a token, and refreshes with the next one", async () => {
    const client = await connect(await open(start(0)), { auth: { token: sign() } });
    const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
    assert(info.expiresIn > 50_000 && info.expiresIn <= 60_000);
    const answer = await ask(client, "authentication", { token: sign() });
    assertEquals((answer as { ok: boolean }).ok, true);
  });

  // Made in each test: by the time that one runs, a token of a minute may be over.
  const wrong: Record<string, () => unknown> = {
    "another secret": () => sign({}, "another secret of 32 characters.."),
    "no signature": () => sign({ algorithm: "none" }, null),
    "another algorithm": () => sign({ algorithm: "HS384" }),
    "another issuer": () => sign({ issuer: "https://evil.example" }),
    "another audience": () => sign({ audience: "mail" }),
    "a user who is gone": () => sign({ subject: "2" }),
    "no token": () => undefined,
    "no text": () => ({ length: 3 }),
    "two headers": () => `${sign({}, "another secret of 32 characters..")}, ${sign()}`,
  };
  for (const [what, token] of Object.entries(wrong)) {
    it(`refuses ${what}`, async () => {
      const client = await connect(await open(start(0)), { auth: { token: token(), more: true } });
      assertEquals(refusalOf(client), "authentication_failed");
    });
  }

  it("tells a token that has expired from a wrong one", async () => {
    const client = await connect(await open(start(0)), {
      auth: { token: sign({ expiresIn: -1 }) },
    });
    assertEquals(refusalOf(client), "expired");
  });
});
