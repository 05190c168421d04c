import { Server as Engine } from "@socket.io/bun-engine";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Hono } from "hono";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "1", name: "Ada" }]]);

/** Makes what Bun serves: `export default site(3000)`, or `Bun.serve(site(3000))`. */
export function site(port: number): object {
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

  const app = new Hono();
  app.get("/", (context) => context.text("hello"));
  // Bun gives Hono its server as `env`.
  app.all("/socket.io/", ({ req, env }) => engine.handleRequest(req.raw, env as never));
  return { port, ...engine.handler(), fetch: app.fetch };
}
