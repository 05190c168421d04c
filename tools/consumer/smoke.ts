// A whole life of the installed package on one runtime: `smoke.ts node`.
import { deepStrictEqual } from "node:assert/strict";
import { Server } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";

const LIMIT = 20_000;
const runtime = process.argv[2];
const entryPoint = `@socketio-auth/socketio-auth/${runtime}`;
const { admit, AuthError, serve, socketioAuth }:
  typeof import("@socketio-auth/socketio-auth/node") = await import(entryPoint);

const overdue = setTimeout(() => {
  console.error(`not done after ${LIMIT} ms`);
  process.exit(1);
}, LIMIT);

const io = new Server({ serveClient: false });
const auth = socketioAuth(io, {
  verify(_socket, { username, password }) {
    if (password !== "secret") throw new AuthError("Wrong password");
    return admit({ name: username }, { userId: username });
  },
});
io.on("connection", (socket) => {
  socket.emit("welcome");
  socket.on("say", (text) => io.emit("said", auth.user(socket).name, text));
});
const running = await serve(io, { port: 0, hostname: "127.0.0.1" });

/** Connects, says something at once, and writes down all that arrives. */
async function visit(): Promise<{ socket: Socket; log: unknown[][] }> {
  const socket = connect(running.url, { forceNew: true, reconnection: false });
  const log: unknown[][] = [];
  socket.onAny((...args) => log.push(args));
  await new Promise((resolve) => socket.once("connect", () => resolve(undefined)));
  socket.emit("say", "hello");
  return { socket, log };
}

function arrival(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

const ada = await visit();
const eve = await visit();

const said = arrival(ada.socket, "said");
ada.socket.emit("authentication", { username: "ada", password: "secret" });
await said;
deepStrictEqual(ada.log, [["authenticated", true], ["welcome"], ["said", "ada", "hello"]]);

const gone = arrival(eve.socket, "disconnect");
eve.socket.emit("authentication", { username: "eve", password: "guess" });
await gone;
const [[event, { message }]] = eve.log as [[string, { message: string }]];
deepStrictEqual([eve.log.length, event, message], [1, "unauthorized", "Wrong password"]);

const ended = arrival(ada.socket, "disconnect");
deepStrictEqual(await auth.revoke({ userId: "ada" }), 1);
await ended;

ada.socket.close();
await running.close();
clearTimeout(overdue);
console.log(`ok ${runtime}`);
