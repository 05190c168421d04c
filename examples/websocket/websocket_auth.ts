/**
 * Authentication over plain WebSockets: a second binding on the core of
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

/** The default of ws for `maxPayload`, in bytes: what anybody may send in one message. */
const DEFAULT_PAYLOAD = 100 * 1024 * 1024;

/**
 * Guards a server; `onConnection` is called for each socket that is signed in.
 *
 * @throws {TypeError} if the server has no `maxPayload` of its own
 */
export function websocketAuth<
  User,
  // deno-lint-ignore no-explicit-any -- credentials are what the client sends
  Credentials = any,
>(
  server: WebSocketServer,
  options: Options<Socket, User, Credentials>,
  onConnection: (socket: Socket) => void,
): WebSocketAuth<User> {
  requireMaxPayload(server);
  for (const name of ["handshake", "open"]) refuseOption(options, name, "plain WebSockets");
  const policy = resolvePolicy(options) as Policy<Socket>;
  const guard = new Guard<Socket, WebSocket>(policy, binding);
  const room = new Room(onConnection);

  server.on("connection", (ws, request) => {
    const connection = new Connection(guard, ws);
    const peer = new WebSocketPeer(ws, connection, room, request.socket.remoteAddress);
    // A WebSocket asks for one socket, without a payload, by being opened.
    const refusal = connection.refusalToJoin(undefined);
    if (refusal) connection.turnAway(peer, refusal);
    else peer.join();
    // A message that is too long is an error, which would end the process; `close` follows.
    ws.on("error", () => {});
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

/** Before the sign-in `holdLimit` counts messages, each of which is in memory by then. */
function requireMaxPayload({ options: { maxPayload } }: WebSocketServer): void {
  if (maxPayload !== undefined && maxPayload > 0 && maxPayload < DEFAULT_PAYLOAD) return;
  throw new TypeError(
    "websocketAuth needs a WebSocketServer with a maxPayload below the default of ws, 100 MiB, " +
      `which any client could send before it has signed in; got ${maxPayload}. ` +
      "Pass what your longest message takes: new WebSocketServer({ maxPayload: 1_000_000, … }).",
  );
}
