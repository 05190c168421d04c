// Options of jwt that are wrong: an error at set-up, which says what to do.
import { createSecretKey } from "node:crypto";
import { assertEquals, assertThrows, describe, it } from "#testing";
import { jwt, type JwtOptions } from "../../src/jwt/jwt.ts";
import { socketioAuth } from "../../mod.ts";
import { createServer } from "../kit/targets.ts";
import { makeKeys, setOf } from "./issuer.ts";

const keys = await makeKeys("one");
const jwks = setOf(keys);
const whose = { issuer: "https://id.example/", audience: "chat" };
const good = { ...whose, jwks };
const SECRET = "0123456789abcdef0123456789abcdef";

type ErrorClass = typeof TypeError | typeof RangeError;

/** Arguments, and the errors they lead to. */
const wrong: Record<string, [given: unknown, Class: ErrorClass, text: string]> = {
  "nothing": [undefined, TypeError, "the argument of jwt must be an object with options"],
  "text": ["https://id.example/", TypeError, "must be an object with options"],
  "an unknown option": [{ ...good, aud: "chat" }, TypeError, 'there is no option "aud" of jwt'],
  "no keys": [whose, TypeError, "exactly one of jwks, key and secret, and was given none"],
  "two kinds of keys": [{ ...good, secret: SECRET }, TypeError, "was given 2"],
  "no issuer": [{ jwks, audience: "chat" }, TypeError, "or false to take tokens of whatever"],
  "an empty issuer": [{ ...good, issuer: "" }, TypeError, "the option issuer of jwt"],
  "no issuer in the list": [{ ...good, issuer: [] }, TypeError, "the option issuer of jwt"],
  "any issuer, by true": [{ ...good, issuer: true }, TypeError, "the option issuer of jwt"],
  "an issuer that is a pattern": [{ ...good, issuer: /x/ }, TypeError, "option issuer of jwt"],
  "no audience": [{ jwks, issuer: "x" }, TypeError, "tokens that are meant for others"],
  "an audience that is null": [{ ...good, audience: null }, TypeError, "option audience of jwt"],
  "a secret with text that is short": [
    { ...whose, secret: "secret" },
    RangeError,
    "must have 32 bytes at least, not 6",
  ],
  "a secret with bytes that are few": [
    { ...whose, secret: new Uint8Array(31) },
    RangeError,
    "not 31",
  ],
  "a secret that is empty": [{ ...whose, secret: "" }, RangeError, "not 0"],
  "a secret that is no secret": [{ ...whose, secret: 5 }, TypeError, "text or a Uint8Array"],
  "HS256 for public keys": [{ ...good, algorithms: ["HS256"] }, TypeError, "have a public key"],
  "RS256 for a secret": [
    { ...whose, secret: SECRET, algorithms: ["RS256"] },
    TypeError,
    "have a secret: HS256,HS384,HS512",
  ],
  "none": [{ ...good, algorithms: ["none"] }, TypeError, "the option algorithms of jwt"],
  "no algorithms": [{ ...good, algorithms: [] }, TypeError, "the option algorithms of jwt"],
  "an algorithm in text": [{ ...good, algorithms: "ES256" }, TypeError, "option algorithms"],
  "a typ that is none": [{ ...good, typ: "" }, TypeError, "the option typ of jwt"],
  "a tolerance in text": [{ ...good, clockTolerance: "5s" }, TypeError, "clockTolerance of jwt"],
  "a tolerance below 0": [{ ...good, clockTolerance: -1 }, RangeError, "clockTolerance of jwt"],
  "a tolerance without end": [{ ...good, clockTolerance: Infinity }, RangeError, "of jwt"],
  "claims that are no schema": [{ ...good, claims: {} }, TypeError, "a Standard Schema"],
  "a user that is no function": [{ ...good, user: {} }, TypeError, "the option user of jwt"],
  "a userId in text": [{ ...good, userId: "sub" }, TypeError, "the option userId of jwt"],
  "a sessionId in text": [{ ...good, sessionId: "sid" }, TypeError, "option sessionId of jwt"],
  "a token in text": [{ ...good, token: "jwt" }, TypeError, "the option token of jwt"],
  "a URL that is none": [{ ...whose, jwks: "id.example" }, TypeError, "a URL with https:"],
  "a file of keys": [{ ...whose, jwks: "file:///keys" }, TypeError, "a URL with https:"],
  "a set without keys": [{ ...whose, jwks: {} }, TypeError, "{ keys: [...] }"],
  "a set of nonsense": [{ ...whose, jwks: { keys: [1] } }, TypeError, "{ keys: [...] }"],
  "a key in PEM": [{ ...whose, key: "-----BEGIN" }, TypeError, "importSPKI of jose"],
  "a private key": [{ ...whose, key: keys.privateKey }, TypeError, "one public key"],
  "a private JWK": [{ ...whose, key: { ...keys.jwk, d: "x" } }, TypeError, "one public key"],
  "a secret for a key": [
    { ...whose, key: createSecretKey(new Uint8Array(32)) },
    TypeError,
    "one public key",
  ],
  "a secret JWK for a key": [
    { ...whose, key: { kty: "oct", k: "x" } },
    TypeError,
    "one public key",
  ],
  "an empty list": [[], TypeError, "the list that jwt was given is empty"],
  "several, one without a name": [
    [good, { ...good, issuer: false }],
    TypeError,
    "each needs its own option issuer",
  ],
  "several of one name": [[good, good], TypeError, "each needs its own option issuer"],
  "several, one with a space": [
    [good, { ...good, issuer: "a b" }],
    TypeError,
    "each needs its own option issuer",
  ],
  "several that take tokens out otherwise": [
    [good, { ...good, issuer: "b", token: () => "" }],
    TypeError,
    "the option token of jwt must be the same",
  ],
  "several that tolerate otherwise": [
    [good, { ...good, issuer: "b", clockTolerance: 5 }],
    TypeError,
    "the option clockTolerance of jwt must be the same",
  ],
  "several, one without options": [[good, undefined], TypeError, "needs its own option issuer"],
};

describe("jwt", () => {
  for (const [name, [given, Class, text]] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      const error = assertThrows(() => jwt(given as JwtOptions<never, never>), Class, text);
      // Nothing of a secret is in it.
      assertEquals([/"secret"/.test(error.message), error.message.includes(SECRET)], [
        false,
        false,
      ]);
    });
  }

  it("makes options that socketioAuth takes, and no others", () => {
    const options = jwt({ ...good, clockTolerance: 5 });
    assertEquals([Object.keys(options).sort(), options.grace], [["grace", "verify"], 5000]);
    socketioAuth(createServer(), { ...options, handshake: true });
    assertEquals(jwt(good).grace, 0);
  });
});
