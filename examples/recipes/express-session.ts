import { randomBytes } from "node:crypto";
import { env } from "node:process";
import { admit, cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import { RedisStore } from "connect-redis";
import { unsign } from "cookie-signature";
import express from "express";
import session from "express-session";
import { createClient } from "redis";
import { Server } from "socket.io";

declare module "express-session" {
  interface SessionData {
    user: { id: string; name: string };
  }
}

// Another one at each start, unless you set one.
const SECRET = env.SESSION_SECRET ?? randomBytes(32).toString("hex");
const PREFIX = "sess:";

// Stands in for a database, which keeps a hash of the password.
const users = new Map([["ada", { id: "1", name: "Ada", password: "lovelace" }]]);

export async function start(port: number): Promise<Server> {
  const redis = createClient({ url: env.REDIS_URL ?? "redis://localhost:6379" });
  redis.on("error", console.error); // without a listener, an outage ends the process
  await redis.connect();
  const store = new RedisStore({ client: redis, prefix: PREFIX });
  const app = express().use(express.json()).use(session({
    secret: SECRET,
    store,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { maxAge: 30 * 60_000, sameSite: "lax" }, // and `secure` behind TLS
  }));
  const http = app.listen(port).on("close", () => redis.close());
  const io = new Server(http);

  const auth = socketioAuth(io, {
    handshake: cookies("connect.sid", { origins: "same" }), // or a list of your pages' origins
    async verify(_socket, credentials) {
      const { "connect.sid": cookie } = Object(credentials);
      const id = typeof cookie === "string" && unsign(cookie.replace("s:", ""), SECRET);
      if (!id) return undefined;
      const stored: Partial<session.SessionData> | null = await store.get(id);
      if (!stored?.user) return undefined; // a visitor who has not logged in has a session too
      const left = await redis.pTTL(PREFIX + id); // `cookie.expires` in there is stale
      return admit(stored.user, { sessionId: id, expiresAt: Date.now() + left });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });

  app.post("/login", (request, response, next) => {
    const { username, password } = Object(request.body);
    const user = users.get(username);
    if (!user || user.password !== password) return void response.sendStatus(401);
    const former = request.sessionID;
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = { id: user.id, name: user.name };
      response.sendStatus(204);
    });
    // The sockets of the former session come back, and bring the new cookie.
    response.on("finish", () => auth.revoke({ sessionId: former }, { reconnect: true }));
  });
  app.post("/logout", (request, response) => {
    const { sessionID } = request;
    request.session.destroy(async () => { // first, so that no client comes back with it
      await auth.revoke({ sessionId: sessionID });
      response.sendStatus(204);
    });
  });
  return io;
}
