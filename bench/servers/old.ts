/**
 * The same for socket.io 2, where the original module works. Argument: the name of its work.
 */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { argv } from "node:process";
// @ts-expect-error -- it has no types
import socketio from "socket.io-v2";
// @ts-expect-error -- it has none either
import original from "socketio-auth";
import { serveCommands } from "../../tests/cluster/commands.ts";
import { createMeters } from "./meters.ts";
import { findUser } from "./users.ts";

const http = createServer().listen(0, "127.0.0.1");
await once(http, "listening");
const io = socketio(http, { serveClient: false });

if (argv[2] === "socketio-auth") {
  original(io, {
    authenticate(_socket: unknown, credentials: unknown, callback: (...args: unknown[]) => void) {
      findUser(credentials).then((user) => callback(null, user), callback);
    },
  });
} else {
  // deno-lint-ignore no-explicit-any -- it has no types
  io.on("connection", (socket: any) => {
    socket.on("authentication", async (credentials: unknown) => {
      socket.user = await findUser(credentials);
      if (socket.user) socket.emit("authenticated", true);
      else socket.disconnect(true);
    });
  });
}

serveCommands(
  { ...createMeters(io.engine) },
  `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
);
