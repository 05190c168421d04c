/**
 * The names that every entry point for a server exports.
 *
 * @module
 */
import { socketioAuth } from "./socketio_auth.ts";

export { socketioAuth };
/** The function {@linkcode socketioAuth}, for `import socketioAuth from` as with the original module. */
// As `socketioAuth as default`, it would have no other name in an API reference.
const byDefault: typeof socketioAuth = socketioAuth;
export default byDefault;
export type { Guarded, TargetNamespace, TargetServer } from "./socketio_auth.ts";
export { type CookieFinder, type CookieOptions, cookies } from "./cookies.ts";
export type { Origins } from "./pages.ts";
export type { Auth, RefreshOptions, RevokeOptions, Spared } from "../core/auth.ts";
export type {
  AcceptedEvent,
  AuthenticatedEvent,
  AuthEvent,
  DisconnectedEvent,
  Origin,
  PendingEvent,
  RefusedEvent,
  SessionEndedEvent,
  UnauthorizedEvent,
} from "../core/events.ts";
export type { Stats } from "../core/journal.ts";
export type { RevokeTarget } from "../core/targets.ts";
export type { ChallengeOptions } from "../core/challenge.ts";
export type { SchemaResult, StandardSchema } from "../core/schema.ts";
export type { Limiter, Throttle } from "../core/throttle.ts";
export { AuthError, type AuthErrorOptions } from "../core/errors.ts";
export type { HoldLimit } from "../core/hold.ts";
export type {
  AuthenticateOption,
  CommonOptions,
  ErrorContext,
  Finder,
  HandshakeOf,
  Options,
  VerifyOption,
} from "../core/options.ts";
export type { Awaitable, Callback, Falsy, VerifyContext } from "../core/answers.ts";
export { type Admission, admit, type Id, type SessionFacts } from "../core/users.ts";
export type { Session } from "../core/session.ts";
export type { AuthenticatedInfo, Code, Declined, Outcome, Unauthorized } from "../protocol.ts";
