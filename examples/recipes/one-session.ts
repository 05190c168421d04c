import { createServer } from "node:http";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([
  ["token of ada", { id: "1", name: "Ada" }],
  ["token of grace", { id: "2", name: "Grace" }],
]);

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, {
    handshake: true,
    verify: (_socket, credentials) => users.get(Object(credentials).token),
    async postAuthenticate(socket) {
      const { id: userId } = auth.user(socket);
      await auth.revoke({ userId }, { olderThan: socket, message: "Signed in elsewhere" });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("move", (move) => io.emit("move", name, move));
  });
  http.listen(port);
  return io;
}
