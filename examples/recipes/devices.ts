import { createServer } from "node:http";
import { admit, socketioAuth } from "@socketio-auth/socketio-auth";
import { Server } from "socket.io";

// Stands in for the table of sessions that your login keeps. The key is the secret of the device.
const sessions = new Map([
  ["secret 1", { id: "s1", device: "Ada's laptop", userId: "ada" }],
  ["secret 2", { id: "s2", device: "Ada's phone", userId: "ada" }],
  ["secret 3", { id: "s3", device: "Grace's laptop", userId: "grace" }],
]);
type Session = typeof sessions extends Map<string, infer Row> ? Row : never;

function deleteSessions(isOver: (session: Session) => boolean): number {
  const over = [...sessions].filter(([, session]) => isOver(session));
  for (const [secret] of over) sessions.delete(secret);
  return over.length;
}

/** Clients may leave the acknowledgement out, or send something else in its place. */
function answer(acknowledge: unknown, value: unknown): void {
  if (typeof acknowledge === "function") acknowledge(value);
}

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, {
    handshake: true,
    verify(_socket, credentials) {
      const session = sessions.get(Object(credentials).secret);
      return session && admit({ id: session.userId }, { sessionId: session.id });
    },
  });

  io.on("connection", (socket) => {
    const { id: userId } = auth.user(socket);
    const sessionId = String(auth.session(socket)!.sessionId);

    socket.on("devices", (acknowledge) => {
      const own = [...sessions.values()].filter((session) => session.userId === userId);
      answer(acknowledge, own.map(({ id, device }) => ({ id, device, isThis: id === sessionId })));
    });
    socket.on("sign out device", async (id: unknown, acknowledge) => {
      // Only one of this user's own.
      const count = deleteSessions((session) => session.id === id && session.userId === userId);
      if (count > 0) await auth.revoke({ sessionId: String(id) });
      answer(acknowledge, count);
    });
    socket.on("sign out others", async (acknowledge) => {
      const count = deleteSessions(({ id, userId: of }) => of === userId && id !== sessionId);
      await auth.revoke({ userId }, { except: { sessionId } });
      answer(acknowledge, count);
    });
  });
  http.listen(port);
  return io;
}
