import type { ChallengeOptions, Dialog } from "./challenge.ts";
import { AuthError } from "./errors.ts";
import type { Attempt } from "./options.ts";
import type { Policy } from "./policy.ts";
import { isCode, type Unauthorized, unauthorized } from "./protocol.ts";

/** What came of an attempt. `error` is what the operator should hear about. */
export type Answer =
  | { readonly user: unknown }
  | { readonly refusal: Unauthorized; readonly error?: unknown };

const MIXED = "authenticate returned a promise, which resolved with undefined, and called back " +
  "after that, which does not count any more. Return the answer, or do not return a promise.";

/**
 * Calls the verifier and hands on its first answer, whether returned,
 * resolved, thrown, rejected or given by callback. Returns a function that
 * aborts the attempt: from then on no answer is handed on.
 */
export function startAttempt<S>(
  policy: Policy<S>,
  socket: S,
  credentials: unknown,
  openDialog: () => Dialog<S>,
  onAnswer: (answer: Answer) => void,
): () => void {
  let over = false;
  let aborted = false;
  /** Its promise has come to nothing: if it calls back after that, it meant to answer so. */
  let isMixed = false;
  let controller: AbortController | undefined;
  let dialog: Dialog<S> | undefined;

  function answer(given: Answer): void {
    if (over) return;
    over = true;
    dialog?.end();
    onAnswer(given);
  }

  function callback(error?: unknown, success?: unknown): void {
    if (isMixed) policy.report(new Error(MIXED), { during: "authenticate", socket });
    isMixed = false;
    answer(error ? { refusal: refusalOf(error) } : decide(success));
  }

  // Most verifiers never look: do not pay for any of these until one does.
  const attempt = Object.defineProperties(callback, {
    signal: {
      get(): AbortSignal {
        controller ??= new AbortController();
        if (aborted) controller.abort();
        return controller.signal;
      },
    },
    challenge: {
      value(data: unknown, options?: ChallengeOptions): Promise<unknown> {
        dialog ??= openDialog();
        if (over) dialog.end();
        return dialog.ask(data, options);
      },
    },
  }) as unknown as Attempt<unknown>;

  function resolved(value: unknown): void {
    isMixed = !over && value === undefined;
    answer(decide(value));
  }

  function failed(error: unknown): void {
    answer(
      error instanceof AuthError
        ? { refusal: refusalOf(error) }
        : { refusal: unauthorized("server_error"), error },
    );
  }

  try {
    const value = policy.authenticate(socket, credentials, attempt);
    const answersLater = value === undefined && policy.authenticate.length >= 3;
    if (!answersLater) Promise.resolve(value).then(resolved, failed);
  } catch (error) {
    failed(error);
  }

  return () => {
    if (over) return;
    over = aborted = true;
    dialog?.end();
    controller?.abort();
  };
}

function decide(success: unknown): Answer {
  return success ? { user: success } : { refusal: unauthorized("authentication_failed") };
}

/** The refusal for an error that is meant for the client. */
function refusalOf(error: unknown): Unauthorized {
  const code = error instanceof AuthError ? error.code : "authentication_error";
  const { message, reconnect } = unauthorized(isCode(code) ? code : "authentication_error");
  return { message: textOf(error) ?? message, code, reconnect };
}

function textOf(error: unknown): string | undefined {
  try {
    const text = typeof error === "string" ? error : (error as { message?: unknown })?.message;
    return typeof text === "string" ? text : undefined;
  } catch {
    // An error may be anything, also something that throws when it is looked at.
    return undefined;
  }
}
