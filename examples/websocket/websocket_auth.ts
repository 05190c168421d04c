/**
 * Two-step authentication for plain WebSockets: a second binding on the core of
 * `@socketio-auth/socketio-auth`. See README.md beside this file.
 *
 * @module
 */
import type { WebSocket, WebSocketServer } from "ws";
import { type Auth, createAuth } from "../../src/core/auth.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Connection } from "../../src/core/connection.ts";
import { Guard } from "../../src/core/guard.ts";
import type { Binding } from "../../src/core/interface.ts";
import type { Options } from "../../src/core/options.ts";
import { type Policy, refuseOption, resolvePolicy } from "../../src/core/policy.ts";
import { Room, WebSocketPeer } from "./peer.ts";
import { parseMessage, type Socket } from "./socket.ts";

export type { Message, Socket } from "./socket.ts";

/** What `websocketAuth` returns. */
export interface WebSocketAuth<User> extends Auth<User> {
  /** Sends an event to everybody who is signed in. */
  broadcast(event: string, ...args: unknown[]): void;
}

const binding: Binding<WebSocket> = {
  name: "server",
  clock: systemClock,
  recoverable: 0,
  isShared: () => false,
  close: (ws) => ws.close(4401, "unauthorized"),
  drop: (ws) => ws.terminate(),
};

/** Guards a server; `onConnection` is called for each socket that is signed in. */
export function websocketAuth<
  User,
  // deno-lint-ignore no-explicit-any -- credentials are what the client sends
  Credentials = any,
>(
  server: WebSocketServer,
  options: Options<Socket, User, Credentials>,
  onConnection: (socket: Socket) => void,
): WebSocketAuth<User> {
  for (const name of ["handshake", "open"]) refuseOption(options, name, "plain WebSockets");
  const policy = resolvePolicy(options) as Policy<Socket>;
  const guard = new Guard<Socket, WebSocket>(policy, binding);
  const room = new Room(onConnection);

  server.on("connection", (ws, request) => {
    const connection = new Connection(guard, ws);
    new WebSocketPeer(ws, connection, room, request.socket.remoteAddress);
    ws.on("message", (data) => {
      const message = parseMessage(String(data));
      if (message) room.peers.get(ws)?.receive(message);
      else ws.close(1007, "not a message");
    });
    ws.on("close", () => {
      room.peers.get(ws)?.leave("client");
      connection.close();
    });
  });

  const auth: Auth<User> = createAuth(guard, (it) => room.known.get(it));
  return {
    ...auth,
    broadcast(event, ...args) {
      for (const peer of room.peers.values()) {
        if (peer.isAdmitted) peer.socket.emit(event, ...args);
      }
    },
  };
}
