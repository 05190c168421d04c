import type { Awaitable, Callback, Falsy, VerifyContext } from "./answers.ts";
import type { AuthEvent } from "./events.ts";
import type { HoldLimit } from "./hold.ts";
import type { StandardSchema } from "./schema.ts";
import type { Session } from "./session.ts";
import type { Throttle } from "./throttle.ts";
import type { Admission, Id } from "./users.ts";

/** The handshake of a socket: headers, address and payload. */
export type HandshakeOf<S> = S extends { readonly handshake: infer Handshake } ? Handshake
  : unknown;

/**
 * A function that finds the credentials that a client brought: see {@linkcode Options.handshake}.
 */
export type Finder<S> = (handshake: HandshakeOf<S>, socket: S) => unknown;

/** The context of an error, for {@linkcode Options.onError}. */
export interface ErrorContext<S> {
  /** Where the error occurred: the name of an option, or `"gate"` for the gate itself. */
  readonly during: string;
  /** The socket concerned, if there is one. */
  readonly socket?: S;
}

/**
 * The options of a policy. Exactly one of `verify` and `authenticate` is required. `verify` returns
 * its answer, and `authenticate` calls back with it.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials the credentials that the client sends
 */
export type Options<S, User, Credentials> =
  & (VerifyOption<S, User, Credentials> | AuthenticateOption<S, User, Credentials>)
  & CommonOptions<S, User, Credentials>;

/**
 * A verifier that returns its answer.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials the credentials that the client sends
 */
export interface VerifyOption<S, User, Credentials> {
  /**
   * Verifies credentials. Called once for each `authentication` event, one at a time for a client
   * connection. The returned or resolved value is the answer:
   * - A user accepts the attempt. A user is `true`, a text that is not empty, a number or bigint,
   * or an object, optionally wrapped by {@linkcode admit}.
   * - A falsy value refuses the attempt with `authentication_failed`.
   * - A value that cannot be a user (an array, a promise in a promise, an error, a `Response`)
   * refuses the attempt with `server_error`, and goes to `onError`.
   *
   * A throw or rejection with an {@linkcode AuthError} refuses the attempt with the error's text
   * and code. Any other throw or rejection refuses it with `server_error`, and goes to `onError`.
   *
   * Without an answer the attempt ends with `timeout`: at the deadline, or after 30 seconds if
   * there is no deadline (with `timeout: "none"`, and on a refresh). Challenges do not count.
   *
   * @param socket the socket that sent the credentials
   * @param credentials untrusted input of the client, which can be anything unless the option
   * `credentials` checks it
   * @param context `signal` and `challenge`
   */
  verify(
    socket: S,
    credentials: Credentials,
    context: VerifyContext,
  ): Awaitable<User | Admission<User> | Falsy>;
  /** Not together with `verify`. */
  authenticate?: undefined;
}

/**
 * A verifier that calls back, as in the original module.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials the credentials that the client sends
 */
export interface AuthenticateOption<S, User, Credentials> {
  /**
   * Verifies credentials as `verify` does, and answers by calling `callback`. **The returned value
   * does not count**, `async` or not: it may be a timer, or the promise of a query. Only a throw or
   * a rejection counts, as with `verify`. If the returned value looks like an answer, `onError` is
   * told so, once.
   *
   * @param socket the socket that sent the credentials
   * @param data untrusted input of the client, as the credentials of `verify`
   * @param callback takes the answer, see {@linkcode Callback}
   */
  authenticate(socket: S, data: Credentials, callback: Callback<User>): unknown;
  /** Not together with `authenticate`. */
  verify?: undefined;
}

/**
 * All options except the verifier.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials the credentials that the client sends
 */
