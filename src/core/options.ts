import type { Awaitable, Callback, Falsy, VerifyContext } from "./answers.ts";
import type { AuthEvent } from "./events.ts";
import type { HoldLimit } from "./hold.ts";
import type { StandardSchema } from "./schema.ts";
import type { Session } from "./session.ts";
import type { Throttle } from "./throttle.ts";
import type { Admission, Id } from "./users.ts";

/** What a socket was connected with: headers, address and payload. */
export type HandshakeOf<S> = S extends { readonly handshake: infer Handshake } ? Handshake
  : unknown;

/** Finds the credentials that a client brought: see {@linkcode Options.handshake}. */
export type Finder<S> = (handshake: HandshakeOf<S>, socket: S) => unknown;

/** What {@linkcode Options.onError} is told besides the error. */
export interface ErrorContext<S> {
  /** Where it happened: the name of an option, or `"gate"` for the gate itself. */
  readonly during: string;
  /** The socket it happened on. */
  readonly socket?: S;
}

/**
 * A policy: who is let in, and what happens meanwhile. Exactly one of `verify` and
 * `authenticate` decides; the name says how it answers.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials what the client sends
 */
export type Options<S, User, Credentials> =
  & (VerifyOption<S, User, Credentials> | AuthenticateOption<S, User, Credentials>)
  & CommonOptions<S, User, Credentials>;

