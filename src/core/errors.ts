import { isDuration, isText } from "./checks.ts";
import { isCode, type Unauthorized, unauthorized } from "../protocol.ts";

/** Options of {@linkcode AuthError}. */
export interface AuthErrorOptions {
  /**
   * The `code` of the `unauthorized` event.
   *
   * @default "authentication_error"
   */
  code?: Unauthorized["code"];
  /** Milliseconds after which the client may try again, if known. */
  retryAfter?: number;
  /**
   * Whether connecting again may help without any other change.
   *
   * @default the value that PROTOCOL.md lists for the code; `true` with `retryAfter`
   */
  reconnect?: boolean;
  /**
   * The cause of the error. Never sent to the client. With the code `server_error`, it is passed to
   * `onError`.
   */
  cause?: unknown;
}

/** A registered symbol, so that errors of another copy of this package are recognized. */
const BRAND = Symbol.for("@socketio-auth/socketio-auth:AuthError");

/**
 * A refusal whose text is meant for the client. When a verifier throws, only the message of an
 * `AuthError` leaves the server. Any other error is told to the client as `server_error`, and goes
 * to `onError`. (An error that is given to the callback of `authenticate` is a refusal with its
 * message, as in the original module.)
 *
 * @example
 * ```ts
 * throw new AuthError("This account is locked", { code: "account_locked" });
 * ```
 */
export class AuthError extends Error {
  /** Always `"AuthError"`. */
  override readonly name: string = "AuthError";
  /** The `code` of the `unauthorized` event. */
  readonly code: Unauthorized["code"];
  /** Milliseconds that the client is to wait before it tries again. */
  readonly retryAfter: number | undefined;
  /** Whether connecting again may help; if `undefined`, the code decides. */
  readonly reconnect: boolean | undefined;

  /**
   * Creates a refusal.
   *
   * @param message the text that the client is told
   * @param options the code and further details for the client, and the cause to keep
   * @throws {TypeError} if an option is of the wrong kind
   * @throws {RangeError} if `retryAfter` is negative or not finite
   */
  constructor(message: string, options: AuthErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    const { code = "authentication_error", retryAfter, reconnect } = options;
    if (!isText(code)) {
      throw new TypeError(`An AuthError's code must be text, not ${typeof code}.`);
    }
    if (retryAfter !== undefined && typeof retryAfter !== "number") {
      throw new TypeError(`An AuthError's retryAfter must be a number, not ${typeof retryAfter}.`);
    }
    if (retryAfter !== undefined && !isDuration(retryAfter)) {
      throw new RangeError(
        `An AuthError's retryAfter must be milliseconds, finite and not negative, got ${retryAfter}.`,
      );
    }
    if (reconnect !== undefined && typeof reconnect !== "boolean") {
      throw new TypeError(
        `An AuthError's reconnect must be true or false, not ${typeof reconnect}.`,
      );
    }
    this.code = code;
    this.retryAfter = retryAfter;
    this.reconnect = reconnect;
  }
}

Object.defineProperty(AuthError.prototype, BRAND, { value: true });

/** Returns whether `error` is an {@linkcode AuthError} of any copy of this package. */
export function isAuthError(error: unknown): boolean {
  return readProperty(error, BRAND) === true;
}

/** A refusal, with the error that is reported to the operator, if any. */
export interface Refused {
  readonly refusal: Unauthorized;
  readonly error?: unknown;
  /** The cause of a `server_error`, which is reported and costs no point. */
  readonly cause?: unknown;
}

/**
 * Returns the refusal for an error that is meant for the client: an `AuthError`, or the error that
 * the callback was given. Only text, numbers and booleans of it are sent. An error without a proper
 * message or code is returned as `error`, too.
 */
export function refusalOf(error: unknown): Refused {
  const own = isAuthError(error);
  const message = typeof error === "string" ? error : readProperty(error, "message");
  const code = own ? readProperty(error, "code") : "authentication_error";
  const retryAfter = own ? readProperty(error, "retryAfter") : undefined;
  const reconnect = own ? readProperty(error, "reconnect") : undefined;
  const defaults = unauthorized(isText(code) && isCode(code) ? code : "authentication_error");
  const refusal: Unauthorized = {
    message: typeof message === "string" ? message : defaults.message,
    code: isText(code) ? code : defaults.code,
    reconnect: typeof reconnect === "boolean"
      ? reconnect
      : defaults.reconnect || isDuration(retryAfter),
    ...isDuration(retryAfter) && { retryAfter },
  };
  if (typeof message !== "string" || !isText(code)) return { refusal, error };
  const cause = code === "server_error" ? readProperty(error, "cause") : undefined;
  return cause === undefined ? { refusal } : { refusal, cause };
}

/** Returns whether `value` is an error, or an `AuthError` of another copy of this package. */
export function isError(value: unknown): boolean {
  try {
    return value instanceof Error || BRAND in Object(value);
  } catch {
    // Some values throw when their prototype is read.
    return false;
  }
}

/** Reads a property of an error, which may throw when it is read. */
function readProperty(value: unknown, name: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
