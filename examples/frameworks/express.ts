import { createServer } from "node:http";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import express from "express";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "1", name: "Ada" }]]);

export function start(port: number): Server {
  const app = express();
  app.get("/", (_request, response) => void response.send("hello"));

  const http = createServer(app);
  const io = new Server(http);
  const auth = socketioAuth(io, {
    verify: (_socket, credentials) => users.get(Object(credentials).token),
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  http.listen(port);
  return io;
}
