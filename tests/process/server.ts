/**
 * A server in a process of its own, on the engine its argument names: the main
 * namespace has a sound policy, each other one a policy that misbehaves. It
 * writes down whatever would have taken it down.
 */
import process, { argv } from "node:process";
import { type Auth, type Options, socketioAuth } from "../../mod.ts";
import { serveCommands } from "../cluster/commands.ts";
import { createServer, places, start } from "../kit/targets.ts";
import { type User, verify } from "../kit/users.ts";
import { misbehaviors } from "./misbehavior.ts";

const troubles: string[] = [];
const write = (what: string) => (reason: unknown) => {
  // Some reasons cannot be looked at.
  troubles.push(`${what}: ${reason instanceof Error ? reason.stack : typeof reason}`);
};
process.on("uncaughtException", write("uncaught"));
process.on("unhandledRejection", write("unhandled"));

const io = createServer({ maxHttpBufferSize: 100_000 });
socketioAuth(io, {
  verify,
  userId: (user: User) => user.name,
  handshake: true,
  attempts: 3,
  // Nobody is to be cut for the time that a slow machine takes.
  timeout: 60_000,
  onError: () => {},
});
for (const [i, [, make]] of Object.entries(misbehaviors).entries()) {
  const options = make(() => auth);
  const auth: Auth<unknown> = socketioAuth(io.of(`/${i}`), {
    ...!options.authenticate && { verify: () => ({ name: "ada" }) },
    userId: (user: User) => user.name,
    timeout: 500,
    onError: () => {},
    ...options,
    // deno-lint-ignore no-explicit-any -- what these do is wrong in any type
  } as Options<any, any, any>);
}

const { url } = await start(places.find(({ engine }) => engine === argv[2])!, io);

serveCommands({
  /** Broadcasts to a namespace. */
  emit: (path: string, event: string) => void io.of(path).emit(event),
  troubles: () => troubles,
  /** Sockets and heap there are. */
  size(): { sockets: number; heap: number } {
    const { Bun, gc } = globalThis as { Bun?: { gc(now: true): void }; gc?: () => void };
    if (Bun) Bun.gc(true);
    else gc?.();
    const counts = [...io._nsps.values()].map(({ sockets }): number => sockets.size);
    const sockets = counts.reduce((sum, size) => sum + size, 0);
    return { sockets, heap: process.memoryUsage().heapUsed };
  },
}, url);
