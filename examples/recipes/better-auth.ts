import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { env } from "node:process";
import { admit, cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";
import { Server } from "socket.io";

// Behind TLS better-auth calls it `__Secure-better-auth.session_token`.
const COOKIE = "better-auth.session_token";

export function start(port: number): Server {
  const login = betterAuth({
    baseURL: env.BETTER_AUTH_URL ?? `http://localhost:${port}`,
    // Another one at each start, unless you set one.
    secret: env.BETTER_AUTH_SECRET ?? randomBytes(32).toString("hex"),
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }), // or yours
    emailAndPassword: { enabled: true },
    plugins: [bearer()],
    databaseHooks: {
      session: { delete: { after: async ({ id }) => void await auth.revoke({ sessionId: id }) } },
    },
  });
  const http = createServer(toNodeHandler(login));
  const io = new Server(http);

  const auth = socketioAuth(io, {
    handshake: [
      cookies(COOKIE, { origins: "same" }), // or a list of your pages' origins
      ({ auth }) => auth,
    ],
    async verify(_socket, credentials) {
      const { [COOKIE]: cookie, token } = Object(credentials);
      const headers = new Headers();
      if (typeof cookie === "string") {
        headers.set("cookie", `${COOKIE}=${encodeURIComponent(cookie)}`);
      } else if (typeof token === "string") {
        headers.set("authorization", `Bearer ${encodeURIComponent(token)}`);
      }
      const query = { disableCookieCache: true, disableRefresh: true };
      const found = await login.api.getSession({ headers, query });
      if (!found) return undefined;
      const { id: sessionId, expiresAt } = found.session;
      return admit(found.user, { sessionId, expiresAt });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  http.listen(port);
  return io;
}
