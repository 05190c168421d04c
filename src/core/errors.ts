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
  /** After how many milliseconds the client may try again, where that is known. */
  retryAfter?: number;
  /**
   * Whether connecting again may help without anybody changing anything.
   *
   * @default what PROTOCOL.md says of the code; `true` with `retryAfter`
   */
  reconnect?: boolean;
  /** What led to this error. Never sent to the client. */
  cause?: unknown;
}

/** A registered symbol, so that the errors of a second copy of this package are known, too. */
const BRAND = Symbol.for("@socketio-auth/socketio-auth:AuthError");

/**
 * A refusal whose text is meant for the client. It is the only error whose
 * message leaves the server when thrown; any other one is told to the client as
 * `server_error` and goes to `onError`. (An error given to the callback is a
 * refusal too, with its message, as in the original module.)
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
  /** Milliseconds, where the client is to wait before it tries again. */
  readonly retryAfter: number | undefined;
  /** Whether connecting again may help; left to the code if `undefined`. */
  readonly reconnect: boolean | undefined;

  /**
   * Creates a refusal.
   *
   * @param message told to the client as it is
   * @param options what to send along, and the cause to keep
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

/** Whether this is an {@linkcode AuthError}, of whichever copy of this package. */
export function isAuthError(error: unknown): boolean {
  return readProperty(error, BRAND) === true;
}

/** A refusal; `error` is what the operator should hear about, if anything. */
export interface Refused {
  /** What the client is told. */
  readonly refusal: Unauthorized;
  readonly error?: unknown;
}

/**
 * The refusal for an error that is meant for the client: an `AuthError`, or
 * whatever the callback was given. Only text, numbers and booleans of it are
 * sent, whatever it was made to be; the operator hears of one that says nothing.
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
  return typeof message === "string" && isText(code) ? { refusal } : { refusal, error };
}

/** Whether it is an error of any kind, also an `AuthError` of another copy of this package. */
export function isError(value: unknown): boolean {
  try {
    return value instanceof Error || BRAND in Object(value);
  } catch {
    // Not even its prototype can be looked at.
    return false;
  }
}

/** An error may be anything, also something that throws when it is looked at. */
function readProperty(value: unknown, name: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
