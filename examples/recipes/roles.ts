import { createServer } from "node:http";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Server, type Socket } from "socket.io";

type Role = "guest" | "member" | "admin";

// Stands in for a database, and for the login that you have: the token is the role.
const users = new Map<string, { id: string; name: string; role: Role }>();
for (const role of ["guest", "member", "admin"] as const) {
  users.set(role, { id: role, name: `A ${role}`, role });
}

/** The events that there are, and the roles that may send them. */
const RIGHTS = new Map<string, Role[]>([
  ["read", ["guest", "member", "admin"]],
  ["post", ["member", "admin"]],
  ["set role", ["admin"]],
]);

/** Clients may leave the acknowledgement out, or send something else in its place. */
function answer(acknowledge: unknown, value: unknown): void {
  if (typeof acknowledge === "function") acknowledge(value);
}

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const limiter = new RateLimiterMemory({ points: 20, duration: 10 });

  const auth = socketioAuth(io, {
    handshake: true,
    // Looks the user up each time, so a refresh finds the role of now.
    verify: (_socket, credentials) => {
      const user = users.get(Object(credentials).token);
      return user && { ...user };
    },
    authorize: (user, socket) => socket.nsp.name !== "/admin" || user.role === "admin",
    postRefresh(socket, { user: former }) {
      socket.leave(former.role);
      socket.join(auth.user(socket).role);
    },
  });

  async function check(socket: Socket, event: string): Promise<string | undefined> {
    const { id, role } = auth.user(socket);
    if (!RIGHTS.get(event)?.includes(role)) return "forbidden";
    return await limiter.consume(id).then(() => undefined, () => "too fast");
  }

  function guardEvents(socket: Socket): void {
    socket.join(auth.user(socket).role);
    socket.use(async ([event, ...args], next) => {
      if (event === "authentication") return next(); // a refresh
      const error = await check(socket, event);
      if (!error) return next();
      answer(args.at(-1), { error }); // without `next` the event goes no further
    });
  }

  io.of("/admin").on("connection", (socket) => {
    guardEvents(socket);
    socket.on("set role", async (id, role, acknowledge) => {
      const user = users.get(id);
      if (!user || !["guest", "member", "admin"].includes(role)) return;
      user.role = role;
      await auth.refresh({ userId: user.id }, { within: 10_000 });
      answer(acknowledge, {});
    });
  });
  io.on("connection", (socket) => {
    guardEvents(socket);
    socket.on("read", (acknowledge) => answer(acknowledge, { messages: [] }));
    socket.on("post", (text, acknowledge) => {
      io.emit("message", text);
      answer(acknowledge, {});
    });
  });

  http.listen(port);
  return io;
}
