// Compiles against the installed package, with each entry point, and only as
// long as its types are there: a type that is `any` makes `@ts-expect-error`
// an error.
import { Server } from "socket.io";
import byDefault, {
  type Auth,
  AuthError,
  type Session,
  socketioAuth,
} from "@socketio-auth/socketio-auth";
import { serve as serveBun } from "@socketio-auth/socketio-auth/bun";
import { serve as serveDeno } from "@socketio-auth/socketio-auth/deno";
import { type Running, serve as serveNode } from "@socketio-auth/socketio-auth/node";
import { type Code, PROTOCOL_VERSION, unauthorized } from "@socketio-auth/socketio-auth/protocol";

interface User {
  name: string;
}

const io = new Server<{ say(text: string): void }>();
export const auth: Auth<User> = socketioAuth(io, {
  authenticate(socket, { username }: { username: string }) {
    const flag: boolean = socket.auth;
    if (!flag) throw new AuthError("No", { code: "no" });
    return { name: username };
  },
  postAuthenticate(socket) {
    socket.on("say", (text) => text.toUpperCase());
    // @ts-expect-error -- the socket has the server's types
    socket.on("sing", () => {});
  },
});
export const session: Session<User> | undefined = auth.session({});
// @ts-expect-error -- there may be no session
session.user;

byDefault(io.of("/admin"), { authenticate: () => false });
// @ts-expect-error -- `authenticate` is required
byDefault(io, {});
// @ts-expect-error -- no server
byDefault({}, { authenticate: () => false });

export const running: Promise<Running>[] = [
  serveNode(io),
  serveDeno(io),
  serveBun(io, { port: 0 }),
];
// @ts-expect-error -- a port is a number
serveNode(io, { port: "0" });

export const code: Code = "expired";
// @ts-expect-error -- no such code
unauthorized("nonsense");
export const version: 2 = PROTOCOL_VERSION;
