import type { Server as HttpServer } from "node:http";
import { serve } from "@hono/node-server";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Hono } from "hono";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "1", name: "Ada" }]]);

export function start(port: number): Server {
  const app = new Hono();
  app.get("/", (context) => context.text("hello"));

  const http = serve({ fetch: app.fetch, port, overrideGlobalObjects: false });
  const io = new Server(http as HttpServer);
  const auth = socketioAuth(io, {
    verify: (_socket, credentials) => users.get(Object(credentials).token),
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  return io;
}
