import type { ChallengeOptions } from "./challenge.ts";

/**
 * The third parameter of `authenticate`: a Node callback, and all that one
 * attempt has to offer besides. A verifier that uses its promise as its answer
 * takes what it needs: `async (socket, credentials, { signal }) => …`.
 */
export interface Attempt<User = unknown> {
  /**
   * Answers the attempt like a Node callback, at once. A truthy `error` refuses
   * it: with the message of `error` if it has one, which the client is told.
   * Otherwise `success` is the user if it is truthy, and a refusal if not. Only
   * the first answer counts.
   */
  (error?: unknown, success?: User | false | null): void;
  /**
   * Aborted as soon as the answer no longer matters: the deadline has passed,
   * the client has disconnected, the attempt was ended otherwise. To look at
   * it makes the verifier's promise an answer, see
   * the option `authenticate`.
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
   * the outcome in a second step. To look at it makes the verifier's promise an
   * answer, as `signal` does. It needs no `this`.
   *
   * @returns the answer, which can be anything of up to `maxCredentials` bytes
   * and 32 levels: look before you touch. Rejects with an `AuthError` if it is larger
   * (`invalid_credentials`) or does not come in time (`timeout`), which is what
   * the client is told if you let it pass; and with an `Error` if the attempt
   * is over, for example because the client has left.
   */
  readonly challenge: (data: unknown, options?: ChallengeOptions) => Promise<unknown>;
}
