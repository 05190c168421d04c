/**
 * The wire protocol: event names, payload types and codes. PROTOCOL.md tells
 * the same in prose. This module runs anywhere and imports nothing.
 *
 * @module
 */

/** The version of the wire protocol, as documented in PROTOCOL.md. */
export const PROTOCOL_VERSION = 2;

/** Client to server: the credentials, optionally with an acknowledgement. */
export const AUTHENTICATION = "authentication";
/** Server to client: the client is authenticated. */
export const AUTHENTICATED = "authenticated";
/** Server to client: the client is not, or no longer, authenticated. */
export const UNAUTHORIZED = "unauthorized";
/** Server to client: a further question, whose answer is its acknowledgement. */
export const CHALLENGE = "challenge";

/** Why a client was refused or signed out. Stable: safe to compare against. */
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

/** What `unauthorized` carries. */
export interface Unauthorized {
  /** For people. Its wording may change between versions. */
  message: string;
  /** For programs: a {@linkcode Code}, or the `code` an `AuthError` was given. */
  code: Code | (string & Record<never, never>);
  /** Whether connecting again may help without anyone changing anything. */
  reconnect: boolean;
  /** Milliseconds to wait before the next attempt, where the server knows. */
  retryAfter?: number;
}

/** The second argument of `authenticated`. */
export interface AuthenticatedInfo {
  /** When the session ends, in epoch milliseconds by the server's clock; absent if it does not. */
  expiresAt?: number;
  /** The same in milliseconds from now, for clients whose clock is wrong. */
  expiresIn?: number;
}

/** What the acknowledgement of `authentication` carries. */
export type Outcome =
  | ({ ok: true; reply: unknown } & AuthenticatedInfo)
  | ({ ok: false } & Declined);

/** A refusal, of which the client is told by an acknowledgement. */
export interface Declined extends Unauthorized {
  /** The client stays signed in: its session goes on to its own end. */
  kept?: true;
}

/**
 * What the server sends, to merge into the events that a typed socket of socket.io-client
 * listens to.
 */
export interface AuthServerToClientEvents<Reply = true, Challenge = unknown> {
  /**
   * The client is authenticated; `reply` is what the server's option makes it. A session that does
   * not end by itself comes without `info`.
   */
  authenticated: (reply: Reply, info?: AuthenticatedInfo) => void;
  /** The client is not, or no longer, authenticated. */
  unauthorized: (reason: Unauthorized) => void;
  /** A further question. */
  challenge: (data: Challenge, acknowledge: (answer: unknown) => void) => void;
}

/** What the client sends, to merge into the events that a typed socket emits. */
export interface AuthClientToServerEvents<Credentials = unknown> {
  /** The credentials; with an acknowledgement, that is told the outcome. */
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

/** The payload of `unauthorized` for a code, with the protocol's own text. */
export function unauthorized(code: Code): Unauthorized {
  const [message, reconnect] = texts[code];
  return { message, code, reconnect };
}

/** Whether a code is one of the protocol's own. */
export function isCode(code: string): code is Code {
  return Object.hasOwn(texts, code);
}

/** Answers an `authentication` event that was sent with an acknowledgement. */
export type Acknowledge = (outcome: Outcome) => void;

/**
 * Reads the arguments of an `authentication` event, which come from the
 * client and may be anything: `(credentials)`, `(credentials, ack)`, `(ack)`
 * or nothing at all.
 */
export function parseAuthentication(
  args: readonly unknown[],
): { credentials: unknown; acknowledge: Acknowledge | undefined } {
  const last = args.at(-1);
  const acknowledge = typeof last === "function" ? last as Acknowledge : undefined;
  const credentials = args[0] === acknowledge ? undefined : args[0];
  return { credentials, acknowledge };
}
