import type { Unauthorized } from "./protocol.ts";

/** Options of {@linkcode AuthError}. */
export interface AuthErrorOptions {
  /**
   * The `code` of the `unauthorized` event.
   *
   * @default "authentication_error"
   */
  code?: Unauthorized["code"];
  /** What led to this error. Never sent to the client. */
  cause?: unknown;
}

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

  /**
   * Creates a refusal.
   *
   * @param message told to the client as it is
   * @param options the code to send along, and the cause to keep
   */
  constructor(message: string, options: AuthErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code ?? "authentication_error";
  }
}
