/**
 * A server in a process of its own, told over IPC what to do. Arguments: the name of its work,
 * its engine ("node:http" or "bun-engine"), and where a Redis is, if it is one of several.
 */
import { argv } from "node:process";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { serve as serveBun } from "../../src/adapters/bun.ts";
import { serve as serveHttp } from "../../src/adapters/node.ts";
import { serveCommands } from "../../tests/cluster/commands.ts";
import { Counter } from "../counter.ts";
import { createMeters } from "./meters.ts";
import { works } from "./works.ts";

const [work = "", engine, redis] = argv.slice(2);
const io = new Server({ serveClient: false });
if (redis) {
  const connect = () => createClient({ url: redis }).connect();
  io.adapter(createAdapter(await connect(), await connect(), { key: "socketio-auth-bench" }));
}
const auth = works[work]!(io);
const serve = engine === "bun-engine" ? serveBun : serveHttp;
const { url } = await serve(io, { port: 0, hostname: "127.0.0.1" });

const heard = new Counter();
let latenesses: number[] = [];

serveCommands({
  ...createMeters(io.engine),
  /** From now on the application listens to an event on each socket. */
  listen: () =>
    void io.on("connection", (socket) => {
      socket.on("event", () => heard.add());
    }),
  /** Resolves once so many events have been heard since it was called last. */
  hear: (count: number) => heard.reach(count),
  async broadcast(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      io.emit("news", i, "some text as there is in an event");
      // The transports are not to be given all of it at once.
      if (i % 20 === 19) await new Promise(setImmediate);
    }
  },
  /** From now on it is measured how much longer than so many milliseconds sockets live. */
  watchDeadline: (ms: number) =>
    void io.use((socket, next) => {
      const start = performance.now();
      socket.on("disconnect", () => latenesses.push(performance.now() - start - ms));
      next();
    }),
  /** How much longer, in milliseconds, for those that are gone by now. */
  latenesses(): number[] {
    const before = latenesses;
    latenesses = [];
    return before;
  },
  revoke: (userId: string) => auth!.revoke({ userId }),
  /** Revokes others, none of whom is there. */
  async revokeOthers(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await auth!.revoke({ userId: `nobody ${i}` });
  },
}, url);
