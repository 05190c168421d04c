/**
 * The answer of a verifier, and the means that the verifier is given.
 *
 * @module
 */
import type { ChallengeOptions } from "./challenge.ts";
import type { Admission } from "./users.ts";

/** A falsy answer, which refuses the attempt. */
export type Falsy = false | null | undefined | void | 0 | "";

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * The third parameter of `authenticate`: a Node callback. Only the first call counts, at the moment
 * it is made.
 *
 * A truthy `error` refuses the attempt; the client is told its message, if it has one. Otherwise
 * `user` is the answer: a truthy value is the user, and a falsy one refuses the attempt with
 * `authentication_failed`.
 *
 * @typeParam User the user
 */
export type Callback<User = unknown> = (
  error?: unknown,
  user?: User | Admission<User> | Falsy,
) => void;

/** The third parameter of `verify`: the means of one attempt. */
export interface VerifyContext {
  /**
   * Aborted as soon as the answer no longer matters: the deadline has passed, the client has
   * disconnected, or the user was revoked.
   */
  readonly signal: AbortSignal;
  /**
   * Asks the client a further question in the course of the attempt: a one-time code, the next step
   * of SCRAM, a WebAuthn assertion. The client receives a `challenge` event and answers with its
   * acknowledgement. The deadline of the attempt is paused until then, for at most the challenge's
   * own `timeout`. Ask one question at a time, and at most 32 in one attempt.
   *
   * If the credentials came with a CONNECT, the client is connected first, and is told the outcome
   * by an event.
   *
   * @typeParam Answer the answer, as the option `schema` types it
   * @param data the question
   * @param options how long to wait, and what the answer must look like
   * @returns the answer. Without a schema the answer is untrusted and can be anything of up to
   * `maxCredentials` bytes and 32 levels. Rejects with an `AuthError` if the answer is too large or
   * does not fit the schema (`invalid_credentials`), or does not come in time (`timeout`); if you
   * do not catch it, the client is told that. Rejects with an `Error` if the attempt is over, for
   * example because the client has left.
   *
   * @example
   * ```ts
   * socketioAuth(io, {
   *   async verify(_socket, credentials, { challenge }) {
   *     const { username, password } = Object(credentials);
   *     const user = await checkPassword(username, password);
   *     if (!user?.totp) return user;
   *     const code = await challenge({ type: "totp" });
   *     return isRightCode(user, code) && user;
   *   },
   * });
   * ```
   */
  readonly challenge: <Answer = unknown>(
    data: unknown,
    options?: ChallengeOptions<Answer>,
  ) => Promise<Answer>;
}
