import type { CryptoKey, JSONWebKeySet, JWK, JWTVerifyGetKey, KeyObject } from "jose";
import type { Awaitable, Falsy, VerifyContext } from "../core/answers.ts";
import { count, isFunction, isObject, isText, need } from "../core/checks.ts";
import type { StandardSchema } from "../core/schema.ts";
import type { Id } from "../core/users.ts";
import { type KeyFinder, keysAt, keysBy, keysIn, publicKey, secretKey } from "./keys.ts";

/** A JSON Web Key. */
export interface Jwk {
  /** The kind of key, such as `RSA`. */
  readonly kty?: string;
  /** What else it has. */
  readonly [parameter: string]: unknown;
}

/** A JSON Web Key Set. */
export interface JwkSet {
  /** The keys. */
  readonly keys: readonly Jwk[];
}

/** A `CryptoKey`, or a `KeyObject` of Node. */
export interface PublicKey {
  /** Must be `"public"`. */
  readonly type: string;
}

/** Finds the key for a token, as `createRemoteJWKSet` and `createLocalJWKSet` of jose make one. */
export type KeyGetter = (
  header: { readonly alg: string; readonly kid?: string },
  token: never,
) => unknown;

/** What a token says, once it is verified. */
export interface JwtClaims {
  /** Whom it is about. */
  readonly sub: string;
  /** When it ends, in seconds. */
  readonly exp: number;
  /** Who has issued it. */
  readonly iss?: string;
  /** Whom it is meant for. */
  readonly aud?: string | readonly string[];
  /** From when on it is good, in seconds. */
  readonly nbf?: number;
  /** When it was issued, in seconds. */
  readonly iat?: number;
  /** The name of the token, not of the session. */
  readonly jti?: string;
  /** Anything else. */
  readonly [claim: string]: unknown;
}

/**
 * What `jwt` is given: the keys (exactly one of `jwks`, `key` and `secret`), whose tokens count, and
 * what becomes of them.
 *
 * @typeParam Claims the claims, as the option `claims` types them
 * @typeParam User the user, as the option `user` types it
 *
 * @example
 * ```ts
 * import type { JwtClaims, JwtOptions } from "@socketio-auth/socketio-auth/jwt";
 *
 * const options: JwtOptions<JwtClaims, { name: string }> = {
 *   jwks: "https://id.example/.well-known/jwks.json",
 *   issuer: "https://id.example/",
 *   audience: "chat",
 *   user: (claims) => ({ name: claims.sub }),
 * };
 * ```
 */
export interface JwtOptions<Claims, User> {
  /**
   * The keys of an issuer: the URL of a JWK Set, the set itself, or a getter of jose
   * (`createRemoteJWKSet` with options of its own).
   *
   * The set at a URL is fetched when `jwt` is called, and again when it is needed and older than ten
   * minutes. While that fails, the last set is used until it is an hour old. Without a set clients
   * are told `server_error`, and `onError` is told why. A token of an unknown key has the set fetched
   * again, 30 seconds after the last time at the earliest; a client that comes earlier is told
   * `server_error` with `retryAfter`.
   */
  readonly jwks?: string | URL | JwkSet | KeyGetter;
  /** One public key: a `CryptoKey`, a `KeyObject` of Node, or a JWK. Its `kid` does not count. */
  readonly key?: PublicKey | Jwk;
  /** A secret that is shared with the issuer: text or bytes, 32 bytes at least. */
  readonly secret?: string | Uint8Array;
  /** The claim `iss`: one, or any of a list. `false` takes tokens of whatever issuer. */
  readonly issuer: string | readonly string[] | false;
  /** What the claim `aud` has to contain: one, or any of a list. `false` takes tokens for others. */
  readonly audience: string | readonly string[] | false;
  /**
   * The algorithms that tokens may be signed with.
   *
   * @default with `jwks` and `key` all that have a public key, with `secret` `HS256`
   */
  readonly algorithms?: readonly string[];
  /**
   * The header `typ`, such as `at+jwt`.
   *
   * @default any, or none
   */
  readonly typ?: string;
  /**
   * How many seconds a token is good beyond its `exp`, and before its `nbf`, for clocks that differ.
   * It becomes the `grace` of the session, too.
   *
   * @default 0
   */
  readonly clockTolerance?: number;
  /**
   * A Standard Schema that the claims have to fit, and that types them. What does not fit is refused
   * with `authentication_failed`.
   */
  readonly claims?: StandardSchema<Claims>;
  /**
   * Looks the user up, or asks a deny list. A falsy answer refuses the token with
   * `authentication_failed`. An `AuthError` that it throws is told to the client; anything else is
   * `server_error`, and goes to `onError`.
   *
   * @default the user is the claims
   */
  user?(claims: Claims, context: Pick<VerifyContext, "signal">): Awaitable<User | Falsy>;
  /**
   * The user's stable id.
   *
   * @default where it finds nothing, too: `sub`; with several issuers `iss`, a space, and `sub`
   */
  userId?(claims: Claims): Id | null | undefined;
  /**
   * The stable id of the session. The claim `jti` is none: many issuers give each token its own.
   *
   * @default `sid`, or else `session_id`
   */
  sessionId?(claims: Claims): Id | null | undefined;
  /**
   * Takes the token out of the credentials. What is no text is refused with `invalid_credentials`.
   * `Bearer ` in front is taken off.
   *
   * @default the credentials themselves, or their `token`
   */
  token?(credentials: unknown): unknown;
}

