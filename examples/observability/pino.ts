/**
 * Logs what happens to clients with pino.
 *
 * ```ts
 * const logger = pino({ redact: ["auth.address"] }); // if you must not keep addresses
 * socketioAuth(io, { verify, observe: logAuthEvents(logger) });
 * ```
 *
 * - **Why was somebody refused?** Look for `"level":40` and `auth.code`;
 *   docs/reference/codes.md says what each code means. A refused attempt is two lines: `attempt` is the answer to the
 *   credentials, `unauthorized` what became of the socket. It is the first line alone if nothing
 *   became of the socket: its client had left (`abandoned`), or its session went on.
 * - **What took so long?** `auth.duration` of an attempt is the time from the arrival of the
 *   credentials to the answer, `auth.verification` the verifier's part in it, both in milliseconds.
 *   The rest is schema, throttle and challenges.
 * - **What happened to one client?** Take `auth.socketId` from any line of it,
 *   and look for that. Where users have an id, `auth.userId` is there as well.
 * - **The log says "server_error" and nothing else?** What was thrown goes to
 *   the option `onError`, not here; and so does the likely cause of a "timeout".
 * - **No `auth.address`, or always the same?** Bun's own engine does not know it,
 *   and behind a proxy it is the proxy's. Give the option `address`.
 * - **Too many lines?** Info is who comes and goes, warn is refusals. Debug adds
 *   sockets that come and go, and attempts that were accepted.
 *
 * Credentials are in no event, and so in no line.
 *
 * @module
 */
import type { Logger } from "pino";
import type { AuthEvent } from "@socketio-auth/socketio-auth";

/** Makes a function for the option `observe` that logs every event. */
export function logAuthEvents(logger: Logger): (event: AuthEvent) => void {
  return (event) => {
    // In a field of its own: events may get new fields, and must not overwrite
    // pino's `level` or `time`, or what the logger is bound to.
    logger[levelOf(event)]({ auth: event }, `auth: ${event.type}`);
  };
}

function levelOf(event: AuthEvent): "debug" | "info" | "warn" {
  switch (event.type) {
    case "unauthorized":
      return "warn";
    case "attempt":
      return event.ok ? "debug" : "warn";
    case "authenticated":
    case "refreshed":
    case "expired":
    case "revoked":
    case "signed_out":
      return "info";
    case "pending":
    case "disconnected":
      return "debug";
    default:
      // An error here at compile time: the library has learned a new type of
      // event. Decide about its level above; until then it is logged as this.
      event satisfies never;
      return "info";
  }
}
