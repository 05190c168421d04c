import type { Code } from "../protocol.ts";

/**
 * Why a client is not signed in: a {@linkcode Code} of the server, or one of the client's own. The
 * reason is then the error's `cause`.
 *
 * - `credentials_failed`: the function that brings the credentials threw, or took longer than
 *   `credentialsTimeout`.
 * - `challenge_failed`: `onChallenge` threw, or is missing.
 * - `no_answer`: the server has not answered within `timeout`. A server that is not guarded does not.
 * - `connect_error`: the server cannot be reached, or a middleware has refused the connection.
 * - `disconnected`: the connection is closed, the server gave no reason, and nothing reconnects it.
 * - `stopped`: {@linkcode ClientSession.stop} was called.
 */
export type ClientCode =
  | Code
  | "credentials_failed"
  | "challenge_failed"
  | "no_answer"
  | "connect_error"
  | "disconnected"
  | "stopped";

/** Why a client is not, or no longer, signed in. */
export class UnauthorizedError extends Error {
  /** For programs: a {@linkcode ClientCode}, or the `code` an `AuthError` was given. */
  declare readonly code: ClientCode | (string & Record<never, never>);
  /** Whether connecting again may help without anyone changing anything. */
  declare readonly reconnect: boolean;
  /** Milliseconds that the server wants the client to wait, where the server has said so. */
  declare readonly retryAfter: number | undefined;

  /**
   * Creates an error of what `unauthorized` carries. A field that is not of the right kind counts
   * as missing.
   */
  constructor(reason: unknown, options?: ErrorOptions) {
    const { message, code, reconnect, retryAfter } = Object(reason);
    const name = typeof code === "string" ? code : "authentication_error";
    super(typeof message === "string" ? message : name, options);
    this.name = "UnauthorizedError";
    this.code = name;
    this.reconnect = reconnect === true;
    this.retryAfter = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined;
  }
}

/** An error of the client's own. */
export function failure(code: ClientCode, cause?: unknown, reconnect = false): UnauthorizedError {
  if (typeof cause === "string") cause = new Error(cause);
  const message = cause instanceof Error && `${code}: ${cause.message}`;
  return new UnauthorizedError({ code, message, reconnect }, { cause });
}

/** Throws unless the arguments of `authenticate` follow a rule. */
export function check(isRight: unknown, rule: string, Kind: ErrorConstructor = TypeError): void {
  if (!isRight) throw new Kind(`Cannot sign in: ${rule}`);
}
