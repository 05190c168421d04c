import { randomBytes, randomUUID } from "node:crypto";
import { env } from "node:process";
import { admit, cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import express from "express";
import { getIronSession, unsealData } from "iron-session";
import { Server } from "socket.io";

interface Data {
  user: { id: string; name: string };
  /** The id of the session, and when it ends: iron-session has neither. */
  id: string;
  endsAt: number;
}

const COOKIE = "session";
const TTL = 8 * 3600; // seconds
const OPTIONS = {
  cookieName: COOKIE,
  // Another one at each start, unless you set one.
  password: env.SESSION_PASSWORD ?? randomBytes(32).toString("hex"),
  ttl: TTL,
  cookieOptions: { secure: env.NODE_ENV === "production" },
};

// Stands in for a database. What has ended has to be known for as long as cookies are good.
const users = new Map([["ada", { id: "1", name: "Ada", password: "lovelace" }]]);
const ended = new Set<string>();

export function start(port: number): Server {
  const app = express().use(express.json());
  const http = app.listen(port);
  const io = new Server(http);

  const auth = socketioAuth(io, {
    handshake: cookies(COOKIE, { origins: "same" }), // or a list of your pages' origins
    async verify(_socket, credentials) {
      const { [COOKIE]: seal } = Object(credentials);
      if (typeof seal !== "string") return undefined;
      // `{}` for a seal that is forged, too old, or none. An object is no user yet.
      const { user, id = "", endsAt } = await unsealData<Partial<Data>>(seal, OPTIONS);
      if (!user || !endsAt || ended.has(id)) return undefined;
      return admit(user, { sessionId: id, expiresAt: endsAt });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });

  app.post("/login", async (request, response) => {
    const user = users.get(request.body?.username);
    if (!user || user.password !== request.body.password) return void response.sendStatus(401);
    const session = await getIronSession<Data>(request, response, OPTIONS);
    session.user = { id: user.id, name: user.name };
    session.id = randomUUID();
    session.endsAt = Date.now() + TTL * 1000;
    await session.save();
    response.sendStatus(204);
  });
  app.post("/logout", async (request, response) => {
    const session = await getIronSession<Partial<Data>>(request, response, OPTIONS);
    const { id } = session;
    session.destroy();
    if (id) {
      ended.add(id);
      await auth.revoke({ sessionId: id });
    }
    response.sendStatus(204);
  });
  return io;
}