/** What makes a token one of an issuer. */
export interface Trust {
  /** What the claim `iss` may be; `undefined` if it may be anything. */
  readonly issuers: string[] | undefined;
  readonly audiences: string[] | undefined;
  readonly algorithms: string[];
  readonly typ: string | undefined;
  readonly clockTolerance: number;
  readonly find: KeyFinder;
}

/** {@linkcode JwtOptions}, checked. */
export interface Issuer<Claims, User> extends Trust {
  readonly options: JwtOptions<Claims, User>;
}

const SECRET = ["HS256", "HS384", "HS512"];
const PUBLIC = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
];

const OPTIONS: Record<keyof JwtOptions<unknown, unknown>, true> = {
  jwks: true,
  key: true,
  secret: true,
  issuer: true,
  audience: true,
  algorithms: true,
  typ: true,
  clockTolerance: true,
  claims: true,
  user: true,
  userId: true,
  sessionId: true,
  token: true,
};

/**
 * Checks the options, and has the keys fetched.
 *
 * @throws {TypeError} if an option is unknown, missing or of the wrong kind
 * @throws {RangeError} if `clockTolerance` is out of range, or `secret` too short
 */
export function resolve<Claims, User>(options: JwtOptions<Claims, User>): Issuer<Claims, User> {
  check("argument", options, isObject(options), "an object with options");
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    const names = Object.keys(OPTIONS).join(", ");
    throw new TypeError(
      `Cannot guard: there is no option "${name}" of jwt. The options are ${names}.`,
    );
  }
  const { issuer, audience, algorithms, typ, clockTolerance = 0, claims } = options;
  const whose = 'for example "https://id.example/", a list of texts, or false to take tokens of';
  const issuers = texts("issuer", issuer, `the claim iss, ${whose} whatever issuer`);
  const audiences = texts(
    "audience",
    audience,
    'the claim aud, for example "chat", a list of texts, or false to take tokens that are meant ' +
      "for others",
  );
  if (typ !== undefined) check("option typ", typ, isText(typ), 'text, for example "at+jwt"');
  if (claims !== undefined) {
    // ArkType's are functions.
    const isSchema = isFunction(Object(Object(claims)["~standard"]).validate);
    check("option claims", claims, isSchema, 'a Standard Schema (with a "~standard" property)');
  }
  for (const name of ["user", "userId", "sessionId", "token"] as const) {
    const hook = options[name];
    if (hook !== undefined) check(`option ${name}`, hook, isFunction(hook), "a function");
  }
  count(0)("the option clockTolerance of jwt", clockTolerance);
  const allowed = algorithmsOf(algorithms, options.secret === undefined ? PUBLIC : SECRET);
  // Last, as it may begin to fetch.
  const find = keysOf(options);
  return { options, issuers, audiences, algorithms: allowed, typ, clockTolerance, find };
}

