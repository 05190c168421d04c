import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { onDispose } from "../kit/disposal.ts";

const START = fileURLToPath(new URL("../../examples/recipes/start.ts", import.meta.url));
const FROM_SOURCE = new URL("../../tools/from-source.ts", import.meta.url).href;

/** Bun and Deno read their own configuration. */
const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);
const execArgv = isNode ? ["--import", FROM_SOURCE] : [];

/** A recipe in a process of its own, as `npm run example -- NAME` starts it. */
export interface Started {
  readonly url: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

/** Starts a recipe; it is gone after the test. */
export async function startProcess(
  name: string,
  variables: Record<string, string>,
): Promise<Started> {
  const options = { execArgv, silent: true, env: { ...env, PORT: "0", ...variables } };
  const child = fork(START, [name], options);
  onDispose(() => kill(child));
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: unknown) => {
      output += chunk;
      const [, port] = /^http:\/\/localhost:(\d+) /m.exec(output) ?? [];
      if (port) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}: ${output}`)));
  });
  return { url, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
