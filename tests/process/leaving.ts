/**
 * A server that revokes, with an adapter that nobody answers, and closes: there is
 * nothing left then that should keep the process alive.
 */
import { socketioAuth } from "../../mod.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";

const io = createServer({ connectionStateRecovery: {} });
const { adapter } = io.of("/");
// As an adapter that has others to talk to.
adapter.serverSideEmit = () => {};
const auth = socketioAuth(io, { verify: () => true, timeout: 600_000 });
const { close } = await start(engineOnly[0]!, io);
void auth.revoke({ userId: "ada" });
await close();
console.log("closed");
