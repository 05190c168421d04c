import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { AuthError, socketioAuth } from "@socketio-auth/socketio-auth";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Server } from "socket.io";
import * as z from "zod";

async function protect(password: string, salt = randomBytes(16)) {
  const hash = await promisify<string, Buffer, number, Buffer>(scrypt)(password, salt, 32);
  return { salt, hash };
}

// Stands in for a database.
const users = new Map([["ada", { id: "1", name: "Ada", ...await protect("lovelace") }]]);
const unknown = { id: "", name: "", ...await protect(randomBytes(16).toString("hex")) };

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, {
    credentials: z.object({ username: z.string().max(100), password: z.string().max(1000) }),
    async verify(_socket, { username, password }) {
      // An unknown name takes as long as a wrong password.
      const user = users.get(username) ?? unknown;
      const { hash } = await protect(password, user.salt);
      if (!timingSafeEqual(hash, user.hash)) throw new AuthError("Wrong name or password");
      return user;
    },
    timeout: 60_000, // while a person corrects a typing error
    attempts: 3, // on one connection
    throttle: { limiter: new RateLimiterMemory({ points: 10, duration: 60 }) }, // by address
    reply: (user) => user.name,
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  http.listen(port);
  return io;
}
