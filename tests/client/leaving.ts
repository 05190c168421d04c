/**
 * Clients that stop in each of their states, and whose sockets then disconnect: there is nothing
 * left that should keep the process alive, and nothing that nobody has handled.
 */
import process from "node:process";
import { io as connect } from "socket.io-client";
import { authenticate, type ClientSession } from "../../src/client/client.ts";
import { AuthError, socketioAuth } from "../../mod.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";

for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error) => console.log(event, error));
}

const io = createServer();
socketioAuth(io, {
  async verify(_socket, { how }: { how: string }, { challenge }) {
    if (how === "waiting") throw new AuthError("Later", { retryAfter: 600_000 });
    if (how === "challenged") return await challenge("?");
    if (how === "authenticating") return await new Promise<never>(() => {});
    return how !== "stopped" && { id: how };
  },
  expiresAt: () => Date.now() + 600_000,
});
const { url, close } = await start(engineOnly[0]!, io);

async function stopIn(state: ClientSession["state"]): Promise<void> {
  const socket = connect(url, { forceNew: true, transports: ["websocket"] });
  const credentials = () => state === "connecting" ? new Promise(() => {}) : { how: state };
  const session = authenticate(socket, credentials, { onChallenge: () => new Promise(() => {}) });
  await new Promise<void>((resolve) => {
    const look = () => session.state === state && resolve();
    session.subscribe(look);
    look();
  });
  // Nobody handles these.
  void session.ready;
  void session.refresh();
  session.stop();
  socket.disconnect();
  console.log(state);
}

for (
  const state of [
    "connecting",
    "authenticating",
    "challenged",
    "authenticated",
    "waiting",
    "stopped",
  ] as const
) {
  await stopIn(state);
}
await close();
