// Compiles against the installed package, with each entry point, and only as
// long as its types are there: a type that is `any` makes `@ts-expect-error`
// an error.
import { Server } from "socket.io";
import byDefault, {
  admit,
  type Auth,
  AuthError,
  type Callback,
  type Session,
  socketioAuth,
  type StandardSchema,
  type VerifyContext,
} from "@socketio-auth/socketio-auth";
import { serve as serveBun } from "@socketio-auth/socketio-auth/bun";
import { serve as serveDeno } from "@socketio-auth/socketio-auth/deno";
import { createLocalJWKSet, createRemoteJWKSet } from "jose";
import { jwt, type JwtClaims } from "@socketio-auth/socketio-auth/jwt";
import { type Running, serve as serveNode } from "@socketio-auth/socketio-auth/node";
import { type Code, PROTOCOL_VERSION, unauthorized } from "@socketio-auth/socketio-auth/protocol";

interface User {
  name: string;
}

const io = new Server<{ say(text: string): void }>();
export const auth: Auth<User> = socketioAuth(io, {
  verify(socket, { username }: { username: string }) {
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
export const name: string = auth.user({}).name;

declare const code: StandardSchema<string>;
export const admitted: Auth<User> = socketioAuth(io, {
  async verify(_socket, _credentials, { signal, challenge }: VerifyContext) {
    signal.throwIfAborted();
    const answer = await challenge("code?", { schema: code });
    // @ts-expect-error -- it is what the schema makes of it
    answer.toFixed();
    // @ts-expect-error -- and without one it can be anything
    (await challenge("code?")).length;
    return admit({ name: answer }, { sessionId: 1n, expiresAt: new Date() });
  },
});
// @ts-expect-error -- there is no such fact
admit({ name: "ada" }, { expires: 1 });

export const calledBack: Auth<User> = socketioAuth(io, {
  authenticate(_socket, { username }: { username: string }, callback: Callback<User>) {
    callback(null, username && { name: username });
    // @ts-expect-error -- no such user
    callback(null, { age: 1 });
  },
});

byDefault(io.of("/admin"), { verify: () => false });
// @ts-expect-error -- `verify` or `authenticate` is required
byDefault(io, {});
// @ts-expect-error -- one of them, not both
byDefault(io, { verify: () => false, authenticate: () => {} });
// @ts-expect-error -- no server
byDefault({}, { verify: () => false });

export const running: Promise<Running>[] = [
  serveNode(io),
  serveDeno(io),
  serveBun(io, { port: 0 }),
];
// @ts-expect-error -- a port is a number
serveNode(io, { port: "0" });

export const expired: Code = "expired";
// @ts-expect-error -- no such code
unauthorized("nonsense");
export const version: 2 = PROTOCOL_VERSION;

const tokens = { issuer: "https://id.example/", audience: "chat" };
export const byToken: Auth<JwtClaims> = socketioAuth(io, {
  ...jwt({ ...tokens, jwks: createRemoteJWKSet(new URL("https://id.example/jwks")) }),
  handshake: true,
});
export const byUser: Auth<User> = socketioAuth(io, {
  ...jwt({
    ...tokens,
    jwks: createLocalJWKSet({ keys: [] }),
    user: (claims) => ({ name: claims.sub }),
  }),
  handshake: true,
});
// @ts-expect-error -- the claims are typed
jwt({ ...tokens, secret: "secret", user: (claims) => claims.sub.toFixed() });
// @ts-expect-error -- an audience is required
jwt({ secret: "secret", issuer: false });
