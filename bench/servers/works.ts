/**
 * What a server does with its sockets, by name: the same work with this package and without.
 *
 * @module
 */
import { authorize } from "@thream/socketio-jwt";
import type { Server, Socket } from "socket.io";
import { type Auth, socketioAuth, type VerifyContext } from "../../mod.ts";
import { jwt } from "../../src/jwt/jwt.ts";
import { SECRET } from "../clients/credentials.ts";
import { findUser, readToken, type User } from "./users.ts";

/** Sets a server up. Returns what this package has given it, if it is there. */
export type Work = (io: Server) => Auth<User> | void;

/** What a policy sets here besides the verifier. */
interface Policy {
  readonly verify?: (socket: Socket, credentials: unknown, context: VerifyContext) => unknown;
  readonly handshake?: boolean;
  readonly timeout?: number;
}

const guarded = (policy: Policy = {}): Work => (io) =>
  socketioAuth(io, {
    verify: (_socket, credentials: unknown) => findUser(credentials),
    ...policy,
  }) as Auth<User>;

/** By hand, by one event, without a gate: what the budget is measured against. */
const event: Work = (io) => void io.on("connection", signInByEvent);

function signInByEvent(socket: Socket): void {
  socket.on("authentication", async (credentials) => {
    socket.data.user = await findUser(credentials);
    if (socket.data.user) socket.emit("authenticated", true);
    else socket.disconnect(true);
  });
}

/** By hand, by those who think of more: a deadline, a guard for events, a room for broadcasts. */
const eventAndGuard: Work = (io) => {
  io.on("connection", (socket) => {
    const deadline = setTimeout(() => socket.disconnect(true), 1000);
    socket.on("disconnect", () => clearTimeout(deadline));
    socket.use(([name], next) => {
      if (name === "authentication" || socket.data.user) next();
      else next(new Error("unauthorized"));
    });
    socket.on("authentication", async (credentials) => {
      socket.data.user = await findUser(credentials);
      if (!socket.data.user) return socket.disconnect(true);
      clearTimeout(deadline);
      await socket.join("authenticated");
      socket.emit("authenticated", true);
    });
  });
};

/** By hand, on CONNECT, as Socket.IO's documentation shows it. */
const middleware: Work = (io) => {
  io.use(async (socket, next) => {
    socket.data.user = await findUser(socket.handshake.auth);
    next(socket.data.user ? undefined : new Error("unauthorized"));
  });
};

const NAMESPACES = Array.from({ length: 200 }, (_, n) => `/n${n}`);

export const works: Record<string, Work> = {
  nothing: () => {},
  event,
  "event and guard": eventAndGuard,
  "io.use": middleware,
  "io.use and event": (io) => {
    middleware(io);
    io.on("connection", (socket) => void socket.emit("authenticated", true));
  },
  "@thream/socketio-jwt": (io) => void io.use(authorize({ secret: SECRET }) as never),

  "two steps": guarded(),
  handshake: guarded({ handshake: true }),
  "handshake of a JWT": guarded({
    handshake: true,
    verify: (_socket, credentials) => readToken((credentials as { token?: unknown }).token),
  }),
  "handshake with ./jwt": guarded({
    ...jwt({ secret: SECRET, issuer: false, audience: false }),
    handshake: true,
  }),
  // As pending sockets are there, which are to be looked at for a while.
  "two steps within a minute": guarded({ timeout: 60_000 }),
  "slow verifier": guarded({
    verify: () => new Promise((resolve) => setTimeout(resolve, 100, false)),
  }),

  "event, 200 namespaces": (io) => {
    for (const name of NAMESPACES) io.of(name).on("connection", signInByEvent);
  },
  "two steps, 200 namespaces": (io) => {
    for (const name of NAMESPACES) io.of(name);
    return guarded()(io);
  },
  "event, 1,000 rooms": (io) => {
    event(io);
    joinRooms(io);
  },
  "two steps, 1,000 rooms": (io) => {
    const auth = guarded()(io);
    joinRooms(io);
    return auth;
  },
};

function joinRooms(io: Server): void {
  let sockets = 0;
  io.on("connection", (socket) => void socket.join(`room ${sockets++ % 1000}`));
}
