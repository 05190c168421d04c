/**
 * Two-step authentication for Socket.IO 4, on Node, Deno and Bun.
 *
 * A client connects, sends its credentials in the body of an `authentication`
 * event, and until the server has accepted them nothing flows: no broadcast,
 * room or direct message goes out to it, no event it sends reaches the
 * application.
 *
 * @example
 * ```ts
 * import { Server } from "socket.io";
 * import { AuthError, socketioAuth } from "@socketio-auth/socketio-auth";
 *
 * const io = new Server(3000);
 * const auth = socketioAuth(io, {
 *   async authenticate(socket, { username, password }) {
 *     const user = await db.findUser(username);
 *     if (!user) throw new AuthError("User not found");
 *     return (await verify(user.hash, password)) && user;
 *   },
 * });
 * io.on("connection", (socket) => {
 *   socket.on("chat", (text) => io.emit("chat", auth.session(socket)!.user.name, text));
 * });
 * ```
 *
 * @module
 */
export { socketioAuth, socketioAuth as default } from "./src/adapters/socketio.ts";
export type {
  Auth,
  Guarded,
  RevokeOptions,
  TargetNamespace,
  TargetServer,
} from "./src/adapters/socketio.ts";
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
} from "./src/core/events.ts";
export type { Stats } from "./src/core/journal.ts";
export type { RevokeTarget } from "./src/core/targets.ts";
export type { ChallengeOptions } from "./src/core/challenge.ts";
export type { SchemaResult, StandardSchema } from "./src/core/schema.ts";
export type { Limiter, Throttle } from "./src/core/throttle.ts";
export { AuthError, type AuthErrorOptions } from "./src/core/errors.ts";
export type { HoldLimit } from "./src/core/hold.ts";
export type {
  Attempt,
  Awaitable,
  ErrorContext,
  Falsy,
  Options,
  UserOf,
} from "./src/core/options.ts";
export type { Session } from "./src/core/session.ts";
export type { AuthenticatedInfo, Code, Outcome, Unauthorized } from "./src/core/protocol.ts";
