// What the compiler knows of users, policies and events without being told. Nothing here
// runs, it only has to compile; an `@ts-expect-error` in front of a line that is
// fine is an error itself.
import type { Server, Socket } from "socket.io";
import {
  admit,
  type Auth,
  type AuthEvent,
  type Callback,
  type Session,
  socketioAuth,
} from "../../mod.ts";
import { type Credentials, type Equal, expect, type User } from "./expect.ts";

declare const io: Server;
declare const socket: Socket;
declare const user: User;
declare const maybe: User | false | null | undefined;

/** The user, from what `verify` answers to wherever a user is taken. */
export function userOfSyncVerifier(): void {
  const auth = socketioAuth(io, {
    verify: () => user,
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
    sessionId(known) {
      expect<Equal<typeof known, User>>();
      return `${known.id}`;
    },
    expiresAt(known) {
      expect<Equal<typeof known, User>>();
      return known.until;
    },
    reply(known) {
      expect<Equal<typeof known, User>>();
      return { id: known.id };
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();
  const session = auth.session(socket);
  expect<Equal<typeof session, Session<User> | undefined>>();
  // @ts-expect-error -- there may be no session
  session.user;
  const known = auth.session(socket)!.user;
  expect<Equal<typeof known, User>>();
}

export function userOfVerifierWithParameters(): void {
  const auth = socketioAuth(io, {
    verify: (_socket, credentials) => credentials.token === "right" && user,
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
    reply: (known) => known.until,
  });
  const known = auth.session(socket)!.user;
  expect<Equal<typeof known, User>>();
}

export function userOfAsyncVerifier(): void {
  const auth = socketioAuth(io, {
    async verify(_socket, { token }) {
      return await Promise.resolve(token === "right") && user;
    },
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
    sessionId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
    expiresAt(known) {
      expect<Equal<typeof known, User>>();
      return known.until;
    },
    reply(known) {
      expect<Equal<typeof known, User>>();
      return true;
    },
  });
  const known = auth.session(socket)!.user;
  expect<Equal<typeof known, User>>();
}

export function userOfVerifiersThatSayNo(): void {
  const sync = socketioAuth(io, { verify: () => maybe, userId: (known) => known.id });
  expect<Equal<typeof sync, Auth<User>>>();
  const async = socketioAuth(io, {
    verify: () => Promise.resolve(maybe),
    userId: (known) => known.id,
  });
  expect<Equal<typeof async, Auth<User>>>();
  const branches = socketioAuth(io, {
    async verify(_socket, { token }) {
      if (token === "none") return null;
      if (token === "wrong") return false;
      if (token === "right") return await Promise.resolve(user);
      return undefined;
    },
    userId: (known) => known.id,
    expiresAt: (known) => known.until,
  });
  expect<Equal<typeof branches, Auth<User>>>();
  const union = socketioAuth(io, {
    verify: (): User | Promise<User | null> | false => user,
    reply: (known) => known.id,
  });
  expect<Equal<typeof union, Auth<User>>>();
}

/** A callback's user is known by the type of the callback. */
export function userOfNodeCallback(): void {
  const byCallback = socketioAuth(io, {
    authenticate(_socket, { token }: Credentials, callback: Callback<User>) {
      callback(null, token === "right" && user);
    },
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
  });
  expect<Equal<typeof byCallback, Auth<User>>>();
  const byFunction = socketioAuth(io, {
    authenticate(
      _socket,
      { token }: Credentials,
      callback: (error: Error | null, success?: User | false) => void,
    ) {
      callback(token === "right" ? null : new Error("No"), user);
    },
    reply(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
  });
  expect<Equal<typeof byFunction, Auth<User>>>();
}

/** What `admit` adds is not in the user. */
export function userOfAdmission(): void {
  const auth = socketioAuth(io, {
    async verify(_socket, { token }) {
      if (token === "none") return false;
      if (token === "plain") return user;
      return admit(await Promise.resolve(user), { sessionId: "1", expiresAt: new Date() });
    },
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();
  const only = socketioAuth(io, { verify: () => admit(user), reply: (known) => known.id });
  expect<Equal<typeof only, Auth<User>>>();
  const known = auth.user(socket);
  expect<Equal<typeof known, User>>();
  // @ts-expect-error -- no such fact
  admit(user, { expires: 5 });
  // @ts-expect-error -- an id is no boolean
  admit(user, { userId: true });
}

/** What is not a policy, or not something to guard. */
export function wrongOptions(): void {
  const verify = () => user;
  // @ts-expect-error -- `verify` or `authenticate` is required
  socketioAuth(io, {});
  // @ts-expect-error -- one of the two
  socketioAuth(io, { verify, authenticate: (_s, _c, callback) => callback(null, user) });
  // @ts-expect-error -- there is no such option
  socketioAuth(io, { verify, timeOut: 5 });
  // @ts-expect-error -- a number
  socketioAuth(io, { verify, grace: "5" });
  // @ts-expect-error -- a number, or "none"
  socketioAuth(io, { verify, timeout: "never" });
  // @ts-expect-error -- "hold", "drop" or "pass"
  socketioAuth(io, { verify, incoming: "keep" });
  // @ts-expect-error -- "hold" or "pass": what the server emits is not dropped
  socketioAuth(io, { verify, outgoing: "drop" });
  // @ts-expect-error -- a boolean
  socketioAuth(io, { verify, handshake: "yes" });
  // @ts-expect-error -- "authenticated" or "connected"
  socketioAuth(io, { verify, connection: "late" });
  // @ts-expect-error -- no such limit
  socketioAuth(io, { verify, holdLimit: { packets: 5 } });
  // @ts-expect-error -- an id is no object
  socketioAuth(io, { verify, userId: (known) => ({ id: known.id }) });
  // @ts-expect-error -- a `Date` or a number
  socketioAuth(io, { verify, expiresAt: () => "tomorrow" });
  // @ts-expect-error -- users have no such field
  socketioAuth(io, { verify, reply: (known) => known.password });
  // @ts-expect-error -- a function
  socketioAuth(io, { verify, observe: console });
  // @ts-expect-error -- neither a server nor a namespace
  socketioAuth({}, { verify });
  // @ts-expect-error -- not one socket
  socketioAuth(socket, { verify });
}

/** Whose sessions are revoked: one id, of one kind. */
export function revoking(auth: Auth<User>): void {
  auth.revoke({ userId: { toHexString: () => "507f" } });
  const count = auth.revoke({ userId: 1 });
  expect<Equal<typeof count, Promise<number>>>();
  auth.revoke({ userId: "1" });
  auth.revoke({ sessionId: 1n });
  auth.revoke({ userId: "1" }, { except: socket });
  // @ts-expect-error -- one client connection at most
  auth.revoke({ userId: "1" }, { except: "socket id" });
  // @ts-expect-error -- nobody's
  auth.revoke({});
  // @ts-expect-error -- which of the two?
  auth.revoke({ userId: "1", sessionId: "2" });
  // @ts-expect-error -- no id
  auth.revoke({ userId: undefined });
  // @ts-expect-error -- no such id
  auth.revoke({ socketId: "1" });
}

/** Events are told apart by their type. */
export function events(event: AuthEvent): string {
  // @ts-expect-error -- not every event has a code
  event.code;
  switch (event.type) {
    case "attempt":
      expect<Equal<typeof event.duration, number>>();
      if (event.ok) {
        expect<Equal<typeof event.userId, string | undefined>>();
        // @ts-expect-error -- a yes has no code
        return event.code;
      }
      // @ts-expect-error -- a no has no user
      event.userId;
      return event.code;
    case "unauthorized":
      // An `AuthError` can have any code.
      return event.code;
    case "expired":
    case "revoked":
    case "signed_out":
      expect<Equal<typeof event.type, "expired" | "revoked" | "signed_out">>();
      expect<Equal<typeof event.duration, number>>();
      // @ts-expect-error -- the type says it all
      return event.code;
    case "disconnected":
      expect<Equal<typeof event.reason, string>>();
      return event.reason;
    case "pending":
      // @ts-expect-error -- nothing has lasted yet
      event.duration;
      return event.socketId;
    case "authenticated":
    case "refreshed":
      return `${event.userId} ${event.duration} ${event.address}`;
    default:
      expect<Equal<typeof event, never>>();
      return event;
  }
}
