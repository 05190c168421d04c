/**
 * The wire protocol: event names, payload types and codes. PROTOCOL.md documents it in prose. This
 * module runs anywhere and imports nothing.
 *
 * @module
 */

/** The version of the wire protocol, as documented in PROTOCOL.md. */
export const PROTOCOL_VERSION = 2;

/** Sent by the client: the credentials, optionally with an acknowledgement. */
export const AUTHENTICATION = "authentication";
/** Sent by the server: the client is authenticated. */
export const AUTHENTICATED = "authenticated";
/** Sent by the server: the client is not, or no longer, authenticated. */
export const UNAUTHORIZED = "unauthorized";
/** Sent by the server: a further question. The client answers with the acknowledgement. */
export const CHALLENGE = "challenge";

/**
 * The reason why an attempt was refused or a session ended. Codes are stable: programs may compare
 * them.
 */
export type Code =
  | "authentication_failed"
  | "authentication_error"
  | "invalid_credentials"
  | "server_error"
  | "timeout"
  | "expired"
  | "revoked"
  | "signed_out"
  | "subject_mismatch"
  | "forbidden"
  | "attempt_in_progress"
  | "too_many_attempts"
  | "too_many_events"
  | "server_busy";

/** The payload of `unauthorized`. */
export interface Unauthorized {
  /** A text for people. The wording may change between versions. */
  message: string;
  /** For programs: a {@linkcode Code}, or the `code` that an `AuthError` was given. */
  code: Code | (string & Record<never, never>);
  /** Whether connecting again may help without any other change. */
  reconnect: boolean;
  /** Milliseconds to wait before the next attempt, if the server knows. */
  retryAfter?: number;
}

/** The second argument of `authenticated`. */
export interface AuthenticatedInfo {
  /**
   * When the session ends, in epoch milliseconds by the server's clock. Absent if the session does
   * not end by itself.
   */
  expiresAt?: number;
  /** Milliseconds from now until `expiresAt`, for clients whose clock is wrong. */
  expiresIn?: number;
}

/** The argument of the acknowledgement of `authentication`. */
export type Outcome =
  | ({ ok: true; reply: unknown } & AuthenticatedInfo)
  | ({ ok: false } & Declined);

/** A refusal, as an acknowledgement tells it. */
export interface Declined extends Unauthorized {
  /** Set if the client stays signed in: its session goes on to its own end. */
  kept?: true;
}

/**
 * The events that the server sends, to merge into those that a typed socket of socket.io-client
 * listens to.
 *
 * @typeParam Reply the value that the server's option `reply` returns
 * @typeParam Challenge the questions that the server asks
 */
export interface AuthServerToClientEvents<Reply = true, Challenge = unknown> {
  /**
   * The client is authenticated. `reply` is what the server's option `reply` returned. `info` is
   * absent if the session does not end by itself.
   */
  authenticated: (reply: Reply, info?: AuthenticatedInfo) => void;
  /** The client is not, or no longer, authenticated. */
  unauthorized: (reason: Unauthorized) => void;
  /** A further question. */
  challenge: (data: Challenge, acknowledge: (answer: unknown) => void) => void;
}

/** The events that the client sends, to merge into those that a typed socket emits. */
export interface AuthClientToServerEvents<Credentials = unknown> {
  /** The credentials. An acknowledgement, if there is one, is called with the outcome. */
  authentication: (credentials: Credentials, acknowledge?: Acknowledge) => void;
}

const texts: Record<Code, [message: string, reconnect: boolean]> = {
  authentication_failed: ["Authentication failure", false],
  authentication_error: ["Authentication error", false],
  invalid_credentials: ["Invalid credentials", false],
  server_error: ["Internal server error", true],
  timeout: ["Authentication timeout", true],
  expired: ["Session expired", true],
  revoked: ["Session revoked", false],
  signed_out: ["Signed out", false],
  subject_mismatch: ["Signed in as another user", false],
  forbidden: ["Forbidden", false],
  attempt_in_progress: ["An authentication attempt is already in progress", false],
  too_many_attempts: ["Too many authentication attempts", false],
  too_many_events: ["Too many events before authentication", false],
  server_busy: ["Server busy", true],
};

/** Returns the payload of `unauthorized` for a code, with the protocol's own text. */
export function unauthorized(code: Code): Unauthorized {
  const [message, reconnect] = texts[code];
  return { message, code, reconnect };
}

/** Returns whether a code is one of the protocol's own. */
export function isCode(code: string): code is Code {
  return Object.hasOwn(texts, code);
}

/** Answers an `authentication` event that was sent with an acknowledgement. */
export type Acknowledge = (outcome: Outcome) => void;

/**
 * Reads the arguments of an `authentication` event. They come from the client and may be anything:
 * `(credentials)`, `(credentials, ack)`, `(ack)`, or nothing at all.
 */
export function parseAuthentication(
  args: readonly unknown[],
): { credentials: unknown; acknowledge: Acknowledge | undefined } {
  const last = args.at(-1);
  const acknowledge = typeof last === "function" ? last as Acknowledge : undefined;
  const credentials = args[0] === acknowledge ? undefined : args[0];
  return { credentials, acknowledge };
}
