import type { AuthEvent } from "./events.ts";
import type { HoldLimit } from "./hold.ts";

/** Answers that mean "no". */
export type Falsy = false | null | undefined | void | 0 | "";

/** Something, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * The third parameter of `authenticate`: a Node callback, and all that one
 * attempt has to offer besides.
 */
export interface Attempt<User> {
  /**
   * Answers the attempt like a Node callback. A truthy `error` refuses it: with
   * the message of `error` if it has one, which the client is told. Otherwise
   * `success` counts as a return value would. Only the first answer counts.
   */
  (error?: unknown, success?: User | false | null): void;
  /**
   * Aborted as soon as the answer no longer matters: the deadline has passed,
   * the client has disconnected, the attempt was ended otherwise.
   */
  readonly signal: AbortSignal;
}

/** What {@linkcode Options.onError} is told besides the error. */
export interface ErrorContext<S> {
  /** Where it happened: the name of an option, or `"gate"` for the gate itself. */
  readonly during: string;
  /** The socket it happened on. */
  readonly socket?: S;
}

/**
 * A policy: who is let in, and what happens meanwhile.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User what `authenticate` answers
 * @typeParam Credentials what the client sends
 */
export interface Options<S, User, Credentials> {
  /**
   * Decides whether the credentials are good. Called once for each
   * `authentication` event, one at a time for a client connection.
   *
   * It answers in one of three ways, and the first answer counts:
   *
   * - by returning or resolving: a truthy value is the user, a falsy one the
   *   refusal `authentication_failed`;
   * - by throwing or rejecting: an `AuthError` is a refusal with its text,
   *   anything else is `server_error` to the client and goes to `onError`;
   * - if it declares three parameters, by calling `attempt(error, success)`
   *   like a Node callback; the text of `error` is for the client. A returned
   *   `undefined` then means "not yet".
   *
   * `credentials` come from the client and can be anything at all, unless the
   * type says otherwise for a reason: look before you touch.
   */
  authenticate(
    socket: S,
    credentials: Credentials,
    attempt: Attempt<User>,
  ): Awaitable<User | Falsy>;
  /**
   * Called for each socket of the connection, each time it has gone from
   * unauthenticated to authenticated, behind the `authenticated` event and in
   * front of the events the client sent meanwhile. Not called after a refresh.
   * It is not awaited. A throw or rejection goes to `onError`; the socket
   * stays authenticated.
   *
   * The credentials stay in memory as long as the connection does if this hook
   * is given, and not beyond the attempt if it is not.
   */
  postAuthenticate?(socket: S, credentials: Credentials): unknown;
  /**
   * Called after a guarded socket is gone, authenticated or not, with
   * Socket.IO's reason. A throw or rejection goes to `onError`.
   */
  disconnect?(socket: S, reason: string): unknown;
  /**
   * Milliseconds from connection to authenticated, verification included;
   * `"none"` for no limit.
   *
   * @default 1000
   */
  timeout?: number | "none";
  /**
   * Whether credentials are also taken from the CONNECT payload, which is
   * socket.io-client's option `auth`: the client is admitted without an extra
   * round trip, and `authenticated` follows at once. They are verified before
   * the namespace's own middleware runs; `pid` and `offset`, which Socket.IO
   * adds for connection state recovery, are not among them. A refusal is a
   * `connect_error` whose `data` is `{ code, reconnect }`. A client that sends
   * none goes on to two steps, and so does one whose connection is signed in,
   * or about to be, through another namespace: one sign-in serves them all.
   *
   * Socket.IO itself keeps the payload in `socket.handshake.auth`.
   *
   * @default false
   */
  handshake?: boolean;
  /**
   * What happens to events from a client that is not authenticated: `"hold"`
   * keeps them, within `holdLimit`, and hands them to the application in order
   * after authentication; `"drop"` forgets them; `"pass"` lets them through.
   *
   * @default "hold"
   */
  incoming?: "hold" | "drop" | "pass";
  /**
   * What happens to a direct `socket.emit` to such a client: `"hold"` sends it
   * after `authenticated`, in order; `"pass"` sends it at once. Broadcasts are
   * withheld and never sent later; volatile emits are dropped. What is held is
   * held by reference: do not change it after the emit.
   *
   * @default "hold"
   */
  outgoing?: "hold" | "pass";
  /**
   * How much is held for each socket and direction. A client that goes over it
   * is cut with `too_many_events`; if the server goes over it, the new message
   * is lost and an error goes to `onError`.
   *
   * @default { events: 32, bytes: 16384 }
   */
  holdLimit?: Partial<HoldLimit>;
  /**
   * What `authenticated` carries to the client. Called for each socket that is
   * admitted, and after each refresh. A throw goes to `onError` and ends the
   * connection with `server_error`.
   *
   * @default () => true
   */
  reply?(user: User, socket: S): unknown;
  /**
   * The user's stable id, by which two sessions are known to be the same
   * user's: on a refresh, and on connection state recovery, which needs it.
   * Called once for each accepted attempt. A throw goes to `onError` and
   * refuses the attempt with `server_error`.
   *
   * @default users have no id: a refresh may not tell them apart, and no
   * connection is recovered
   */
  userId?(user: User): string | number | bigint | null | undefined;
  /**
   * The stable id of the session itself, where it has one (a token's `jti`,
   * for example). Called once for each accepted attempt. A throw goes to
   * `onError` and refuses the attempt with `server_error`.
   *
   * @default sessions have no id
   */
  sessionId?(user: User): string | number | bigint | null | undefined;
  /**
   * When the session ends, as a `Date` or in epoch milliseconds, at any
   * distance; nothing if it does not. A session that has ended already is
   * refused with `expired`. Called once for each accepted attempt. A throw
   * goes to `onError` and refuses the attempt with `server_error`.
   *
   * @default sessions do not end
   */
  expiresAt?(user: User): Date | number | null | undefined;
  /**
   * Milliseconds after the end of a session in which the client may sign in
   * again. When the session ends, the client is told `unauthorized` with the
   * code `expired`, and the gate shuts; rooms are kept for the same user. When
   * the grace is over, the connection is closed.
   *
   * @default 0
   */
  grace?: number;
  /**
   * What becomes of a client that comes back by Socket.IO's connection state
   * recovery. With `"reauthenticate"` it signs in again, and gets what it has
   * missed after that. With `"resume"` its session, unless it has expired or
   * was revoked, goes on at once; credentials that come with a handshake are
   * verified all the same. For that the adapter keeps the session with the
   * user in it, so what `authenticate` answers has to survive the adapter's
   * serialization. Needs `userId`; revocations reach a session that is kept by
   * its `userId` and `sessionId`.
   *
   * @default "reauthenticate"
   */
  recovery?: "reauthenticate" | "resume";
  /**
   * The client's address, for events. Not every engine tells it. Behind a proxy, read the header you
   * trust. Called when an event is observed. A throw goes to `onError`.
   *
   * @default (socket) => socket.handshake.address
   */
  address?(socket: S): string | undefined;
  /**
   * Called with everything that happens, for logs and metrics. Not awaited; a
   * throw or rejection goes to `onError`. Credentials are in no event.
   */
  observe?(event: AuthEvent): unknown;
  /**
   * Called with everything unexpected: a throw in a hook, a full hold. A throw
   * or rejection in here is ignored.
   *
   * @default console.error
   */
  onError?(error: unknown, context: ErrorContext<S>): unknown;
}
