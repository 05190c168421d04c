import { randomBytes } from "node:crypto";
import { env } from "node:process";
import { admit, cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import { unsign } from "cookie-signature";
import express from "express";
import session, { MemoryStore, type SessionData } from "express-session";
import passport from "passport";
import { Strategy } from "passport-local";
import { Server } from "socket.io";

// Another one at each start, unless you set one.
const SECRET = env.SESSION_SECRET ?? randomBytes(32).toString("hex");

// Stands in for a database, which keeps a hash of the password.
const users = new Map([["1", { id: "1", name: "ada", password: "lovelace" }]]);

passport.use(
  new Strategy((username, password, done) => {
    const user = [...users.values()].find(({ name }) => name === username);
    done(null, user?.password === password && user);
  }),
);
passport.serializeUser<string>((user, done) => done(null, (user as { id: string }).id));
passport.deserializeUser<string>((id, done) => done(null, users.get(id) ?? false));

export function start(port: number): Server {
  const store = new MemoryStore(); // or that of express-session.md
  const app = express().use(express.json());
  app.use(session({ secret: SECRET, store, resave: false, saveUninitialized: false }));
  app.use(passport.session());
  const http = app.listen(port);
  const io = new Server(http);

  function find(id: string): Promise<SessionData & { passport?: { user: string } } | null> {
    return new Promise((resolve, reject) => {
      store.get(id, (error, stored) => error ? reject(error) : resolve(stored ?? null));
    });
  }

  const auth = socketioAuth(io, {
    handshake: cookies("connect.sid", { origins: "same" }), // or a list of your pages' origins
    async verify(_socket, credentials) {
      const { "connect.sid": cookie } = Object(credentials);
      const id = typeof cookie === "string" && unsign(cookie.replace("s:", ""), SECRET);
      const stored = id && await find(id);
      const user = stored && users.get(stored.passport?.user ?? ""); // as `deserializeUser` does
      return user && admit(user, { sessionId: id, expiresAt: stored.cookie.expires });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });

  app.post(
    "/login",
    (request, response, next) => {
      const former = request.sessionID; // passport gives the session a new id
      response.on("finish", () => {
        if (request.sessionID === former) return;
        void auth.revoke({ sessionId: former }, { reconnect: true });
      });
      next();
    },
    passport.authenticate("local"),
    (_request, response) => void response.sendStatus(204),
  );
  app.post("/logout", (request, response, next) => {
    const { sessionID } = request; // that of before `logout`
    request.logout(async (error) => {
      await auth.revoke({ sessionId: sessionID });
      return error ? next(error) : response.sendStatus(204);
    });
  });
  return io;
}