export interface CommonOptions<S, User, Credentials> {
  /**
   * Decides whether a user may have the namespace of a socket. May be asynchronous. Called for each
   * socket of the connection that is not signed in, once the verifier has accepted the credentials;
   * for each socket that joins the session later; and for each socket of the session before a
   * refresh takes effect.
   *
   * A truthy answer allows the namespace. A falsy answer refuses the socket with `forbidden`. An
   * `AuthError` refuses it with the error's text and, if it has one, its code. The socket is told,
   * and disconnected a second later, or at once on a refresh. Other namespaces are not affected. If
   * no socket is left, there is no session.
   *
   * Any other throw or rejection goes to `onError`, and refuses the attempt, or the socket that
   * joins, with `server_error`. The session of a failed refresh stays as it is.
   *
   * The call is part of the attempt, within the same deadline. A socket that joins later is refused
   * with `timeout` after 30 seconds.
   *
   * @default every user may have every namespace
   */
  authorize?(user: User, socket: S): unknown;
  /**
   * Called for each socket of the connection once it was admitted, after its `connection` handlers.
   * Events that the client has sent, or still sends, wait until a returned promise has settled;
   * acknowledgements of the client do not wait. Not called after a refresh. A throw or rejection
   * goes to `onError`; the socket stays authenticated.
   *
   * If this hook is given, the credentials stay in memory as long as the connection does.
   */
  postAuthenticate?(socket: S, credentials: Credentials): unknown;
  /**
   * Called for each socket of the connection after a refresh, with the former session: for example
   * to change rooms after a change of roles. Not called after a sign-in, and not awaited. A throw
   * or rejection goes to `onError`.
   */
  postRefresh?(socket: S, previous: Session<User>): unknown;
  /**
   * Called after a guarded socket has disconnected, authenticated or not, with Socket.IO's reason.
   * A throw or rejection goes to `onError`.
   */
  disconnect?(socket: S, reason: string): unknown;
  /**
   * Milliseconds that a client has to sign in after connecting, verification included; `"none"` for
   * no limit.
   *
   * @default 1000
   */
  timeout?: number | "none";
  /**
   * Failed attempts allowed on one client connection. While any are left, a client that is refused
   * is told `unauthorized` and may try again, within the same deadline. After the last one, the
   * client is told at once, and closed a second later.
   *
   * Refusals with `server_error` or `server_busy` do not count, and neither does an attempt that a
   * deadline or a throttle ends before the verifier was asked. If the client leaves during an
   * attempt, the attempt counts once the verifier has refused it.
   *
   * @default 1
   */
  attempts?: number;
  /**
   * A Standard Schema for the credentials: of Zod, Valibot, ArkType and others. May be
   * asynchronous. The verifier receives the output of the schema, with its type. Credentials that
   * do not fit are refused with `invalid_credentials`, and the verifier is not called. A throw goes
   * to `onError`, and refuses the attempt with `server_error`.
   *
   * @default credentials can be anything of up to `maxCredentials` bytes and 32 levels
   */
  credentials?: StandardSchema<Credentials>;
  /**
   * The size limit for credentials, and for each answer to a challenge, in bytes as PROTOCOL.md
   * counts them. Larger ones are refused with `invalid_credentials`. A SAML assertion or a face
   * descriptor may need more than the default.
   *
   * @default 16384
   */
  maxCredentials?: number;
  /**
   * Limits how often a client may try, over all connections, with a limiter of
   * rate-limiter-flexible or a compatible one. The throttle takes a point before each verification,
   * and the verifier's answer decides whether the point is given back, even if it comes after the
   * deadline. The point is given back for a user, and for an `AuthError` with the code
   * `server_error` or `expired`, if the limiter can `reward`. A refusal, any other error, and no
   * answer cost the point.
   *
   * If no point is left, the attempt waits up to 5 seconds for points of attempts that are being
   * verified. Then it is refused with `too_many_attempts` and `retryAfter`. If the limiter fails,
   * the attempt is refused with `server_error`, and the error goes to `onError`. Several throttles
   * are asked in order, and each has to agree.
   *
   * A refresh counts under `refresh:` and the user's id instead of the keys of the sign-in.
   *
   * @default no limit
   *
   * @example
   * ```ts
   * socketioAuth(io, {
   *   verify,
   *   throttle: [
   *     { limiter: perAddress }, // by the client's address
   *     { limiter: perAccount, key: (_socket, { username }) => username },
   *   ],
   * });
   * ```
   */
  throttle?: Throttle<S, Credentials> | readonly Throttle<S, Credentials>[];
  /**
   * How many client connections may be pending at once on this node, regardless of the number of
   * their sockets. Further ones are cut with `server_busy`.
   *
   * @default 10000
   */
  maxPending?: number;
  /**
   * Whether credentials are also taken from the CONNECT payload, which is socket.io-client's option
   * `auth`. The client is then admitted without an extra round trip, and `authenticated` follows at
   * once. The credentials are verified before the namespace's own middleware runs. They do not
   * include `pid` and `offset`, which Socket.IO adds for connection state recovery. Once they have
   * been read, `socket.handshake.auth` is empty. A refusal is a `connect_error` with the `data`
   * `{ code, reconnect, retryAfter? }`. A client without credentials can send them as an event
   * later. The session begins when the first socket with these credentials is connected.
   *
   * If the connection is signed in, or about to be, through another namespace:
   * - A client without credentials joins the session.
   * - Credentials that equal those of the session join it, and are not verified again.
   * - Other credentials are verified, one attempt at a time. Those of the same user renew the
   * session; those of another user are refused for that namespace, with `subject_mismatch`. A
   * failure counts against `attempts`.
   *
   * With `true`, the credentials stay in memory as long as the session does.
   *
   * A function takes the credentials from another place, such as a header or a cookie (see
   * {@linkcode cookies}). It returns them at once (no promise), or nothing; an empty object is
   * nothing. Return plain data: anything else cannot be compared, and is verified for each
   * namespace. Of a list of functions, the first one that finds credentials counts. Functions are
   * called for each namespace that the client asks for while the connection is not signed in, and
   * for an `authentication` event without credentials; not on a transport whose client was signed
   * out. A throw goes to `onError`, and refuses the attempt with `server_error`.
   *
   * @default false
   */
  handshake?: boolean | Finder<S> | readonly Finder<S>[];
  /**
   * Namespaces of a guarded server that stay open, as names and regular expressions. Every client
   * can connect to these without signing in. Only for a server. A namespace with a policy of its
   * own is guarded regardless.
   *
   * @default none
   */
  open?: string | RegExp | readonly (string | RegExp)[];
  /**
   * The treatment of events from a client that is not authenticated. `"hold"` keeps them, within
   * `holdLimit`, and passes them to the application in order after authentication. `"drop"`
   * discards them. `"pass"` passes them on at once, and requires `connection: "connected"`.
   *
   * @default "hold"
   */
  incoming?: "hold" | "drop" | "pass";
  /**
   * The treatment of a direct `socket.emit` to a client that is not authenticated. `"hold"` sends
   * it after `authenticated`, in order. `"pass"` sends it at once, and requires
   * `connection: "connected"`. Broadcasts are withheld and never sent later, and volatile emits are
   * dropped. Held data is kept by reference: do not change it after the emit.
   *
   * @default "hold"
   */
  outgoing?: "hold" | "pass";
  /**
   * Limits of what is held: `events` and `bytes` for each client connection and direction, and
   * `total` bytes for all pending connections together. Bytes are counted as in PROTOCOL.md. In the
   * total, each event costs 128 more, each value in it 24, and each further socket of a connection
   * 1024.
   *
   * A client that exceeds its own limit is cut with `too_many_events`. If the server exceeds it,
   * the new message is lost, and an error goes to `onError`. If the total is exceeded, the
   * connection that holds most is cut with `server_busy`.
   *
   * @default { events: 1000, bytes: 262144, total: 16777216 }
   */
  holdLimit?: Partial<HoldLimit>;
  /**
   * Returns what `authenticated` carries to the client, at once (no promise). Called for each
   * socket that is admitted, and at each refresh. A throw goes to `onError`, and refuses the
   * attempt with `server_error`.
   *
   * @default () => true
   */
  reply?(user: User, socket: S): unknown;
  /**
   * Returns the user's stable id, at once (no promise). It tells whether two sessions belong to the
   * same user: on a refresh, on connection state recovery, and for `revoke`. Called once for each
   * accepted attempt. A throw, an empty text, or a number that is not finite goes to `onError`, and
   * refuses the attempt with `server_error`.
   *
   * Users without an id cannot be told apart: a second sign-in on their session is refused with
   * `subject_mismatch` before it is verified, and their connections are not recovered. Unless this
   * option is given, `onError` is told once, when it first matters.
   *
   * @default `user.id`, or else the only one of `user.sub`, `user.uid` and `user._id`; a user that
   * is text or a number is its own id
   */
  userId?(user: User): Id | null | undefined;
  /**
   * Returns the stable id of the session itself, if it has one: the `sid` of a token, for example.
   * Called once for each accepted attempt. Errors are treated as for `userId`.
   *
   * @default sessions have no id
   */
  sessionId?(user: User): Id | null | undefined;
  /**
   * Returns when the session ends, as a `Date` or in epoch milliseconds (not seconds), at any
   * distance; nothing if it does not end. A time in the past refuses the attempt with `expired`.
   * Called once for each accepted attempt. A throw, a promise, 0, or a time that can only be in
   * seconds (a token's `exp` as it is) goes to `onError`, and refuses the attempt with
   * `server_error`.
   *
   * @default sessions do not end
   *
   * @example
   * ```ts
   * socketioAuth(io, {
   *   verify: (_socket, credentials) => verifyToken(Object(credentials).token),
   *   expiresAt: (claims) => claims.exp * 1000, // a JWT has seconds
   * });
   * ```
   */
  expiresAt?(user: User): Date | number | null | undefined;
  /**
   * Milliseconds that a session lasts beyond `expiresAt`: time for a late refresh, and for clocks
   * that differ. A session that is past `expiresAt` when it is created has this time, too.
   *
   * @default 0
   */
  grace?: number;
  /**
   * When the application's `connection` (and `connect`) handlers run. With `"authenticated"`, they
   * run once the client is signed in, after the `authenticated` event and before
   * `postAuthenticate`: every socket in them has a user. With `"connected"`, they run at once, as
   * without this package. Namespace middleware (`io.use`) always runs when the client asks for the
   * namespace.
   *
   * @default "authenticated"
   */
  connection?: "authenticated" | "connected";
  /**
   * Returns the client's address, for events and for `throttle`. Behind a proxy, every client has
   * the proxy's address: read the header that your proxy sets, and only the part that it has
   * written itself. Called when an event is observed, and before a throttled attempt. A throw goes
   * to `onError`; the event is lost, or the attempt refused with `server_error`.
   *
   * @default `socket.handshake.address`, IPv4 in its own notation
   */
  address?(socket: S): string | undefined;
  /**
   * Called with every {@linkcode AuthEvent}, for logs and metrics. Not awaited. A throw or
   * rejection goes to `onError`. Events contain no credentials.
   */
  observe?(event: AuthEvent): unknown;
  /**
   * Called with every unexpected error: a throw in a hook, a full hold, the likely cause of a
   * deadline that ended an attempt or a connection (once an hour for each cause). A throw or
   * rejection is ignored.
   *
   * @default prints with `console.error`, at most ten errors in a second
   */
  onError?(error: unknown, context: ErrorContext<S>): unknown;
}
