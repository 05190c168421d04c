import { randomBytes, randomUUID } from "node:crypto";
import { env } from "node:process";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { jwt } from "@socketio-auth/socketio-auth/jwt";
import express from "express";
import { jwtVerify, SignJWT } from "jose";
import { Server } from "socket.io";

// Another one at each start, unless you set one.
const SECRET = env.JWT_SECRET ?? randomBytes(32).toString("hex");
const ISSUER = "https://app.example";
const AUDIENCE = "chat";
const LIFETIME = 15 * 60_000;

// Stands in for a database, which keeps a hash of the password.
const users = new Map([["1", { id: "1", name: "Ada", password: "lovelace" }]]);

/** The sessions that were signed out, until their tokens end. For several nodes, in Redis. */
const denied = new Map<unknown, number>();
function deny(sid: unknown): void {
  for (const [old, end] of denied) if (end < Date.now()) denied.delete(old);
  denied.set(sid, Date.now() + LIFETIME);
}

export function start(port: number): Server {
  const app = express().use(express.json());
  const http = app.listen(port);
  const io = new Server(http);
  const key = new TextEncoder().encode(SECRET);

  const auth = socketioAuth(io, {
    ...jwt({
      secret: SECRET,
      issuer: ISSUER,
      audience: AUDIENCE,
      user: ({ sub, sid }) => denied.has(sid) ? undefined : users.get(sub),
    }),
    handshake: true,
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });

  app.post("/login", async (request, response) => {
    const { username, password } = Object(request.body);
    const user = [...users.values()].find(({ name }) => name.toLowerCase() === username);
    if (!user || user.password !== password) return void response.sendStatus(401);
    const token = await new SignJWT({ sid: randomUUID() })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(user.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(new Date(Date.now() + LIFETIME))
      .sign(key);
    response.json({ token });
  });
  app.post("/logout", async (request, response) => {
    const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ["HS256"] };
    const verified = await jwtVerify(`${request.body?.token}`, key, options).catch(() => undefined);
    if (!verified) return void response.sendStatus(401);
    const sid = `${verified.payload.sid}`;
    deny(sid);
    await auth.revoke({ sessionId: sid });
    response.sendStatus(204);
  });
  return io;
}
