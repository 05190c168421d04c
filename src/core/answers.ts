/**
 * How a verifier answers, and what it is given for that.
 *
 * @module
 */
import type { ChallengeOptions } from "./challenge.ts";
import type { Admission } from "./users.ts";

/** Answers that mean "no". */
export type Falsy = false | null | undefined | void | 0 | "";

/** Something, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * The third parameter of `authenticate`: a Node callback. A truthy `error` refuses the attempt,
 * with the message of `error` if it has one, which the client is told. Otherwise `user` is the
 * user, and a falsy one is the refusal `authentication_failed`. Only the first call counts, at
 * the moment it is made.
 *
 * @typeParam User the user
 */
export type Callback<User = unknown> = (
  error?: unknown,
  user?: User | Admission<User> | Falsy,
) => void;

/** The third parameter of `verify`: what belongs to one attempt. */
export interface VerifyContext {
  /**
   * Aborted as soon as the answer no longer matters: the deadline has passed, the client has
   * disconnected, the user was revoked.
   */
  readonly signal: AbortSignal;
  /**
   * Asks the client a further question in the course of the attempt: a one-time code, the next
   * step of SCRAM, a WebAuthn assertion. The client gets a `challenge` event and answers with its
   * acknowledgement. The deadline stands still until then, for the challenge's own time at most.
   * Ask one after the other, 32 in one attempt at most.
   *
   * With credentials from a handshake, the client is connected first, and told the outcome in a
   * second step.
   *
   * @typeParam Answer the answer, as the option `schema` types it
   * @param data what the client is asked
   * @returns the answer. Without a schema it can be anything of up to `maxCredentials` bytes and
   * 32 levels: look before you touch. Rejects with an `AuthError` if the answer is larger or does
   * not fit the schema (`invalid_credentials`), or does not come in time (`timeout`), which is
   * what the client is told if you let it pass; and with an `Error` if the attempt is over, for
   * example because the client has left.
   */
  readonly challenge: <Answer = unknown>(
    data: unknown,
    options?: ChallengeOptions<Answer>,
  ) => Promise<Answer>;
}
