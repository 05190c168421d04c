import type { CryptoKey, JSONWebKeySet, JWK, JWTVerifyGetKey, KeyObject } from "jose";
import type { Awaitable, Falsy, VerifyContext } from "../core/answers.ts";
import { count, isFunction, isObject, isText, need } from "../core/checks.ts";
import type { StandardSchema } from "../core/schema.ts";
import type { Id } from "../core/users.ts";
import { type KeyFinder, keysAt, keysBy, keysIn, publicKey, secretKey } from "./keys.ts";

/** A JSON Web Key. */
export interface Jwk {
  /** The key type, such as `RSA`. */
  readonly kty?: string;
  /** The other parameters. */
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

/** A function that returns the key for a token, like those that `createRemoteJWKSet` of jose returns. */
export type KeyGetter = (
  header: { readonly alg: string; readonly kid?: string },
  token: never,
) => unknown;

/** The claims of a verified token. */
export interface JwtClaims {
  /** The subject: the user. */
  readonly sub: string;
  /** The time at which the token expires, in epoch seconds. */
  readonly exp: number;
  /** The issuer. */
  readonly iss?: string;
  /** The audience: the services that the token is for. */
  readonly aud?: string | readonly string[];
  /** The time from which the token is valid, in epoch seconds. */
  readonly nbf?: number;
  /** The time at which the token was issued, in epoch seconds. */
  readonly iat?: number;
  /** The id of the token. Not the id of the session. */
  readonly jti?: string;
  /** Any other claim. */
  readonly [claim: string]: unknown;
}

/**
 * The options of `jwt`. Exactly one of `jwks`, `key` and `secret` is required, and so are `issuer` and
 * `audience`.
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
   * The public keys of the issuer: the URL of a JWK Set, the set itself, or a function that jose
   * returns, such as `createRemoteJWKSet` with options of your own.
   *
   * The set at a URL is fetched when `jwt` is called, and again when a token is verified and the set
   * is older than ten minutes. If that fails, the last set is used until it is an hour old. Without a
   * set, tokens are refused with `server_error`, and the cause goes to `onError`. If the key of a token
   * is not in the set, the set is fetched again, but not within 30 seconds of the last fetch. Until
   * then, such tokens are refused with `server_error` and `retryAfter`.
   */
  readonly jwks?: string | URL | JwkSet | KeyGetter;
  /** A single public key: a `CryptoKey`, a `KeyObject` of Node, or a JWK. The `kid` is ignored. */
  readonly key?: PublicKey | Jwk;
  /** A secret that is shared with the issuer: text or bytes, at least 32 bytes. */
  readonly secret?: string | Uint8Array;
  /** The accepted values of the claim `iss`. With `false`, the claim is not verified. */
  readonly issuer: string | readonly string[] | false;
  /**
   * The accepted values of the claim `aud`. With `false`, the claim is not verified, and tokens that
   * the issuer has issued for other services are accepted.
   */
  readonly audience: string | readonly string[] | false;
  /**
   * The accepted signature algorithms.
   *
   * @default all algorithms with a public key; `HS256` with `secret`
   */
  readonly algorithms?: readonly string[];
  /**
   * The required value of the header `typ`, such as `at+jwt`.
   *
   * @default the header is not verified
   */
  readonly typ?: string;
  /**
   * The number of seconds that a token is accepted after `exp` and before `nbf`, for clocks that
   * differ. Also the `grace` of the session.
   *
   * @default 0
   */
  readonly clockTolerance?: number;
  /**
   * A Standard Schema for the claims. Its output types the claims. Claims that do not match are refused
   * with `authentication_failed`.
   *
   * @default the claims are not validated any further
   */
  readonly claims?: StandardSchema<Claims>;
  /**
   * Returns the user for the claims of a valid token, at once or as a promise. A falsy result refuses
   * the token with `authentication_failed`, so this is the place to look up a deny list. If the
   * function throws an `AuthError`, the client is told its text and code. Any other error goes to
   * `onError`, and the token is refused with `server_error`.
   *
   * @param context contains the `signal` of the attempt
   * @default returns the claims
   */
  user?(claims: Claims, context: Pick<VerifyContext, "signal">): Awaitable<User | Falsy>;
  /**
   * Returns the user's stable id.
   *
   * @default `sub`; with several issuers `iss`, a space and `sub`; also used if nothing is returned
   */
  userId?(claims: Claims): Id | null | undefined;
  /**
   * Returns the stable id of the session. The claim `jti` is unsuitable, because most issuers give each
   * token a new one.
   *
   * @default returns `sid`, or else `session_id`
   */
  sessionId?(claims: Claims): Id | null | undefined;
  /**
   * Returns the token in the credentials. The prefix `Bearer ` is removed. Anything but text is refused
   * with `invalid_credentials`.
   *
   * @default returns `credentials.token`, or the credentials if they are text
   */
  token?(credentials: unknown): unknown;
}

/** The checked options that decide whether a token is valid. */
export interface Trust {
  /** The accepted values of `iss`; `undefined` if the claim is not verified. */
  readonly issuers: string[] | undefined;
  readonly audiences: string[] | undefined;
  readonly algorithms: string[];
  readonly typ: string | undefined;
  readonly clockTolerance: number;
  readonly find: KeyFinder;
}

/** The checked options of one issuer. */
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
 * Checks the options, and starts to fetch the keys.
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
  // Last, because it may start a fetch.
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

/** Returns the given algorithms, or the default for the kind of key. */
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
    // The key may be private, so the error does not show it.
    throw new TypeError(
      "Cannot guard: the option key of jwt must be one public key: a CryptoKey, a KeyObject or a " +
        "JWK. importSPKI of jose makes a CryptoKey of PEM.",
    );
  }
  return publicKey(key as CryptoKey | KeyObject | JWK);
}

function bytesOf(secret: unknown): Uint8Array<ArrayBuffer> {
  const isText = typeof secret === "string";
  // The errors do not show the secret.
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
