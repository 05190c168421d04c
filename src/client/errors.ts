import type { Code, Unauthorized } from "../protocol.ts";

/**
 * Why a client is not signed in: a {@linkcode Code} of the server, or one of its own, whose
 * reason is the error's `cause`:
 *
 * - `credentials_failed`: the function that brings them threw, or took too long.
 * - `challenge_failed`: `onChallenge` threw, or there is none.
 * - `no_answer`: the server has not answered. Is it guarded?
 * - `connect_error`: a middleware of the server has refused the connection.
 * - `disconnected`: the connection is closed, nobody has said why, and nobody reconnects it.
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
  /** Milliseconds that the server wants the client to wait, where it has said so. */
  declare readonly retryAfter: number | undefined;

  /** An error with what `unauthorized` carries. */
  constructor({ message, code, reconnect, retryAfter }: Unauthorized, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, { name: "UnauthorizedError", code, reconnect, retryAfter });
  }
}

/** An error of the client's own. */
export function failure(code: ClientCode, cause?: unknown, reconnect = false): UnauthorizedError {
  const message = cause instanceof Error ? `${code}: ${cause.message}` : code;
  return new UnauthorizedError({ code, message, reconnect }, { cause });
}
