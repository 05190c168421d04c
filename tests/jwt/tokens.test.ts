// Which tokens are good, and what the clients of the others are told.
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { exportSPKI } from "jose";
import { assert, assertEquals, describe, it } from "#testing";
import type { Outcome } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { openClient } from "../kit/client.ts";
import { places } from "../kit/targets.ts";
import {
  encode,
  goodClaims,
  inSeconds,
  type Keys,
  makeKeys,
  publish,
  setOf,
  sign,
} from "./issuer.ts";
import { type AnyOptions, codeOf, openJwtWorld } from "./kit.ts";

const NO = "authentication_failed";

const keys = await makeKeys("one", "RS256");
/** Of somebody who guesses, with the name of the issuer's key. */
const forged = await makeKeys("one", "RS256");

/** Signed with text that anybody knows, as a server takes it that lets the token say how. */
function hmacWith(secret: string): string {
  const content = `${encode({ alg: "HS256", typ: "JWT", kid: "one" })}.${encode(goodClaims())}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

const unsigned = (alg: string) => `${encode({ alg, kid: "one" })}.${encode(goodClaims())}.`;

/** The token with its payload exchanged. */
async function changed(): Promise<string> {
  const [header, , signature] = (await sign(keys)).split(".");
  return [header, encode({ ...goodClaims(), sub: "eve" }), signature].join(".");
}

const expired = {
  // Read when a token is made: by then, the tests may have run for minutes.
  get exp() {
    return inSeconds(-60);
  },
};
const embedded = (header: object) => sign(forged, {}, header);

/** Tokens, and what their clients are told. */
const tokens: Record<string, [token: () => string | Promise<string>, told: string]> = {
  "is good": [() => sign(keys), "ok"],
  "is good for several audiences": [() => sign(keys, { aud: ["mail", "chat"] }), "ok"],
  "says Bearer": [async () => `Bearer ${await sign(keys)}`, "ok"],
  "says bearer": [async () => `bearer  ${await sign(keys)}`, "ok"],
  "has expired": [() => sign(keys, expired), "expired"],
  "has expired a moment ago": [() => sign(keys, { exp: inSeconds(0) }), "expired"],
  "has expired, and is forged": [() => sign(forged, expired), NO],
  "has expired, and is of another issuer": [
    () => sign(keys, { ...expired, iss: "https://evil.example/" }),
    NO,
  ],
  "has expired, and is for another audience": [
    () => sign(keys, { ...expired, aud: "mail" }),
    NO,
  ],
  "has expired before it began": [
    () => sign(keys, { ...expired, nbf: inSeconds(-30) }),
    NO,
  ],
  "has expired, and has no subject": [
    () => sign(keys, { ...expired, sub: undefined }),
    NO,
  ],
  "is forged": [() => sign(forged), NO],
  "was changed": [changed, NO],
  "is of another issuer": [() => sign(keys, { iss: "https://evil.example/" }), NO],
  "is of an issuer with a longer name": [() => sign(keys, { iss: "https://id.example/x" }), NO],
  "is of no issuer": [() => sign(keys, { iss: undefined }), NO],
  "is of a list of issuers": [() => sign(keys, { iss: ["https://id.example/"] }), NO],
  "is for another audience": [() => sign(keys, { aud: "mail" }), NO],
  "is for no audience": [() => sign(keys, { aud: undefined }), NO],
  "is not signed": [() => unsigned("none"), NO],
  "is not signed, and shouts": [() => unsigned("NONE"), NO],
  "is signed with the public key as a secret": [
    async () => hmacWith(await exportSPKI(keys.publicKey)),
    NO,
  ],
  "is signed with the public JWK as a secret": [() => hmacWith(JSON.stringify(keys.jwk)), NO],
  "brings its key": [() => embedded({ jwk: forged.jwk }), NO],
  "says where its keys are": [() => embedded({ jku: "http://127.0.0.1:9/jwks" }), NO],
  "says where its certificate is": [() => embedded({ x5u: "http://127.0.0.1:9/x5u" }), NO],
  "has critical extensions": [
    () => `${encode({ alg: "RS256", kid: "one", crit: ["x"], x: 1 })}.${encode(goodClaims())}.AAAA`,
    NO,
  ],
  "has a kid that is a path": [() => embedded({ kid: "../../../dev/null" }), "server_error"],
  "has a kid of SQL": [() => embedded({ kid: "x' UNION SELECT 'k" }), "server_error"],
  "has a kid of every object": [() => embedded({ kid: "__proto__" }), "server_error"],
  "has a kid that is no text": [() => embedded({ kid: { one: 1 } as never }), "server_error"],
  "has a header of 15 KB": [() => embedded({ kid: "k".repeat(11_000) }), "server_error"],
  "has no subject": [() => sign(keys, { sub: undefined }), NO],
  "has no subject, in text": [() => sign(keys, { sub: "" }), NO],
  "is about a number": [() => sign(keys, { sub: 7 }), NO],
  "does not end": [() => sign(keys, { exp: undefined }), NO],
  "ends in text": [() => sign(keys, { exp: "tomorrow" }), NO],
  "ends later than there are numbers": [() => sign(keys, { exp: 1e308 }), NO],
  "is not good yet": [() => sign(keys, { nbf: inSeconds(600) }), NO],
  "is good from some text on": [() => sign(keys, { nbf: "now" }), NO],
  "is no token": [() => "hello", NO],
  "is dots": [() => "..", NO],
  "is encrypted": [() => "a.b.c.d.e", NO],
  "has a payload of text": [() => `${encode({ alg: "RS256" })}.${encode("hi")}.AAAA`, NO],
  "has an empty header": [() => `${encode({})}.${encode(goodClaims())}.AAAA`, NO],
  "has no header": [() => `.${encode(goodClaims())}.AAAA`, NO],
  "is Bearer alone": [() => "Bearer ", NO],
};

/** Credentials that are no text, or too much of it. */
const credentials: Record<string, unknown> = {
  "are nothing": null,
  "are empty": {},
  "are a number": 7,
  "are true": true,
  "are empty text": "",
  "are a list": ["token"],
  "are bytes": Buffer.from("token"),
  "have a token that is a number": { token: 7 },
  "have a token that is an object": { token: { toString: "x" } },
  "have a token that is a list": { token: ["a.b.c"] },
  "have 100 KB": { token: "x".repeat(100_000) },
  "are named otherwise": { jwt: "a.b.c" },
};

describe("a token with the keys at a URL", () => {
  disposeAfterEach();

  for (const [name, [make, told]] of Object.entries(tokens)) {
    it(`that ${name}: ${told}`, async () => {
      const { url } = await publish(keys);
      const world = await openJwtWorld({ jwks: url });
      // While the keys are on their way, an unknown one is looked for among them.
      if (told === "server_error") await world.tell(await sign(keys));
      const token = await make();
      const outcomes = [await world.tell({ token }), await world.tell(token)];
      assertEquals(outcomes.map(codeOf), [told, told]);
      assertEquals(world.errors, []);
      if (told === "server_error") assertRetry(outcomes[0]!);
      if (told === "expired") assertEquals(reconnectOf(outcomes[0]!), false);
    });
  }

  for (const [name, given] of Object.entries(credentials)) {
    it(`is wanted where the credentials ${name}`, async () => {
      const { url } = await publish(keys);
      const world = await openJwtWorld({ jwks: url });
      assertEquals(codeOf(await world.tell(given)), "invalid_credentials");
      assertEquals(world.errors, []);
    });
  }

  it("comes with CONNECT, too", async () => {
    const { url } = await publish(keys);
    const world = await openJwtWorld({ jwks: url });
    const place = places[0]!;
    const good = openClient(place, world.url, { auth: { token: await sign(keys) } });
    await good.next("authenticated");
    assertEquals(world.session?.userId, "ada");
    const bad = openClient(place, world.url, { auth: { token: await sign(forged) } });
    const [error] = await bad.next("connect_error");
    assertEquals((error as { data: { code: string } }).data.code, "authentication_failed");
  });
});

function assertRetry(outcome: Outcome): void {
  const { retryAfter = -1, reconnect } = outcome as { retryAfter?: number; reconnect?: boolean };
  assert(reconnect && retryAfter > 20_000 && retryAfter <= 30_000, `${retryAfter}`);
}

function reconnectOf(outcome: Outcome): unknown {
  return (outcome as { reconnect?: unknown }).reconnect;
}

const SECRET = "0123456789abcdef0123456789abcdef";
const es = await makeKeys("two", "ES256");
const ed = await makeKeys("three", "EdDSA");
const anonymous: Keys = { ...es, jwk: { ...es.jwk, kid: undefined as never } };
const { kid: _, ...nameless } = es.jwk;

/** Options, and what tokens come to with them. */
const settings: Record<string, [options: AnyOptions, [token: () => unknown, told: string][]]> = {
  "a set": [{ jwks: setOf(keys, es) }, [
    [() => sign(keys), "ok"],
    [() => sign(es), "ok"],
    [() => sign(ed), NO],
    [() => sign(forged), NO],
    [() => sign({ ...es, jwk: { ...es.jwk, kid: "one" } }), NO],
    [() => hmacWith(JSON.stringify(keys.jwk)), NO],
  ]],
  "a set with keys of one kind, for a token that names none": [
    { jwks: setOf(keys, forged, await makeKeys("four"), es) },
    [
      [() => sign(anonymous), "ok"],
      [async () => sign({ ...await makeKeys("five"), jwk: nameless }), NO],
      [() => sign(anonymous, expired), "expired"],
    ],
  ],
  "a CryptoKey": [{ key: keys.publicKey }, [
    [() => sign(keys), "ok"],
    [() => sign(forged), NO],
    [() => sign(es), NO],
    [async () => hmacWith(await exportSPKI(keys.publicKey)), NO],
    [() => unsigned("none"), NO],
    [() => sign(keys, expired), "expired"],
  ]],
  "a JWK, whatever its kid": [{ key: es.jwk }, [
    [() => sign(es), "ok"],
    [() => sign({ ...es, jwk: { ...es.jwk, kid: "other" } }), "ok"],
    [() => sign(anonymous), "ok"],
    [() => sign(keys), NO],
    [() => hmacWith(JSON.stringify(es.jwk)), NO],
  ]],
  "a JWK without a kid": [{ key: nameless }, [[() => sign(es), "ok"]]],
  "a secret in text": [{ secret: SECRET }, [
    [() => hmacWith(SECRET), "ok"],
    [() => hmacWith(SECRET.toUpperCase()), NO],
    [() => sign(keys), NO],
    [() => unsigned("none"), NO],
  ]],
  "a secret in bytes": [{ secret: new TextEncoder().encode(SECRET) }, [
    [() => hmacWith(SECRET), "ok"],
  ]],
  "algorithms": [{ jwks: setOf(keys, es), algorithms: ["ES256"] }, [
    [() => sign(es), "ok"],
    [() => sign(keys), NO],
  ]],
  "algorithms of secrets": [{ secret: SECRET, algorithms: ["HS512"] }, [
    [() => hmacWith(SECRET), NO],
  ]],
  "typ": [{ jwks: setOf(es), typ: "at+jwt" }, [
    [() => sign(es, {}, { typ: "at+jwt" }), "ok"],
    [() => sign(es, {}, { typ: "application/at+jwt" }), "ok"],
    [() => sign(es, {}, { typ: "JWT" }), NO],
    [() => sign(es), NO],
    [() => sign(es, expired, { typ: "JWT" }), NO],
  ]],
  "any issuer": [{ jwks: setOf(es), issuer: false }, [
    [() => sign(es, { iss: "https://other.example/" }), "ok"],
    [() => sign(es, { iss: undefined }), "ok"],
  ]],
  "any audience": [{ jwks: setOf(es), audience: false }, [
    [() => sign(es, { aud: undefined }), "ok"],
    [() => sign(es, { iss: undefined }), NO],
  ]],
  "a list of audiences": [{ jwks: setOf(es), audience: ["mail", "chat"] }, [
    [() => sign(es), "ok"],
    [() => sign(es, { aud: "web" }), NO],
  ]],
  "a tolerance": [{ jwks: setOf(es), clockTolerance: 100 }, [
    [() => sign(es, expired), "ok"],
    [() => sign(es, { exp: inSeconds(-101) }), "expired"],
    [() => sign(es, { nbf: inSeconds(60) }), "ok"],
    [() => sign(es, { nbf: inSeconds(600) }), NO],
  ]],
  "a function that takes the token out": [{
    jwks: setOf(es),
    token: (credentials) => (credentials as { jwt?: string } | null)?.jwt,
  }, [
    [async () => ({ jwt: await sign(es) }), "ok"],
    [async () => ({ jwt: `Bearer ${await sign(es)}` }), "ok"],
    [async () => ({ token: await sign(es) }), "invalid_credentials"],
    [() => null, "invalid_credentials"],
  ]],
};

describe("a token is verified with", () => {
  disposeAfterEach();

  for (const [name, [options, cases]] of Object.entries(settings)) {
    it(name, async () => {
      const world = await openJwtWorld(options);
      for (const [index, [make, told]] of cases.entries()) {
        const outcome = await world.tell(await make());
        assertEquals(codeOf(outcome), told, `case ${index}`);
      }
      assertEquals(world.errors, []);
    });
  }

  it("the secret as it was, whatever becomes of the bytes", async () => {
    const secret = new TextEncoder().encode(SECRET);
    const world = await openJwtWorld({ secret });
    secret.fill(0);
    assertEquals(codeOf(await world.tell(hmacWith(SECRET))), "ok");
  });
});
