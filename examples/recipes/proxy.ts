import { createServer } from "node:http";
import { env } from "node:process";
import { cookies, socketioAuth } from "@socketio-auth/socketio-auth";
import proxyAddr from "proxy-addr";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Server } from "socket.io";

/** The addresses of your proxies. What others say in `x-forwarded-for` does not count. */
const PROXIES = (env.PROXIES ?? "loopback").split(",");

/** The pages whose cookies count, as browsers see them: in front of the proxy. */
const ORIGINS = ["https://app.example"];

// Stands in for the login that you have.
const sessions = new Map([["session of ada", { id: "1", name: "Ada" }]]);

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http, {
    cors: { origin: ORIGINS, credentials: true }, // if the pages are of another origin
  });
  const trust = proxyAddr.compile(PROXIES);
  const auth = socketioAuth(io, {
    address: ({ request }) => proxyAddr(request, trust),
    throttle: { limiter: new RateLimiterMemory({ points: 3, duration: 60 }) }, // by address
    handshake: cookies("session", { origins: ORIGINS }),
    verify: (_socket, credentials) => sessions.get(Object(credentials).session),
    attempts: 5,
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  http.listen(port, "127.0.0.1"); // where only the proxy reaches it
  return io;
}
