/**
 * A guarded server and its clients over WebTransport, in one process of Node: each client is
 * refused, or its session ends, in another way. Prints what each has received, as JSON.
 *
 * WebTransport runs over HTTP/2 here. The certificate is only good for this: the client has to be
 * started with it in `NODE_EXTRA_CA_CERTS`.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";
import { Http2Server, WebTransport } from "@fails-components/webtransport";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { socketioAuth } from "../../../mod.ts";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** socket.io-client takes it from here. */
Object.assign(globalThis, {
  WebTransport: class extends WebTransport {
    constructor(url: string, options: object) {
      super(url, { ...options, forceReliable: true } as object);
    }
  },
});

// The module rejects promises of its own, which nobody can get at, when a session is closed.
process.on("unhandledRejection", (error) => {
  if (Object(error).constructor.name !== "WebTransportError") throw error;
});

const http = createServer().listen(0);
const io = new Server(http, { transports: ["webtransport"] });
const sessions = new Http2Server({
  host: "localhost",
  port: 0,
  secret: "secret",
  cert: read("localhost.cert.pem"),
  privKey: read("localhost.key.pem"),
});
sessions.startServer();
await sessions.ready;

async function acceptAll(): Promise<void> {
  const reader = sessions.sessionStream("/socket.io/").getReader();
  for (let next; !(next = await reader.read()).done;) {
    await (io.engine as unknown as { onWebTransportSession(session: unknown): Promise<void> })
      .onWebTransportSession(next.value);
  }
}
void acceptAll();

const auth = socketioAuth(io, {
  verify: (_socket, { user }: { user?: string }) => user,
  handshake: true,
  expiresAt: (user) => user === "mortal" ? Date.now() + 200 : undefined,
});
io.on("connection", (socket) => {
  if (auth.user(socket) === "revoked") void auth.revoke({ userId: "revoked" });
});

/** Credentials in an event, or in CONNECT, or none; and how it ends. */
const clients: Record<string, { event?: object; auth?: object }> = {
  "is refused": { event: {} },
  "is refused in a handshake": { auth: { wrong: true } },
  "says nothing": {},
  "expires": { event: { user: "mortal" } },
  "is revoked": { event: { user: "revoked" } },
};

const { port } = sessions.address()!;

async function watch({ event, auth }: { event?: object; auth?: object }): Promise<string[]> {
  const received: string[] = [];
  const socket = connect(`https://localhost:${port}`, {
    ...{ transports: ["webtransport"], forceNew: true, reconnection: false },
    ...auth && { auth },
  });
  socket.onAny((name, payload) => received.push(`${name} ${payload?.code ?? payload}`));
  socket.on("connect", () => event && socket.emit("authentication", event));
  await new Promise<void>((resolve) => {
    socket.on("connect_error", (error) => {
      received.push(`connect_error ${(error as { data?: { code?: string } }).data?.code}`);
      resolve();
    });
    socket.on("disconnect", (reason) => {
      received.push(`disconnect ${reason}`);
      resolve();
    });
  });
  return received;
}

const results = await Promise.all(
  Object.entries(clients).map(async ([name, client]) => {
    return [name, await watch(client)];
  }),
);
console.log(`\n${JSON.stringify(Object.fromEntries(results))}`);
process.exit();