/** A verifier that returns its answer. */
export interface VerifyOption<S, User, Credentials> {
  /**
   * Decides whether the credentials are good. Called once for each `authentication` event, one
   * at a time for a client connection.
   *
   * What it returns or resolves with is its answer. A user is `true`, a text that is not empty, a
   * number or bigint, or an object; or what {@linkcode admit} makes of one. A falsy answer is the refusal
   * `authentication_failed`. Anything else that cannot be a user (an array, a promise in a
   * promise, an error, a `Response`) is `server_error` to the client and goes to `onError`. A throw
   * or rejection with an `AuthError` is a refusal with its text; with anything else it is
   * `server_error`, and goes to `onError`.
   *
   * Without an answer the attempt ends with `timeout`, at the deadline; where no deadline runs
   * (with `timeout: "none"`, and on a refresh), after 30 seconds, challenges apart.
   *
   * @param credentials come from the client and can be anything at all, unless the type says
   * otherwise for a reason: look before you touch
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

/** A verifier that calls back, as that of the original module does. */
export interface AuthenticateOption<S, User, Credentials> {
  /**
   * Decides whether the credentials are good, as `verify` does, and answers by calling
   * `callback`. **What it returns or resolves with does not count**, `async` or not: it may be a
   * timer, or the promise of a query. Only a throw or a rejection does, as with `verify`. If it
   * looks as if it answered by what it returns, `onError` is told so, once.
   *
   * @param data what the client has sent
   * @param callback takes the answer, see {@linkcode Callback}
   */
  authenticate(socket: S, data: Credentials, callback: Callback<User>): unknown;
  /** Not together with `authenticate`. */
  verify?: undefined;
}

/**
 * The options besides the verifier.
 *
 * @typeParam S the socket as the server's generics type it
 * @typeParam User the user
 * @typeParam Credentials what the client sends
 */
export interface CommonOptions<S, User, Credentials> {
  /**
   * Decides whether a user may have the namespace of a socket. Called once the verifier has
   * accepted the credentials, for each socket of the connection that is not signed in; for a
   * socket that joins the session later; and, before a refresh comes into force, for each socket
   * of the session. May be asynchronous.
   *
   * A falsy answer refuses that socket with `forbidden`. So does an `AuthError`, with its text
   * and, if it has one, its code. The socket is told so and disconnected a second later; other
   * namespaces stay. If no socket is left, there is no session. At a refresh, a socket that is
   * refused is disconnected at once.
   *
   * Any other throw or rejection goes to `onError`. It refuses the attempt, or the socket that
   * joins, with `server_error`; the session of a failed refresh stays as it is.
   *
   * The time that it takes is a part of the attempt, within the same deadline. A socket that joins
   * later is refused with `timeout` after 30 seconds.
   *
   * @default every user may have every namespace
   */
  authorize?(user: User, socket: S): unknown;
  /**
   * Called for each socket of the connection once it has been admitted, after
   * its `connection` handlers and in front of the events the client sent
   * meanwhile. If it returns a promise, those wait until that has settled, and
   * so do the ones that still come; the client's acknowledgements do not. Not
   * called after a refresh. A throw or rejection goes to `onError`; the socket
   * stays authenticated.
   *
   * The credentials stay in memory as long as the connection does if this hook
   * is given.
   */
  postAuthenticate?(socket: S, credentials: Credentials): unknown;
  /**
   * Called for each socket of the connection after a refresh, with the session before: to move
   * rooms where roles have changed. Not called after a sign-in. Nothing waits for what it returns;
   * a throw or rejection goes to `onError`.
   */
  postRefresh?(socket: S, previous: Session<User>): unknown;
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
   * Failed attempts allowed on one client connection. While there are any left, a client that is
   * refused is told `unauthorized` and may try again, within the same deadline. The last one is
   * told so at once and closed a second later. `server_error` and `server_busy` are no failed
   * attempts, nor is what a deadline or a throttle ends before the verifier was asked. An attempt
   * whose client has left is one once the verifier has said no.
   *
   * @default 1
   */
  attempts?: number;
  /**
   * What credentials must look like, as a Standard Schema: Zod, Valibot,
   * ArkType and others. What does not fit is refused with
   * `invalid_credentials` and never reaches the verifier; what does is given
   * to it as the schema returns it, and typed so. May be asynchronous. A throw
   * goes to `onError` and refuses the attempt with `server_error`.
   *
   * @default credentials can be anything of up to `maxCredentials` bytes and 32 levels
   */
  credentials?: StandardSchema<Credentials>;
  /**
   * How many bytes credentials may take, and each answer to a challenge, as
   * PROTOCOL.md counts them: more are refused with `invalid_credentials`. A
   * SAML assertion or a face descriptor may need more than the default.
   *
   * @default 16384
   */
  maxCredentials?: number;
  /**
   * How often somebody may try, over all connections, with a limiter of
   * rate-limiter-flexible or one like it. The throttle takes a point before each verification.
   * The verifier's answer decides about the point, also if it comes after the deadline: a user
   * gives it back if the limiter can `reward`, and so does an `AuthError` with the code
   * `server_error`. A refusal costs the point, and so does any other error, or no answer.
   *
   * An attempt that finds no point left waits up to 5 seconds for those that are being verified.
   * Then it is refused with `too_many_attempts` and `retryAfter`. A limiter that fails refuses
   * with `server_error`, and goes to `onError`. Several throttles each have to agree, in order.
   *
   * A refresh counts under `refresh:` and the user's id in place of the keys that its session
   * signed in under.
   *
   * @default no limit
   */
  throttle?: Throttle<S, Credentials> | readonly Throttle<S, Credentials>[];
  /**
   * How many client connections may be pending at once on this node, whatever the number of their
   * sockets. One more is cut with `server_busy`.
   *
   * @default 10000
   */
  maxPending?: number;
  /**
   * Whether credentials are also taken from the CONNECT payload, which is
   * socket.io-client's option `auth`: the client is admitted without an extra
   * round trip, and `authenticated` follows at once. They are verified before
   * the namespace's own middleware runs; `pid` and `offset`, which Socket.IO
   * adds for connection state recovery, are not among them. Once they have been
   * read, also by a function, `socket.handshake.auth` is empty. A refusal is a `connect_error` whose
   * `data` is `{ code, reconnect, retryAfter? }`. A client that sends none goes on
   * to two steps. The session begins when the first socket with these credentials is connected.
   *
   * On a connection that is signed in, or about to be, through another namespace, a client that
   * sends none joins. Credentials that equal those of the session join it, and are not verified
   * again. Others are verified, one attempt at a time: those of the same user renew the session;
   * those of another are refused for that namespace, with `subject_mismatch`. A failure counts
   * against `attempts`. With `true`, the credentials stay in memory as long as the session does.
   *
   * A function takes them from wherever they are, a header or a cookie (see {@linkcode cookies}), and
   * returns them at once (no promise), or nothing; an empty object is nothing. Plain data is best:
   * anything else cannot be compared, and is verified for each namespace. Of a list of functions, the
   * first that finds any is heard. A function is called for each namespace that the client asks for
   * while nobody is signed in, and for an `authentication` event without credentials. A throw goes
   * to `onError` and refuses the attempt with `server_error`. A function is not called any more on a
   * transport whose client was signed out.
   *
   * @default false
   */
  handshake?: boolean | Finder<S> | readonly Finder<S>[];
  /**
   * Namespaces of a guarded server that stay open: names and regular
   * expressions. Nothing of the gate is there: whoever asks for them is
   * connected. Only for a server; a namespace with a policy of its own is
   * guarded all the same.
   *
   * @default none
   */
  open?: string | RegExp | readonly (string | RegExp)[];
  /**
   * What happens to events from a client that is not authenticated: `"hold"`
   * keeps them, within `holdLimit`, and hands them to the application in order
   * after authentication; `"drop"` forgets them; `"pass"` lets them through,
   * together with `connection: "connected"` only.
   *
   * @default "hold"
   */
  incoming?: "hold" | "drop" | "pass";
  /**
   * What happens to a direct `socket.emit` to such a client: `"hold"` sends it
   * after `authenticated`, in order; `"pass"` sends it at once, together with
   * `connection: "connected"` only. Broadcasts are
   * withheld and never sent later; volatile emits are dropped. What is held is
   * held by reference: do not change it after the emit.
   *
   * @default "hold"
   */
  outgoing?: "hold" | "pass";
  /**
   * How much is held: `events` and `bytes` for each client connection and direction, and `total`
   * bytes for all pending connections together. Bytes are what PROTOCOL.md says; in the total each
   * event costs 128 more, each value in it 24, and each socket of a connection but the first 1024.
   * A client that goes over its own limit is cut with `too_many_events`; if the server goes over
   * it, the new message is lost and an error goes to `onError`. Over the total, the connection that
   * holds most is cut with `server_busy`.
   *
   * @default { events: 1000, bytes: 262144, total: 16777216 }
   */
  holdLimit?: Partial<HoldLimit>;
  /**
   * What `authenticated` carries to the client, at once: no promise. Called for each socket that is
   * admitted, and at each refresh. A throw goes to `onError` and refuses the attempt with
   * `server_error`.
   *
   * @default () => true
   */
  reply?(user: User, socket: S): unknown;
  /**
   * The user's stable id (at once: no promise), by which two sessions are known to be the same
   * user's: on a refresh, on connection state recovery, by `revoke`. Called once for each accepted
   * attempt. A throw, an empty text, or a number that is not finite goes to `onError` and refuses
   * the attempt with `server_error`.
   *
   * Users without an id cannot be told apart: a second sign-in on their session is declined with
   * `subject_mismatch` before it is verified, and nothing of them is recovered. `onError` hears of
   * it once, when it first matters, unless this option is given.
   *
   * @default `user.id`, or else the only one of `user.sub`, `user.uid` and `user._id`; a user that
   * is text or a number is its own id
   */
  userId?(user: User): Id | null | undefined;
  /**
   * The stable id of the session itself, where it has one (the `sid` of a token,
   * for example). Called once for each accepted attempt. What is wrong with
   * `userId` is wrong with this, too.
   *
   * @default sessions have no id
   */
  sessionId?(user: User): Id | null | undefined;
  /**
   * When the session ends, as a `Date` or in epoch milliseconds, at any
   * distance; nothing if it does not. A session that has ended already is
   * refused with `expired`. Called once for each accepted attempt. A throw, a
   * promise, 0, or a time that can only be in seconds (a token's `exp` as it is)
   * goes to `onError` and refuses the attempt with `server_error`.
   *
   * @default sessions do not end
   */
  expiresAt?(user: User): Date | number | null | undefined;
  /**
   * Milliseconds that a session is good beyond `expiresAt`: time for a late
   * refresh, and for clocks that differ. Traffic flows until then. It holds for
   * a session that is past `expiresAt` when it is created, too.
   *
   * @default 0
   */
  grace?: number;
  /**
   * When the application's `connection` (and `connect`) handlers run:
   * `"authenticated"`, once the client is signed in, behind the `authenticated`
   * event and in front of `postAuthenticate`, so that they never see anybody
   * else; or `"connected"`, at once, as without this package. Namespace
   * middleware (`io.use`) runs when the client asks for the namespace, as ever.
   *
   * @default "authenticated"
   */
  connection?: "authenticated" | "connected";
  /**
   * The client's address, for events and for `throttle`. Behind a proxy every
   * client has the proxy's: read the header that your proxy sets, and only the
   * part of it that it has written itself. Called when an event is observed,
   * and before a throttled attempt. A throw goes to `onError`; the event is
   * lost, the attempt refused with `server_error`.
   *
   * @default `socket.handshake.address`, IPv4 in its own notation
   */
  address?(socket: S): string | undefined;
  /**
   * Called with everything that happens, for logs and metrics. Not awaited; a
   * throw or rejection goes to `onError`. Credentials are in no event.
   */
  observe?(event: AuthEvent): unknown;
  /**
   * Called with everything unexpected: a throw in a hook, a full hold, the likely cause of a
   * deadline that ended an attempt or a connection (once an hour for each cause). A throw or
   * rejection in here is ignored.
   *
   * @default prints with `console.error`, ten errors in a second at most
   */
  onError?(error: unknown, context: ErrorContext<S>): unknown;
}
