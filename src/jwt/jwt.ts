/**
 * A verifier for JSON Web Tokens, with [jose](https://github.com/panva/jose) as a peer dependency.
 *
 * @example
 * ```ts
 * import { jwt } from "@socketio-auth/socketio-auth/jwt";
 *
 * socketioAuth(io, {
 *   ...jwt({
 *     jwks: "https://id.example/.well-known/jwks.json",
 *     issuer: "https://id.example/",
 *     audience: "chat",
 *   }),
 *   handshake: true,
 * });
 * ```
 *
 * @module
 */
import {
  type CryptoKey,
  decodeJwt,
  errors,
  jwtVerify,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from "jose";
import type { VerifyContext } from "../core/answers.ts";
import { isText } from "../core/checks.ts";
import { AuthError, type AuthErrorOptions, isAuthError } from "../core/errors.ts";
import type { StandardSchema } from "../core/schema.ts";
import { type Admission, admit } from "../core/users.ts";
import { type Code, unauthorized } from "../protocol.ts";
import { codeOf } from "./keys.ts";
import { type Issuer, type JwtClaims, type JwtOptions, resolve, type Trust } from "./options.ts";

export type { Jwk, JwkSet, JwtClaims, JwtOptions, KeyGetter, PublicKey } from "./options.ts";

/**
 * The options that `jwt` returns, to be spread into the options of `socketioAuth`.
 *
 * @typeParam User the user
 */
export interface JwtPolicy<User> {
  /** Verifies the token in the credentials. */
  readonly verify: (
    socket: unknown,
    // deno-lint-ignore no-explicit-any -- credentials are what the client sends
    credentials: any,
    context: VerifyContext,
  ) => Promise<Admission<User> | undefined>;
  /** The option `clockTolerance` in milliseconds. */
  readonly grace: number;
}

/** The number of keys that are tried at most for a token without a `kid`. */
const MOST_KEYS = 16;

/**
 * Returns the options `verify` and `grace` for the tokens of one issuer, or of a list of issuers. In a
 * list, the claim `iss` of a token selects the issuer, whose own keys then verify the token.
 *
 * jose verifies the signature, the algorithm and the claims `iss`, `aud`, `exp` and `nbf`. The claims
 * `sub` and `exp` are required, and the session ends at `exp`. A token that is valid but has expired is
 * refused with `expired`, any other token with `authentication_failed`, and credentials without text
 * with `invalid_credentials`. If the keys cannot be fetched, tokens are refused with `server_error`.
 *
 * A token is accepted until `exp`, also if it was revoked: see the option `user`.
 *
 * @typeParam Claims the claims, as the option `claims` types them
 * @typeParam User the user, as the option `user` types it
 * @param options the options of an issuer, or a list of them
 * @throws {TypeError} if an option is unknown, missing or of the wrong kind
 * @throws {RangeError} if `clockTolerance` is out of range, or `secret` too short
 *
 * @example
 * ```ts
 * import { jwt } from "@socketio-auth/socketio-auth/jwt";
 *
 * socketioAuth(io, {
 *   ...jwt({
 *     jwks: "https://id.example/.well-known/jwks.json",
 *     issuer: "https://id.example/",
 *     audience: "chat",
 *   }),
 *   handshake: true,
 * });
 * ```
 */
export function jwt<Claims = JwtClaims, User = Claims>(
  options: JwtOptions<Claims, User> | readonly JwtOptions<Claims, User>[],
): JwtPolicy<User> {
  const list = [options].flat() as JwtOptions<Claims, User>[];
  checkTogether(list);
  const issuers = list.map((options) => resolve(options));
  const choose = chooserOf(issuers);
  const { clockTolerance, options: { token: tokenOf = defaultToken } } = issuers[0]!;
  const areSeveral = issuers.flatMap(({ issuers }) => issuers ?? []).length > 1;
  return {
    grace: clockTolerance * 1000,
    async verify(_socket, credentials, context) {
      const found = await tokenOf(credentials);
      if (!isText(found)) throw refusal("invalid_credentials");
      const token = found.replace(/^Bearer +/i, "");
      const issuer = choose(token);
      const verified = issuer && await check(token, issuer);
      if (!verified) return undefined;
      const { payload, hasExpired } = verified;
      const { options } = issuer;
      const fitting = await fit(payload, options.claims);
      if (!fitting) return undefined;
      if (hasExpired) throw refusal("expired", { reconnect: false });
      const { claims } = fitting;
      const user = options.user ? await options.user(claims, context) : claims as unknown as User;
      if (!user) return undefined;
      const { iss, sub, sid, session_id, exp } = payload;
      const name = areSeveral ? `${iss} ${sub}` : sub;
      return admit(user, {
        // Without an id, the core would look for one in the user.
        userId: options.userId?.(claims) ?? name,
        sessionId: options.sessionId ? options.sessionId(claims) : [sid, session_id].find(isText),
        expiresAt: exp * 1000,
      });
    },
  };
}

/** Checks the options that have to agree, because they are needed before an issuer is selected. */
function checkTogether<Claims, User>(list: readonly JwtOptions<Claims, User>[]): void {
  if (list.length === 0) {
    throw new TypeError("Cannot guard: the list that jwt was given is empty: name an issuer.");
  }
  if (list.length === 1) return;
  const named = list.flatMap((options) => Object(options).issuer);
  const isRight = named.every((name) => isText(name) && !name.includes(" "));
  if (!isRight || new Set(named).size < named.length) {
    throw new TypeError(
      "Cannot guard: of several issuers, each needs its own option issuer of jwt, a text without " +
        "spaces, or a list. The claim iss chooses one of them.",
    );
  }
  for (const name of ["token", "clockTolerance"] as const) {
    if (new Set(list.map((options) => options[name] ?? 0)).size === 1) continue;
    throw new TypeError(
      `Cannot guard: the option ${name} of jwt must be the same for all issuers, as ${
        name === "token" ? "the token says which it is" : "it is the grace of every session"
      }.`,
    );
  }
}

/** Returns a function that selects an issuer by the claim `iss`, which is not verified yet. */
function chooserOf<Claims, User>(
  all: readonly Issuer<Claims, User>[],
): (token: string) => Issuer<Claims, User> | undefined {
  if (all.length === 1) return () => all[0];
  const byName = new Map(all.flatMap((one) => one.issuers!.map((name) => [name, one] as const)));
  return (token) => {
    try {
      return byName.get(decodeJwt(token).iss!);
    } catch {
      return undefined;
    }
  };
}

function defaultToken(credentials: unknown): unknown {
  return isText(credentials) ? credentials : Object(credentials).token;
}

/** The claims of a token whose signature and claims are valid, except that it may have expired. */
interface Verified {
  readonly payload: JwtClaims;
  readonly hasExpired: boolean;
}

/**
 * Verifies a token, as of the time `at` if it is given. Resolves with `undefined` if the token is not
 * valid.
 *
 * @throws {AuthError} if the keys cannot be had
 */
async function check(token: string, trust: Trust, at?: Date): Promise<Verified | undefined> {
  try {
    const { payload } = await verifyWith(trust, token, at);
    const isWhole = isText(payload.sub) && Number.isFinite(payload.exp! * 1000);
    return isWhole ? { payload: payload as JwtClaims, hasExpired: at !== undefined } : undefined;
  } catch (error) {
    if (isAuthError(error)) throw error;
    if (at || !(error instanceof errors.JWTExpired)) return undefined;
    // jose does not document that all other claims have been verified by then.
    return await check(token, trust, new Date((error.payload.exp! - 1) * 1000));
  }
}

async function verifyWith(trust: Trust, token: string, at?: Date): Promise<JWTVerifyResult> {
  const { issuers, audiences, algorithms, typ, clockTolerance, find } = trust;
  const options: JWTVerifyOptions = {
    algorithms,
    clockTolerance,
    requiredClaims: ["sub", "exp"],
    ...issuers && { issuer: issuers },
    ...audiences && { audience: audiences },
    ...typ !== undefined && { typ },
    ...at && { currentDate: at },
  };
  try {
    return await jwtVerify(token, find, options);
  } catch (error) {
    if (codeOf(error) !== "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
    return await tryEach(
      error as AsyncIterable<CryptoKey>,
      (key) => jwtVerify(token, key, options),
    );
  }
}

/** Tries one key after the other, for a token without a `kid`. */
async function tryEach<T>(
  keys: AsyncIterable<CryptoKey>,
  verify: (key: CryptoKey) => Promise<T>,
): Promise<T | never> {
  let tried = 0;
  for await (const key of keys) {
    try {
      return await verify(key);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      if (++tried === MOST_KEYS) break;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** Returns the output of the schema, or `undefined` if the claims do not match. */
async function fit<Claims>(
  payload: JwtClaims,
  schema: StandardSchema<Claims> | undefined,
): Promise<{ readonly claims: Claims } | undefined> {
  if (!schema) return { claims: payload as Claims };
  const result = await schema["~standard"].validate(payload);
  return result.issues ? undefined : { claims: result.value };
}

function refusal(code: Code, options: AuthErrorOptions = {}): AuthError {
  return new AuthError(unauthorized(code).message, { code, ...options });
}
