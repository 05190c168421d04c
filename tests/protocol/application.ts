import type { Server, ServerOptions, Socket } from "socket.io";
import type { VerifyContext } from "../../mod.ts";
import type { Place } from "../kit/targets.ts";
import { openWorld, type User, verify, type World } from "../kit/world.ts";

/** Starts the server of the scenarios, with options of one of them. */
export function openApplication(
  place: Place,
  options: object = {},
  server: Partial<ServerOptions> = {},
  port?: number,
): Promise<World> {
  const all = { userId: (user: User) => user.name, ...options };
  return openWorld(place, all, { server, setUp, ...port && { port } });
}

function setUp(io: Server): void {
  io.of("/chat");
  io.of("/later");
  io.on("connection", (socket) => {
    socket.emit("welcome");
    socket.on("say", (text) => socket.emit("said", text));
  });
}

/** A verifier that wants a one-time code as well. */
export async function verifyWithCode(
  socket: Socket,
  credentials: { username: string; password: string },
  { challenge }: VerifyContext,
): Promise<User | false> {
  const user = verify(socket, credentials);
  return await challenge({ type: "totp" }) === "123456" && user;
}
