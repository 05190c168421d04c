import { createServer } from "node:http";
import { env } from "node:process";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

// Stands in for the login that you have.
const users = new Map([["token of ada", { id: "ada" }], ["token of grace", { id: "grace" }]]);

/** A sorted set: the ids of users who are online, by the time when a node last saw them. */
const ONLINE = "online";

/** Each node says so often, in milliseconds, whom it sees. */
const BEAT = Number(env.BEAT ?? 5_000);

export async function start(port: number): Promise<Server> {
  const redis = createClient({ url: env.REDIS_URL ?? "redis://localhost:6379" });
  const report = (error: unknown) => console.error(error);
  const subscriber = redis.duplicate();
  for (const client of [redis, subscriber]) client.on("error", report);
  await Promise.all([redis.connect(), subscriber.connect()]);
  const http = createServer();
  const io = new Server(http, { adapter: createAdapter(redis, subscriber) });
  const auth = socketioAuth(io, {
    handshake: true,
    verify: (_socket, credentials) => users.get(Object(credentials).token),
  });

  async function arrive(id: string): Promise<void> {
    const isNew = await redis.zAdd(ONLINE, { value: id, score: Date.now() }) > 0;
    if (isNew) io.emit("online", id); // of several nodes, one finds it new
  }
  async function leave(id: string): Promise<void> {
    if (await redis.zRem(ONLINE, id) > 0) io.emit("offline", id);
  }

  async function check(id: string): Promise<void> {
    const sockets = await io.in(`user ${id}`).fetchSockets(); // on all nodes
    if (sockets.length === 0) await leave(id);
  }
  async function tell(): Promise<void> {
    const here = [...io.sockets.sockets.values()].flatMap((one) => auth.session(one)?.user ?? []);
    for (const { id } of here) await arrive(id);
    // Users of nodes that have crashed.
    const lost = await redis.zRangeByScore(ONLINE, 0, Date.now() - 3 * BEAT);
    for (const id of lost) await leave(id);
  }

  io.on("connection", (socket) => {
    const { id } = auth.user(socket);
    socket.join(`user ${id}`);
    socket.on("disconnect", () => check(id).catch(report));
    socket.on("who", (acknowledge) => {
      if (typeof acknowledge !== "function") return;
      redis.zRange(ONLINE, 0, -1).then(acknowledge).catch(report);
    });
    arrive(id).catch(report);
  });
  setInterval(() => tell().catch(report), BEAT);
  http.listen(port);
  return io;
}
