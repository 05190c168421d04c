/**
 * Where the keys come from that tokens are verified with.
 *
 * @module
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type CryptoKey,
  customFetch,
  type ExportedJWKSCache,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWK,
  jwksCache,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
  type KeyObject,
} from "jose";
import { systemClock } from "../core/clock.ts";
import { AuthError, isAuthError } from "../core/errors.ts";
import { within } from "../core/within.ts";
import { unauthorized } from "../protocol.ts";

/** Finds the key for a token by its header, which nothing has verified yet. */
export type KeyFinder = JWTVerifyGetKey;

/** How old keys may get, in milliseconds, while newer ones cannot be had. */
const OLDEST = 3_600_000;
/** How old they may be before newer ones are asked for. */
const RENEWED_AFTER = 600_000;
/** How long after a fetch an unknown key leads to no other, as jose has it by default. */
const COOLDOWN = 30_000;
/** How long a fetch may take. */
const FETCH_LIMIT = 5_000;
/** How long one sign-in waits for a fetch: less than the deadline that it has by default. */
const PATIENCE = 500;
/** How long after the beginning of a fetch that fails there is no other: without keys, and with some. */
const PAUSES = { cold: 1_000, warm: 30_000 };

/** The keys at a URL: fetched now, and again when they are old, or when one is not among them. */
export function keysAt(url: URL): KeyFinder {
  const keys = new RemoteKeys(url);
  return (header, token) => keys.find(header, token);
}

class RemoteKeys {
  readonly #url: string;
  /** What jose has fetched last, and when. */
  readonly #cache: Partial<ExportedJWKSCache> = {};
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  #triedAt = -Infinity;
  #error: unknown;

  constructor(url: URL) {
    this.#url = url.href;
    this.#remote = createRemoteJWKSet(url, {
      cacheMaxAge: OLDEST,
      cooldownDuration: COOLDOWN,
      timeoutDuration: FETCH_LIMIT,
      [jwksCache]: this.#cache as Record<string, never>,
      [customFetch]: (...request) => this.#fetch(...request),
    });
    void this.#reload();
  }

  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#remote.fresh && this.#age >= RENEWED_AFTER && !this.#isPausing) await this.#renew();
    const wasCooling = this.#remote.coolingDown;
    try {
      return await this.#inTime(() => this.#remote(header, token));
    } catch (error) {
      if (!isAboutToken(error)) throw unavailable(this.#url, this.#error = error);
      throw wasCooling && isUnknown(error) ? unknown(COOLDOWN - this.#age) : error;
    }
  }

  /** Asks for newer keys. While they do not come, those that are there are good. */
  async #renew(): Promise<void> {
    await this.#inTime(() => this.#reload()).catch(() => {});
  }

  /** Never rejects: what fails is told when a key is wanted. */
  async #reload(): Promise<void> {
    await this.#remote.reload().catch((error) => this.#error = error);
  }

  #inTime<T>(call: () => Promise<T>): Promise<T> {
    return within(systemClock, PATIENCE, this.#url, call);
  }

  async #fetch(...request: Parameters<typeof fetch>): Promise<Response> {
    if (this.#isPausing) throw this.#error;
    this.#triedAt = Date.now();
    return await fetch(...request);
  }

  /** Whether the last fetch has brought nothing, and it is too early for another. */
  get #isPausing(): boolean {
    const { uat = -Infinity } = this.#cache;
    const pause = this.#remote.fresh ? PAUSES.warm : PAUSES.cold;
    return this.#triedAt > uat && Date.now() - this.#triedAt < pause;
  }

  get #age(): number {
    return Date.now() - (this.#cache.uat ?? -Infinity);
  }
}

/** A set that does not change, as jose finds keys in it. */
export function keysIn(set: JSONWebKeySet): KeyFinder {
  return keysBy(createLocalJWKSet(set), "the JWK Set");
}

/** The keys that a getter finds: one of jose, or a function like it. */
export function keysBy(getter: KeyFinder, name = "the getter"): KeyFinder {
  const remote = getter as Partial<ReturnType<typeof createRemoteJWKSet>>;
  // What fails is told when a key is wanted.
  void remote.reload?.().catch(() => {});
  return async (header, token) => {
    const wasCooling = remote.coolingDown === true;
    try {
      return await getter(header, token);
    } catch (error) {
      if (!isAboutToken(error)) throw isAuthError(error) ? error : unavailable(name, error);
      throw wasCooling && isUnknown(error) ? unknown(COOLDOWN) : error;
    }
  };
}

/** One public key, for tokens of whatever `kid`. */
export function publicKey(key: CryptoKey | KeyObject | JWK): KeyFinder {
  if (!("kty" in key)) return () => key;
  const find = createLocalJWKSet({ keys: [key] });
  return ({ alg }) => find({ alg });
}

/** A secret, which is made a key once for each algorithm. */
export function secretKey(secret: Uint8Array<ArrayBuffer>): KeyFinder {
  const keys = new Map<string, Promise<CryptoKey>>();
  return ({ alg }) => {
    const key = keys.get(alg) ?? importSecret(secret, alg);
    keys.set(alg, key);
    return key;
  };
}

/** @param alg one of those allowed: `HS256`, `HS384` or `HS512` */
function importSecret(secret: Uint8Array<ArrayBuffer>, alg: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: alg.replace("HS", "SHA-") };
  // To Deno's compiler, the CryptoKey of jose is none of the runtime's.
  const key: Promise<unknown> = crypto.subtle.importKey("raw", secret, algorithm, false, [
    "verify",
  ]);
  return key as Promise<CryptoKey>;
}

function isUnknown(error: unknown): boolean {
  return codeOf(error) === "ERR_JWKS_NO_MATCHING_KEY";
}

/** Whether the keys are there, and the token says of none, or of several, that it is the one. */
function isAboutToken(error: unknown): boolean {
  return isUnknown(error) || codeOf(error) === "ERR_JWKS_MULTIPLE_MATCHING_KEYS";
}

/** The code that jose has given an error. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** The key may be a new one, and it is too early to look: nothing is known of the token. */
function unknown(retryAfter: number): AuthError {
  const { code, message } = unauthorized("server_error");
  return new AuthError(message, { code, retryAfter: Math.max(0, retryAfter) });
}

function unavailable(where: string, error: unknown): AuthError {
  const { code, message } = unauthorized("server_error");
  const cause = new Error(
    `No JWT can be verified: there was no key to be had from ${where}. Its clients are told ` +
      `"server_error" until there is. What went wrong: ${String(error)}`,
    { cause: error },
  );
  return new AuthError(message, { code, cause });
}
