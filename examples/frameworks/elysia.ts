import { Server as Engine } from "@socket.io/bun-engine";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Elysia } from "elysia";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "1", name: "Ada" }]]);

export function start(port: number): { server: unknown; stop(all?: boolean): unknown } {
  const io = new Server();
  const engine = new Engine({ path: "/socket.io/" });
  io.bind(engine);
  const auth = socketioAuth(io, {
    verify: (_socket, credentials) => users.get(Object(credentials).token),
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });

  return new Elysia()
    .get("/", () => "hello")
    .all("/socket.io/", ({ request, server }) => engine.handleRequest(request, server as never))
    .listen({ port, ...engine.handler() as object });
}
