import { randomBytes, randomUUID } from "node:crypto";
import type { Server as HttpServer } from "node:http";
import { env } from "node:process";
import { Auth, type AuthConfig } from "@auth/core";
import { getToken } from "@auth/core/jwt";
import Credentials from "@auth/core/providers/credentials";
import { serve } from "@hono/node-server";
import { admit, cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import { Hono } from "hono";
import { Server } from "socket.io";

// Another one at each start, unless you set one.
const SECRET = env.AUTH_SECRET ?? randomBytes(32).toString("hex");
const SECURE = env.NODE_ENV === "production";
const COOKIE = SECURE ? "__Secure-authjs.session-token" : "authjs.session-token";
/** A cookie that is too long is in several. */
const NAMES = [COOKIE, ...[0, 1, 2, 3].map((part) => `${COOKIE}.${part}`)];

/** Sessions that were signed out. Tokens stay good until they end, so keep it for as long. */
const ended = new Set<string>();

export function start(port: number): Server {
  const config: AuthConfig = {
    secret: SECRET,
    trustHost: true,
    basePath: "/auth",
    providers: [
      Credentials({ // or those that you have
        credentials: { username: {}, password: {} },
        authorize({ username, password }) {
          const isAda = username === "ada" && password === "lovelace";
          return isAda ? { id: "1", name: "Ada" } : null;
        },
      }),
    ],
    callbacks: {
      // `user` is there at the sign-in. `jti` is another one after each request.
      jwt: ({ token, user }) => user ? { ...token, sid: randomUUID() } : token,
    },
    events: {
      async signOut(message) {
        const sid = "token" in message && message.token?.sid;
        if (typeof sid !== "string") return;
        ended.add(sid);
        await auth.revoke({ sessionId: sid });
      },
    },
  };
  const app = new Hono().all("/auth/*", ({ req }) => Auth(req.raw, config));
  const http = serve({ fetch: app.fetch, port, overrideGlobalObjects: false }) as HttpServer;
  const io = new Server(http);

  const auth = socketioAuth(io, {
    handshake: cookies(NAMES, { origins: "same" }), // or a list of your pages' origins
    async verify(_socket, credentials) {
      const given: Record<string, unknown> = Object(credentials);
      const cookie = NAMES.map((name) => [name, given[name]])
        .filter(([, value]) => typeof value === "string")
        .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`);
      const token = await getToken({
        req: { headers: { cookie: cookie.join("; ") } },
        secret: SECRET,
        secureCookie: SECURE,
      });
      const { sub, name, sid, exp } = token ?? {};
      if (!sub || !exp || typeof sid !== "string" || ended.has(sid)) return undefined;
      return admit({ id: sub, name }, { sessionId: sid, expiresAt: exp * 1000 });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  return io;
}
