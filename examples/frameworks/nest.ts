import "reflect-metadata";
import type { INestApplication, Type } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { type Auth, socketioAuth } from "@socketio-auth/socketio-auth";
import type { Server, ServerOptions, Socket } from "socket.io";

interface User {
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

// Stands in for the login that you have.
const users = new Map<string, User>([
  ["token of ada", { id: "1", name: "Ada", role: "admin" }],
  ["token of grace", { id: "2", name: "Grace", role: "member" }],
]);

let auth: Auth<User>;

/** The user of a socket, for gateways, guards and interceptors. */
export const userOf = (socket: Socket): User => auth.user(socket);

/** Guards the server, so each gateway in each namespace. */
export class GuardedAdapter extends IoAdapter {
  override createIOServer(port: number, options?: ServerOptions): Server {
    const io: Server = super.createIOServer(port, options);
    auth = socketioAuth(io, {
      verify: (_socket, credentials) => users.get(Object(credentials).token),
    });
    return io;
  }
}

export async function start(port: number, module: Type): Promise<INestApplication> {
  const app = await NestFactory.create(module, { logger: ["error", "warn"] });
  app.useWebSocketAdapter(new GuardedAdapter(app));
  await app.listen(port);
  return app;
}
