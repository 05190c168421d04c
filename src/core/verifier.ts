import type { Attempt } from "./attempt.ts";
import type { ChallengeOptions, Dialog } from "./challenge.ts";
import { isAuthError, isError, refusalOf, type Refused } from "./errors.ts";
import type { Policy } from "./policy.ts";
import { unauthorized } from "../protocol.ts";

/** What a verifier says of credentials. */
export type Verdict = { readonly user: unknown } | Refused;

/** Where the deadline has found an attempt, or something else has ended it. */
export type Ending = "overdue" | "ended";

const HOW_TO_ANSWER = "A function with three parameters answers by calling the third one: " +
  "attempt(null, user) or attempt(error). To answer by its return value, it declares two " +
  "parameters, or takes what it needs out of the third: async (socket, credentials, { signal }) " +
  "=> …";

const UNHEARD = "authenticate returned something, and called nobody back before the deadline. ";

const MIXED = "authenticate called back after its promise had answered, which does not count any " +
  "more. ";

/**
 * Calls the verifier and hands on its first answer, at the moment it is given,
 * whether returned, resolved, thrown, rejected or called back with. Returns a
 * function that ends the attempt: from then on no answer is handed on.
 */
export function callVerifier<S>(
  policy: Policy<S>,
  socket: S,
  credentials: unknown,
  openDialog: () => Dialog<S>,
  onVerdict: (verdict: Verdict) => void,
): (ending: Ending) => void {
  // The original module's verifiers call back, and what they return is whatever
  // their last line happened to be: a timer, a query, a promise of rows.
  const callsBack = policy.authenticate.length >= 3;
  let state: "open" | "answered" | "ended" = "open";
  /** It has taken something that no Node callback has: it knows what it was given. */
  let hasLooked = false;
  /** It has returned something that does not count. */
  let isUnheard = false;
  /** Its promise has answered; if it calls back after that, it meant to answer so. */
  let hasResolved = false;
  let controller: AbortController | undefined;
  let dialog: Dialog<S> | undefined;

  function report(error: unknown): void {
    policy.report(error, { during: "authenticate", socket });
  }

  function answer(verdict: Verdict): void {
    if (state !== "open") return;
    state = "answered";
    dialog?.end();
    onVerdict(verdict);
  }

  function callback(error?: unknown, success?: unknown): void {
    if (hasResolved) report(new Error(MIXED + HOW_TO_ANSWER));
    hasResolved = false;
    answer(error ? refusalOf(error) : verdictOn(success));
  }

  function ask(data: unknown, options?: ChallengeOptions): Promise<unknown> {
    dialog ??= openDialog();
    if (state !== "open") dialog.end();
    return dialog.ask(data, options);
  }

  function lookAtSignal(): AbortSignal {
    hasLooked = true;
    controller ??= new AbortController();
    if (state === "ended") controller.abort();
    return controller.signal;
  }

  // Most verifiers never look: do not pay for any of these until one does.
  const attempt = Object.defineProperties(callback, {
    signal: { get: lookAtSignal },
    challenge: { get: () => (hasLooked = true, ask) },
  }) as unknown as Attempt<unknown>;

  function returned(value: unknown): void {
    if (!callsBack) void Promise.resolve(value).then(resolved, failed);
    else isUnheard = !hearOut(value, resolved, failed) && value !== undefined;
  }

  function resolved(value: unknown): void {
    if (callsBack && !hasLooked) {
      isUnheard = value !== undefined;
      return;
    }
    hasResolved = callsBack && state === "open";
    answer(verdictOn(value));
  }

  function failed(error: unknown): void {
    if (state === "answered" && !isAuthError(error)) report(error);
    answer(verdictOnFailure(error));
  }

  try {
    returned(policy.authenticate(socket, credentials, attempt));
  } catch (error) {
    failed(error);
  }

  return (ending) => {
    if (state !== "open") return;
    state = "ended";
    dialog?.end();
    controller?.abort();
    if (ending === "overdue" && isUnheard) report(new Error(UNHEARD + HOW_TO_ANSWER));
  };
}

/**
 * Waits for a promise of the language itself, such as every async function
 * returns. Of a subclass, which is some driver's, only the failure counts. Any
 * other thenable is left alone: to look at a query is to send it once more.
 * Returns whether there is a result to wait for.
 */
function hearOut(
  value: unknown,
  resolved: (value: unknown) => void,
  failed: (error: unknown) => void,
): boolean {
  try {
    if (!(value instanceof Promise)) return false;
    const isNative = Object.getPrototypeOf(value) === Promise.prototype;
    void Promise.prototype.then.call(value, isNative ? resolved : undefined, failed);
    return isNative;
  } catch {
    // Something that only looks like a promise.
    return false;
  }
}

function verdictOn(success: unknown): Verdict {
  // No user is an error: it was meant to be thrown.
  if (isError(success)) return verdictOnFailure(success);
  return success ? { user: success } : { refusal: unauthorized("authentication_failed") };
}

function verdictOnFailure(error: unknown): Verdict {
  return isAuthError(error) ? refusalOf(error) : { refusal: unauthorized("server_error"), error };
}
