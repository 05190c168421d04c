import type { AuthEvent, Code } from "@socketio-auth/socketio-auth";

/** What a metric may be labeled with: values that can be counted on one's fingers. */
export type Labels = { readonly type: AuthEvent["type"]; readonly code?: string };

/**
 * A `Record`, for the compiler to notice a code that is missing. `abandoned` is told to no client:
 * it is the code of an attempt whose client has left before there was an answer.
 */
const codes: Record<Code | "abandoned", true> = {
  authentication_failed: true,
  authentication_error: true,
  invalid_credentials: true,
  server_error: true,
  timeout: true,
  expired: true,
  revoked: true,
  signed_out: true,
  subject_mismatch: true,
  forbidden: true,
  attempt_in_progress: true,
  too_many_attempts: true,
  too_many_events: true,
  server_busy: true,
  abandoned: true,
};

/**
 * The labels of an event: its type, and the code of a refusal. Every other field
 * stays out, because each new value of a label is a new time series, forever:
 * users, sockets and addresses have no end of values, and neither have
 * namespaces, whose names clients choose where they are dynamic.
 *
 * @param ownCodes the codes your `AuthError`s have; any other is counted as "other"
 */
export function labelsOf(event: AuthEvent, ownCodes: readonly string[]): Labels {
  const { type } = event;
  switch (event.type) {
    case "attempt":
      return event.ok ? { type } : { type, code: boundedCode(event.code, ownCodes) };
    case "unauthorized":
      return { type, code: boundedCode(event.code, ownCodes) };
    case "pending":
    case "authenticated":
    case "refreshed":
    case "expired":
    case "revoked":
    case "signed_out":
    case "disconnected":
      return { type };
    default:
      // An error here at compile time: the library has learned a new type of
      // event. Decide about its labels above.
      event satisfies never;
      return { type };
  }
}

/** An `AuthError` can be given any text as its code, even one with a name in it. */
function boundedCode(code: string, ownCodes: readonly string[]): string {
  return Object.hasOwn(codes, code) || ownCodes.includes(code) ? code : "other";
}
