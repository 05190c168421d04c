/**
 * Applications whose callbacks throw, each in a scenario of its own that prints how it went.
 * What they throw is uncaught, as anywhere else, and stops nothing of the client's.
 */
import process from "node:process";
import { io as connect, type ManagerOptions, type SocketOptions } from "socket.io-client";
import { authenticate, type ClientSession } from "../../src/client/client.ts";
import { socketioAuth } from "../../mod.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";

let uncaught: string[] = [];
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error) => uncaught.push((error as Error).message));
}

function fail(): never {
  throw new Error("application");
}

const right = { password: "right" };
const heard: unknown[] = [];
const io = createServer();
socketioAuth(io, {
  verify: (_socket, { password }: { password: string }) => password === "right" && { id: "ada" },
  incoming: "drop",
});
io.on("connection", (socket) => {
  socket.on("say", (what, acknowledge) => {
    heard.push(what);
    acknowledge?.();
  });
});
const { url, close } = await start(engineOnly[0]!, io);

function open(options: Partial<ManagerOptions & SocketOptions> = {}) {
  return connect(url, { forceNew: true, transports: ["websocket"], ...options });
}

async function outcome(session: ClientSession): Promise<string> {
  return await session.ready.then(() => "in", ({ code }) => code);
}

const scenarios: Record<string, () => Promise<unknown[]>> = {
  async "disconnect listener"() {
    const socket = open();
    socket.once("disconnect", fail);
    let told = 0;
    const session = authenticate(socket, {}, { onUnauthorized: () => told++ });
    const first = await outcome(session);
    const next = authenticate(socket, right);
    return [first, await outcome(next), told, socket];
  },
  async "subscriber"() {
    const socket = open();
    const session = authenticate(socket, right);
    const unsubscribe = session.subscribe(() => {
      unsubscribe();
      fail();
    });
    return [await outcome(session), socket];
  },
  async "onUnauthorized"() {
    const socket = open();
    let asked = 0;
    const source = () => ++asked === 1 ? fail() : right;
    const session = authenticate(socket, source, { onUnauthorized: fail });
    return [await outcome(session), await outcome(session), socket];
  },
  async "onAuthenticated"() {
    const socket = open();
    const session = authenticate(socket, right, { onAuthenticated: fail });
    return [await outcome(session), await session.refresh(), socket];
  },
  async "acknowledgement"() {
    const socket = open({ retries: 3, ackTimeout: 10_000 });
    const session = authenticate(socket, right);
    await session.ready;
    socket.io.engine.close();
    socket.emit("say", 1, (error?: Error) => error && fail());
    session.stop();
    return [await outcome(authenticate(socket, right)), socket];
  },
  async "held events"() {
    const socket = open();
    const session = authenticate(socket, right);
    socket.onAnyOutgoing((_event, what) => what === "two" && fail());
    for (const what of ["one", 2n, "two", "three"]) socket.emit("say", what);
    const result = await outcome(session);
    await socket.emitWithAck("say", "four");
    return [result, ...heard.splice(0), socket];
  },
};

/** Until what is thrown in microtasks has been caught. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

for (const [name, run] of Object.entries(scenarios)) {
  uncaught = [];
  const result = await run();
  const socket = result.pop() as ReturnType<typeof open>;
  await settle();
  const messages = uncaught.map((message) => /BigInt|application/.exec(message)?.[0] ?? message);
  console.log(`${name}: ${result.join(" ")}; ${messages.join(" ")}`);
  socket.disconnect();
  await settle();
}
await close();
process.exit();