function check(what: string, value: unknown, isRight: boolean, wanted: string): void {
  need(`the ${what} of jwt`, value, isRight, wanted);
}

function texts(name: string, value: unknown, wanted: string): string[] | undefined {
  if (value === false) return undefined;
  const list = [value].flat();
  check(`option ${name}`, value, list.length > 0 && list.every(isText), wanted);
  return list as string[];
}

/** Those that are given, or what is the default for the kind of key. */
function algorithmsOf(given: unknown, possible: readonly string[]): string[] {
  const isSecret = possible === SECRET;
  if (given === undefined) return isSecret ? ["HS256"] : [...possible];
  const isRight = Array.isArray(given) && given.length > 0 &&
    given.every((name) => possible.includes(name));
  const kind = isSecret ? "secret" : "public key";
  check("option algorithms", given, isRight, `a list of some that have a ${kind}: ${possible}`);
  return [...given as string[]];
}

function keysOf(
  { jwks, key, secret }: Pick<JwtOptions<unknown, unknown>, "jwks" | "key" | "secret">,
): KeyFinder {
  const given = [jwks, key, secret].filter((source) => source !== undefined);
  if (given.length !== 1) {
    throw new TypeError(
      `Cannot guard: jwt needs exactly one of jwks, key and secret, and was given ${
        given.length || "none"
      }. jwks is where an issuer has its public keys, key is one public key, and secret is what ` +
        "is shared with the issuer.",
    );
  }
  if (secret !== undefined) return secretKey(bytesOf(secret));
  return key !== undefined ? keyOf(key) : setOf(jwks!);
}

function setOf(jwks: NonNullable<JwtOptions<unknown, unknown>["jwks"]>): KeyFinder {
  if (typeof jwks === "function") return keysBy(jwks as JWTVerifyGetKey);
  if (typeof jwks === "string" || jwks instanceof URL) {
    const isRight = URL.canParse(jwks) && /^https?:$/.test(new URL(jwks).protocol);
    check("option jwks", String(jwks), isRight, "a URL with https:");
    return keysAt(new URL(jwks));
  }
  try {
    return keysIn(jwks as JSONWebKeySet);
  } catch (cause) {
    throw new TypeError(
      "Cannot guard: the option jwks of jwt must be the URL of a JWK Set, a JWK Set " +
        "{ keys: [...] }, or what createRemoteJWKSet of jose returns.",
      { cause },
    );
  }
}

function keyOf(key: PublicKey | Jwk): KeyFinder {
  const { kty, type, d, priv } = Object(key);
  const isPublic = kty === undefined
    ? type === "public"
    : kty !== "oct" && d === undefined && priv === undefined;
  if (!isPublic) {
    // Not shown: it may be private.
    throw new TypeError(
      "Cannot guard: the option key of jwt must be one public key: a CryptoKey, a KeyObject or a " +
        "JWK. importSPKI of jose makes a CryptoKey of PEM.",
    );
  }
  return publicKey(key as CryptoKey | KeyObject | JWK);
}

function bytesOf(secret: unknown): Uint8Array<ArrayBuffer> {
  const isText = typeof secret === "string";
  // Not shown: it is a secret.
  if (!isText && !(secret instanceof Uint8Array)) {
    throw new TypeError("Cannot guard: the option secret of jwt must be text or a Uint8Array.");
  }
  const bytes = isText ? new TextEncoder().encode(secret) : new Uint8Array(secret);
  if (bytes.length >= 32) return bytes;
  throw new RangeError(
    `Cannot guard: the option secret of jwt must have 32 bytes at least, not ${bytes.length}: a ` +
      'shorter one can be guessed. `randomBytes(32).toString("hex")` of node:crypto makes one.',
  );
}
