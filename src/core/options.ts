import type { ChallengeOptions } from "./challenge.ts";
import type { AuthEvent } from "./events.ts";
import type { HoldLimit } from "./hold.ts";
import type { StandardSchema } from "./schema.ts";
import type { Throttle } from "./throttle.ts";

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
  /**
   * Asks the client something else in the middle of the attempt: a one-time
   * code, the next step of SCRAM, a WebAuthn assertion. The client gets a
   * `challenge` event and answers with its acknowledgement. The deadline stands
   * still until then, for the challenge's own time at most. Ask one after the
   * other, as often as needed.
   *
   * With credentials from a handshake, the client is connected first, and told
   * the outcome in a second step.
   *
   * @returns the answer, which can be anything of up to 16 KiB and 32 levels:
   * look before you touch. Rejects with an `AuthError` if it is larger
   * (`invalid_credentials`) or does not come in time (`timeout`), which is what
   * the client is told if you let it pass; and with an `Error` if the attempt
   * is over, for example because the client has left.
   */
  challenge(data: unknown, options?: ChallengeOptions): Promise<unknown>;
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
   *   `undefined` then means "not yet"; a promise is an answer all the same.
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
   * Failed attempts allowed on one client connection before it is closed.
   * Credentials that are refused for whatever reason are a failed attempt, and
   * so are those whose verification the client leaves or lets run into the
   * deadline. While there are any left, the client is told `unauthorized` and
   * may try again, within the same deadline. A refused refresh always ends the
   * connection.
   *
   * @default 1
   */
  attempts?: number;
  /**
   * What credentials must look like, as a Standard Schema: Zod, Valibot,
   * ArkType and others. What does not fit is refused with
   * `invalid_credentials` and never reaches `authenticate`; what does is given
   * to it as the schema returns it, and typed so. May be asynchronous. A throw
   * goes to `onError` and refuses the attempt with `server_error`.
   *
   * @default credentials can be anything of up to 16 KiB and 32 levels
   */
  credentials?: StandardSchema<Credentials>;
  /**
   * How often somebody may try, over all connections, with a limiter of
   * rate-limiter-flexible or one like it. Asked before each verification,
   * refreshes too; after a success its points are given back if the limiter
   * can `reward`. Without points left the attempt is refused with
   * `too_many_attempts` and `retryAfter`. A limiter that fails refuses with
   * `server_error`, and goes to `onError`. Several throttles each have to
   * agree, in order.
   *
   * @default no limit
   */
  throttle?: Throttle<S, Credentials> | readonly Throttle<S, Credentials>[];
  /**
   * How many sockets may be pending at once on this node, those included whose
   * handshake is being verified. One more is cut with `server_busy`.
   *
   * @default 10000
   */
  maxPending?: number;
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
   * What `authenticated` carries to the client, at once: no promise. Called for each socket that is
   * admitted, and after each refresh. A throw goes to `onError` and ends the
   * connection with `server_error`.
   *
   * @default () => true
   */
  reply?(user: User, socket: S): unknown;
  /**
   * The user's stable id (at once: no promise), by which two sessions are known to be the same
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
   * or a promise goes to `onError` and refuses the attempt with `server_error`.
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
   * The client's address, for events and for `throttle`. Behind a proxy every
   * client has the proxy's: read the header that your proxy sets, and only the
   * part of it that it has written itself. Called when an event is observed,
   * and before a throttled attempt. A throw goes to `onError`; the event is
   * lost, the attempt refused with `server_error`.
   *
   * @default `socket.handshake.address`, IPv4 in its own notation; the entry
   * point `./bun` makes it known under `@socket.io/bun-engine`
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
