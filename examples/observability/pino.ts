/**
 * Logs what happens to clients with pino.
 *
 * ```ts
 * const logger = pino({ redact: ["auth.address"] }); // if you must not keep addresses
 * socketioAuth(io, { authenticate, observe: logAuthEvents(logger) });
 * ```
 *
 * - **Why was somebody refused?** Look for `"level":40` and `auth.code`; README.md
 *   says what each code means. A refused attempt is two lines: `attempt` is the answer of
 *   the verifier, `unauthorized` what became of the socket.
 * - **What happened to one client?** Take `auth.socketId` from any line of it,
 *   and look for that. With the option `userId` there is `auth.userId` as well.
 * - **The log says "server_error" and nothing else?** What was thrown goes to
 *   the option `onError`, not here.
 * - **No `auth.address`, or always the same?** Bun's own engine does not know it,
 *   and behind a proxy it is the proxy's. Give the option `address`.
 * - **Too many lines?** Info is who comes and goes, warn is refusals. Debug adds
 *   sockets that come and go, and answers of the verifier that were a yes.
 *
 * Credentials are in no event, and so in no line.
 *
 * @module
 */
import type { Logger } from "pino";
import type { AuthEvent } from "../../mod.ts";

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
