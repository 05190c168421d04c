import type { AuthenticatedInfo } from "../protocol.ts";
import type { UnauthorizedError } from "./errors.ts";
import type { SessionState } from "./machine.ts";

/** A socket of socket.io-client, as far as applications know it. */
export interface ClientSocket {
  /** The id of the connection to the namespace. */
  readonly id?: string | undefined;
  /** Whether the namespace is connected. */
  readonly connected: boolean;
  /** Whether the socket is connected, or Socket.IO goes on trying. */
  readonly active: boolean;
  /** Connects the socket. */
  connect(): unknown;
  /** Disconnects the socket. */
  disconnect(): unknown;
  /** Sets a timeout for the next acknowledgement. */
  timeout(ms: number): unknown;
}

/** The parameter of the function that brings credentials. */
export interface Question {
  /** Aborted when the session has stopped. */
  readonly signal: AbortSignal;
  /** The last error, if there is one: for `expired`, bring another token. */
  readonly reason: UnauthorizedError | undefined;
  /** How many times the client has tried since a session last held, this time included. */
  readonly attempt: number;
}

/**
 * Credentials, or a function that brings them, which is called before each sign-in and each
 * refresh, and returns them or a promise. What it throws fails the sign-in with `credentials_failed`, and the client tries again. An
 * error whose `reconnect` is `false` stops the client.
 *
 * The function is never called twice at a time. A call that takes longer than `credentialsTimeout`
 * goes on, and what it brings late is used.
 *
 * After `authentication_failed` the function is called once more; the client signs in again if what
 * it brings differs from what was refused.
 */
export type CredentialsSource<
  Credentials = string | number | boolean | object | null | undefined,
> =
  | Credentials
  | ((question: Question) => Credentials | Promise<Credentials>);

/** Options of {@linkcode authenticate}. All times are in milliseconds. */
// deno-lint-ignore no-explicit-any -- what a server asks is between it and its client
export interface AuthenticateOptions<Reply = unknown, Challenge = any> {
  /**
   * Called when the server asks a further question in the course of a sign-in or refresh; what
   * it returns, or its promise resolves with, is the answer. If it throws, or there is no such
   * function, the client stops with `challenge_failed`.
   */
  onChallenge?(data: Challenge): unknown;
  /** Called after each sign-in and each refresh, with what the server has sent along. */
  onAuthenticated?(reply: Reply, info: AuthenticatedInfo): void;
  /**
   * Called whenever a sign-in or refresh fails or a session ends, for whatever reason; not by
   * {@linkcode ClientSession.stop}. The session's `state` tells what comes of it: `waiting` to
   * try again, `stopped`, or still `authenticated`, if it was a refresh that brought no
   * credentials.
   */
  onUnauthorized?(error: UnauthorizedError): void;
  /**
   * Sends credentials in the CONNECT packet, together with the socket's `auth`: the client signs
   * in without an extra round trip where the server's option `handshake` is `true`, and by an event
   * where it is not. Credentials have to be an object.
   *
   * @default false
   */
  handshake?: boolean;
  /**
   * How long before the end of a session it is refreshed; half the session's time, if that is
   * shorter.
   *
   * @default 30_000
   */
  refreshMargin?: number;
  /**
   * How long the function that brings credentials may take. Raise it (up to `Infinity`) if
   * somebody has to type them, and the server's `connectTimeout` with it.
   *
   * @default 5_000
   */
  credentialsTimeout?: number;
  /**
   * How long to wait for the server's answer. A guarded server answers by its own deadline, or
   * within 30 seconds; this is for one that is not guarded.
   *
   * @default 35_000
   */
  timeout?: number;
}

/** A client that signs in, and stays signed in. */
export interface ClientSession<Reply = unknown> {
  /**
   * - `connecting`: on its way to the server, or to the credentials.
   * - `authenticating`: connected; the server has not decided.
   * - `challenged`: the server has asked a further question.
   * - `authenticated`: signed in, through a refresh, too.
   * - `waiting`: comes back at {@linkcode ClientSession.retryAt}; without that, when the socket
   *   is told to `connect()`.
   * - `stopped`: for good, because of {@linkcode ClientSession.error}.
   */
  readonly state: SessionState;
  /** The last error, until the client is signed in again. */
  readonly error: UnauthorizedError | undefined;
  /** When a client that is `waiting` comes back, in epoch milliseconds. */
  readonly retryAt: number | undefined;
  /** When the session ends, in epoch milliseconds by this machine's clock. */
  readonly expiresAt: number | undefined;
  /**
   * Resolves with the server's reply once the client is signed in. Rejects with an
   * {@linkcode UnauthorizedError} when it has stopped, or is not going to try again by itself;
   * and when there are no credentials, although it goes on trying. Ask for it again to wait for
   * the next sign-in.
   */
  readonly ready: Promise<Reply>;
  /**
   * Refreshes the session now, with fresh credentials; one refresh at a time, however often it is called. A
   * client that is not signed in returns {@linkcode ClientSession.ready}.
   */
  refresh(): Promise<Reply>;
  /**
   * Ends the client's work and leaves the socket as it was before, connected or not. If the
   * client was signed in once and is not now, what has been emitted since is dropped: it was
   * that user's.
   */
  stop(): void;
  /**
   * Calls `listener` after the state has changed, maybe more than once at a time; returns a
   * function that ends this.
   */
  subscribe(listener: () => void): () => void;
}
