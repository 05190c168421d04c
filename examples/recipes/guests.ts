import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Server } from "socket.io";

interface User {
  readonly id: string;
  readonly name: string;
  readonly isGuest: boolean;
}

interface Credentials {
  /** A random text of at least 16 characters that the browser keeps. */
  readonly guest?: unknown;
  readonly token?: unknown;
}

// Stand in for the login that you have, and for a database.
const users = new Map([["token of ada", { id: "1", name: "Ada", isGuest: false }]]);
const carts = new Map<string, string[]>();

/** The id is a hash: others may see it, and the text that it is made of is a secret. */
function findGuest(guest: unknown): User | undefined {
  if (typeof guest !== "string" || guest.length < 16) return undefined;
  const id = `guest:${createHash("sha256").update(guest).digest("hex").slice(0, 16)}`;
  return { id, name: "A guest", isGuest: true };
}

const cartOf = (user: User) => carts.get(user.id) ?? [];

/** Clients may leave the acknowledgement out, or send something else in its place. */
function answer(acknowledge: unknown, value: unknown): void {
  if (typeof acknowledge === "function") acknowledge(value);
}

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, {
    handshake: true,
    verify(_socket, credentials: Credentials): User | undefined {
      const { guest, token }: Credentials = Object(credentials);
      return token === undefined ? findGuest(guest) : users.get(token as string);
    },
    postAuthenticate(socket, { guest }) {
      const user = auth.user(socket);
      const visitor = findGuest(guest);
      if (user.isGuest || !visitor) return;
      carts.set(user.id, [...cartOf(user), ...cartOf(visitor)]);
      carts.delete(visitor.id);
    },
    reply: ({ name }) => name,
  });
  io.on("connection", (socket) => {
    const user = auth.user(socket);
    socket.on("add", (item, acknowledge) => {
      if (typeof item === "string") carts.set(user.id, [...cartOf(user), item]);
      answer(acknowledge, cartOf(user));
    });
    socket.on("cart", (acknowledge) => answer(acknowledge, cartOf(user)));
    socket.on("order", (acknowledge) => {
      answer(acknowledge, user.isGuest ? "Sign in first" : "Thank you");
    });
    socket.on("sign out", () => auth.deauthenticate(socket)); // and stay connected
  });
  http.listen(port);
  return io;
}
