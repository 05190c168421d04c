/**
 * The keys that tokens are verified with, and how they are fetched.
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
import type { Clock } from "../core/interface.ts";
import { within } from "../core/within.ts";
import { unauthorized } from "../protocol.ts";

/** A function that returns the key for a token, by a header that is not verified yet. */
export type KeyFinder = JWTVerifyGetKey;

/** The age in milliseconds up to which keys are used if they cannot be fetched again. */
const OLDEST = 3_600_000;
/** The age after which keys are fetched again. */
const RENEWED_AFTER = 600_000;
/** The time after a fetch in which an unknown key starts no other: the default of jose. */
const COOLDOWN = 30_000;
/** The time limit of a fetch. */
const FETCH_LIMIT = 5_000;
/** The time that one attempt waits for a fetch: less than the default deadline. */
const PATIENCE = 500;
/** The time between the starts of two fetches if the first one fails, without keys and with keys. */
const PAUSES = { cold: 1_000, warm: 30_000 };

/** Starts to fetch the keys at a URL, and returns a function that finds one. */
export function keysAt(url: URL): KeyFinder {
  const keys = new RemoteKeys(url);
  return (header, token) => keys.find(header, token);
}

/** A clock whose timers fire in two steps, so that a busy process can read an answer in between. */
const clock: Clock = {
  ...systemClock,
  after(ms, fn) {
    let cancel = systemClock.after(ms / 2, () => {
      cancel = systemClock.after(ms / 2, fn);
    });
    return () => cancel();
  },
};

class RemoteKeys {
  readonly #url: string;
  /** The last set that jose has fetched, and the time of the fetch. */
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

  /** Fetches the keys again. If that fails or takes too long, the last ones are used. */
  async #renew(): Promise<void> {
    await this.#inTime(() => this.#reload()).catch(() => {});
  }

  /** Fetches the keys. Never rejects: an error is reported when a key is needed. */
  async #reload(): Promise<void> {
    await this.#remote.reload().catch((error) => this.#error = error);
  }

  #inTime<T>(call: () => Promise<T>): Promise<T> {
    return within(clock, PATIENCE, this.#url, call);
  }

  async #fetch(...request: Parameters<typeof fetch>): Promise<Response> {
    if (this.#isPausing) throw this.#error ?? new Error("The last fetch has failed.");
    this.#triedAt = Date.now();
    return await fetch(...request);
  }

  /** Whether the last fetch has failed or is running, and it is too early for another one. */
  get #isPausing(): boolean {
    const { uat = -Infinity } = this.#cache;
    const pause = this.#remote.fresh ? PAUSES.warm : PAUSES.cold;
    return this.#triedAt > uat && Date.now() - this.#triedAt < pause;
  }

  get #age(): number {
    return Date.now() - (this.#cache.uat ?? -Infinity);
  }
}

/** Returns a function that finds a key in a set. */
export function keysIn(set: JSONWebKeySet): KeyFinder {
  return keysBy(createLocalJWKSet(set), "the JWK Set");
}

/** Wraps a function of jose that finds keys, and has it fetch them. */
export function keysBy(getter: KeyFinder, name = "the getter"): KeyFinder {
  const remote = getter as Partial<ReturnType<typeof createRemoteJWKSet>>;
  // An error is reported when a key is needed.
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

/** Returns a function that finds a single public key, whatever the `kid` of the token. */
export function publicKey(key: CryptoKey | KeyObject | JWK): KeyFinder {
  if (!("kty" in key)) return () => key;
  const find = createLocalJWKSet({ keys: [key] });
  return ({ alg }) => find({ alg });
}

/** Returns a function that imports a secret, once for each algorithm. */
export function secretKey(secret: Uint8Array<ArrayBuffer>): KeyFinder {
  const keys = new Map<string, Promise<CryptoKey>>();
  return ({ alg }) => {
    const key = keys.get(alg) ?? importSecret(secret, alg);
    keys.set(alg, key);
    return key;
  };
}

/** Imports a secret for an algorithm: `HS256`, `HS384` or `HS512`. */
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

/** Whether there are keys, but none or several match the token. */
function isAboutToken(error: unknown): boolean {
  return isUnknown(error) || codeOf(error) === "ERR_JWKS_MULTIPLE_MATCHING_KEYS";
}

/** Returns the code of an error of jose. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** The error for a key that may be new, while it is too early for another fetch. */
function unknown(retryAfter: number): AuthError {
  const { code, message } = unauthorized("server_error");
  return new AuthError(message, { code, retryAfter: Math.max(0, retryAfter) });
}

/** The error for keys that cannot be fetched or used. */
function unavailable(where: string, error: unknown): AuthError {
  const { code, message } = unauthorized("server_error");
  const cause = new Error(
    `Cannot verify a JWT: no key could be obtained from ${where}. Clients are refused with ` +
      `"server_error" until one can. Check that the server can reach it. The cause: ${error}`,
    { cause: error },
  );
  return new AuthError(message, { code, cause });
}
