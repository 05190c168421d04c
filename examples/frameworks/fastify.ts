import { socketioAuth } from "@socketio-auth/socketio-auth";
import fastify, { type FastifyInstance } from "fastify";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "1", name: "Ada" }]]);

export async function start(port: number): Promise<FastifyInstance> {
  const app = fastify();
  app.get("/", () => "hello");

  const io = new Server(app.server);
  const auth = socketioAuth(io, {
    verify: (_socket, credentials) => users.get(Object(credentials).token),
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  // Otherwise `app.close` waits until the last client has left.
  app.addHook("preClose", (done) => {
    io.engine.close();
    done();
  });
  await app.listen({ port });
  return app;
}
