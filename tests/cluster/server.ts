/**
 * A guarded server in a process of its own, told over IPC what to do.
 * Arguments: the adapter's name, where its backend is, a prefix of its own; "recovery" if lost
 * connections are to be recovered, or "one session" if each user is to have one session only; and
 * by how many milliseconds its clock is wrong.
 */
import { argv } from "node:process";
import { Server } from "socket.io";
import { serve } from "../../src/adapters/node.ts";
import { socketioAuth } from "../../mod.ts";
import type { RefreshOptions, RevokeOptions, RevokeTarget } from "../../mod.ts";
import { type User, verify } from "../kit/users.ts";
import { adapters } from "./adapters.ts";
import { type Call, serveCommands } from "./commands.ts";

const [name = "", backend = "", prefix = "", mode, skew = "0"] = argv.slice(2);

const { now } = Date;
Date.now = () => now() + Number(skew);

const io = new Server({
  serveClient: false,
  adapter: await adapters[name]!(backend, prefix) as never,
  ...mode === "recovery" && { connectionStateRecovery: {} },
});
const held: (() => void)[] = [];
const auth = socketioAuth(io, {
  async verify(socket, credentials) {
    // Verified when the test says so.
    if (credentials.isSlow) await new Promise<void>((resolve) => held.push(resolve));
    const user = verify(socket, credentials);
    return user && { ...user, session: credentials.session };
  },
  userId: (user: User) => user.name,
  sessionId: (user: User & { session?: string }) => user.session,
  timeout: 60_000,
  onError: () => {},
});
if (mode === "one session") {
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    if (name === "ada") void auth.revoke({ userId: name }, { olderThan: socket });
  });
}
/** How far the latest clock that was heard of is ahead, in milliseconds. */
let lead = -Infinity;
const main = io.of("/");
const { _onServerSideEmit } = main;
main._onServerSideEmit = (args) => {
  const { time } = Object(args[1]);
  if (/^socketio-auth:(hello|time)$/.test(args[0])) lead = Math.max(lead, time - now());
  _onServerSideEmit.call(main, args);
};
const { url, close } = await serve(io, { port: 0, hostname: "127.0.0.1" });

serveCommands({
  /** Calls of the namespace, one on what the other has returned. */
  io: (...calls: Call[]) => perform(io.of("/"), calls),
  /** The same of a socket. */
  socket: (id, ...calls) => perform(io.of("/").sockets.get(id as string)!, calls),
  revoke: (target: RevokeTarget, options?: RevokeOptions) => auth.revoke(target, options),
  refresh: (target: RevokeTarget, options: RefreshOptions) => auth.refresh(target, options),
  lead: () => lead,
  /** Lets every verification come to its end. Returns how many there were. */
  answer: () => held.splice(0).map((resolve) => resolve()).length,
  close,
}, url);

async function perform(target: object, calls: Call[]): Promise<unknown> {
  // deno-lint-ignore no-explicit-any -- whatever the test calls for
  let result: any = target;
  for (const [member, ...args] of calls) {
    const value = result[member];
    result = typeof value === "function" ? value.apply(result, args) : value;
  }
  result = await result;
  return Array.isArray(result) ? result.map((item) => item?.id ?? item) : null;
}
