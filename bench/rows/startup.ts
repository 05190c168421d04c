/**
 * How long it takes to import the server's entry point, as `npm run build` makes it, in a process
 * that has done nothing else.
 *
 * @module
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pathOf, type Runtime } from "../processes.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** The times in milliseconds of an import of this package, and of one of socket.io beside it. */
export interface Startup {
  readonly runtime: Runtime;
  readonly ours: Spread;
  readonly socketio: Spread;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const flags: Record<Runtime, string[]> = {
  Node: [],
  Deno: ["run", "-A", "--no-check"],
  Bun: [],
};

/** Imports each entry point `rounds` times on each runtime, in turns. */
export async function measureStartup(rounds: number): Promise<Startup[]> {
  const folder = await mkdtemp(join(tmpdir(), "socketio-auth-"));
  try {
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    execFileSync(tsc, ["-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(folder, "dist")]);
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const programs = { ours: "./dist/mod.js", socketio: "socket.io" };
    for (const [name, entry] of Object.entries(programs)) await write(folder, name, entry);
    const measured: Startup[] = [];
    for (const runtime of ["Node", "Deno", "Bun"] as const) {
      const times: { ours: number[]; socketio: number[] } = { ours: [], socketio: [] };
      for (let round = 0; round < rounds; round++) {
        for (const name of ["ours", "socketio"] as const) {
          times[name].push(await time(runtime, join(folder, `${name}.js`)));
        }
      }
      measured.push({ runtime, ours: spreadOf(times.ours), socketio: spreadOf(times.socketio) });
    }
    return measured;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function write(folder: string, name: string, entry: string): Promise<void> {
  const program = [
    // Not a constant, which Deno would look at before the program starts.
    `const entry = [${JSON.stringify(entry)}].join();`,
    "const start = performance.now();",
    "await import(entry);",
    "console.log(performance.now() - start);",
    "globalThis.process.exit();",
  ];
  await writeFile(join(folder, `${name}.js`), program.join("\n"));
}

async function time(runtime: Runtime, program: string): Promise<number> {
  const { stdout } = await promisify(execFile)(pathOf(runtime), [...flags[runtime], program]);
  return Number(stdout);
}
