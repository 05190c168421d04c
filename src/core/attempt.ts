import { AuthError } from "./errors.ts";
import type { Attempt } from "./options.ts";
import type { Policy } from "./policy.ts";
import { type Unauthorized, unauthorized } from "./protocol.ts";

/** What came of an attempt. `error` is what the operator should hear about. */
export type Answer =
  | { readonly user: unknown }
  | { readonly refusal: Unauthorized; readonly error?: unknown };

/**
 * Calls the verifier and hands on its first answer, whether returned,
 * resolved, thrown, rejected or given by callback. Returns a function that
 * aborts the attempt: from then on no answer is handed on.
 */
export function startAttempt<S>(
  policy: Policy<S>,
  socket: S,
  credentials: unknown,
  onAnswer: (answer: Answer) => void,
): () => void {
  let over = false;
  let controller: AbortController | undefined;

  function answer(given: Answer): void {
    if (over) return;
    over = true;
    onAnswer(given);
  }

  function callback(error?: unknown, success?: unknown): void {
    answer(error ? { refusal: refusalOf(error) } : decide(success));
  }

  const attempt = Object.defineProperty(callback, "signal", {
    get(): AbortSignal {
      // Most verifiers never look: do not pay for a controller until one does.
      controller ??= new AbortController();
      if (over) controller.abort();
      return controller.signal;
    },
  }) as Attempt<unknown>;

  function resolved(value: unknown): void {
    const answersLater = value === undefined && policy.authenticate.length >= 3;
    if (!answersLater) answer(decide(value));
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
    Promise.resolve(value).then(resolved, failed);
  } catch (error) {
    failed(error);
  }

  return () => {
    over = true;
    controller?.abort();
  };
}

function decide(success: unknown): Answer {
  return success ? { user: success } : { refusal: unauthorized("authentication_failed") };
}

/** The refusal for an error that is meant for the client. */
function refusalOf(error: unknown): Unauthorized {
  const { message, ...rest } = unauthorized("authentication_error");
  const text = typeof error === "string" ? error : (error as { message?: unknown })?.message;
  const code = error instanceof AuthError ? error.code : rest.code;
  return { ...rest, code, message: typeof text === "string" ? text : message };
}
