/**
 * Switches off everything that the gate does, one thing at a time, and names the first test that
 * notices: `node tools/mutation.ts [part of a mutant's file or name …]`. Fails if nothing notices.
 * A mutant takes some seconds, and some 40 if only a slow test notices.
 */
import { spawn } from "node:child_process";
import { cp, glob, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutants } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["mod.ts", "src", "tests", "examples", "package.json"];
/** Test files, and how many processes share them: tests mostly wait. */
interface Stage {
  readonly files: string;
  readonly shares: number;
}

const CORE: Stage = { files: "tests/core/*.test.ts", shares: 2 };
const SOCKETS: Stage = { files: "tests/socketio/*.test.ts", shares: 6 };
/** Without `outages`, which takes longer than all others. */
const CLUSTER: Stage = { files: "tests/cluster/!(outages).test.ts", shares: 4 };
const PROCESSES: Stage = { files: "tests/process/*.test.ts", shares: 3 };
/** Without `hidden_tab`, whose page has to wait longer than a mutant's tests may. */
const CLIENT: Stage = { files: "tests/client/!(hidden_tab).test.ts", shares: 4 };
const JWT: Stage = { files: "tests/jwt/*.test.ts", shares: 2 };
const LIMIT = 180_000;
const AT_ONCE = 2;

/** What runs first: if a test fails without any change, those that fail later say nothing. */
const NOTHING = { name: "no change", file: "mod.ts", from: "", to: "" };

/** Applies a mutant to a copy of the project and returns the first test that fails there, if any. */
async function test(mutant: Mutant, stages: readonly Stage[]): Promise<string | undefined> {
  const copy = await mkdtemp(join(tmpdir(), "socketio-auth-"));
  try {
    for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    if (mutant !== NOTHING) await change(join(copy, mutant.file), mutant);
    for (const stage of stages) {
      const failing = await firstFailing(copy, stage);
      if (failing !== undefined) return failing;
    }
    return undefined;
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function change(path: string, { file, from, to }: Mutant): Promise<void> {
  const parts = (await readFile(path, "utf8")).split(from);
  if (parts.length !== 2) throw new Error(`"${from}" is ${parts.length - 1} times in ${file}`);
  await writeFile(path, parts.join(to));
}

/** The tests that may notice a change of `file`, the fastest first. */
function stagesOf({ file }: Mutant): Stage[] {
  if (file.startsWith("src/jwt")) return [JWT];
  if (file.startsWith("src/client")) return [CLIENT];
  if (file.startsWith("src/core")) return [CORE, SOCKETS, PROCESSES, CLUSTER];
  return [SOCKETS, PROCESSES, CLUSTER];
}

/** Runs the tests of a stage until one fails, and returns its name. */
async function firstFailing(cwd: string, { files, shares }: Stage): Promise<string | undefined> {
  const found: string[] = [];
  for await (const file of glob(files, { cwd })) found.push(file);
  found.sort();
  const ended = new AbortController();
  const failing = await Promise.all(Array.from({ length: shares }, async (_, share) => {
    const name = await runShare(cwd, found.filter((_, i) => i % shares === share), ended.signal);
    if (name !== undefined) ended.abort();
    return name;
  }));
  return failing.find((name) => name !== undefined);
}

/** Runs test files in a process until one test fails, whose name it returns, or `signal` ends it. */
function runShare(cwd: string, files: string[], signal: AbortSignal): Promise<string | undefined> {
  const args = ["--test-isolation=none", "--test-force-exit", "--test-timeout=20000"];
  // Without a limit, a mutant that loops takes all the memory there is.
  const env = { ...process.env, TEST_PATIENCE: "8000", NODE_OPTIONS: "--max-old-space-size=2048" };
  const command = ["--test", "--test-reporter=tap", ...args, ...files];
  const child = spawn(process.execPath, command, { cwd, env, detached: true });
  const end = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  signal.addEventListener("abort", end);
  let failing: string | undefined;
  const timer = setTimeout(() => {
    failing ??= "(the run did not end)";
    end();
  }, LIMIT);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    // A group fails with its tests, and a file that ends early by its path.
    failing ??= /^ *not ok \d+ - (.+)$/m.exec(output)?.[1];
    if (failing !== undefined) end();
  });
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      if (!signal.aborted && code !== 0) failing ??= `(a process ended with code ${code})`;
      resolve(failing);
    });
  });
}

const wanted = process.argv.slice(2);
const chosen = mutants.filter(({ file, name }) => {
  return !wanted.length || wanted.some((part) => `${file}: ${name}`.includes(part));
});
let survivors = 0;
const failing = await test(NOTHING, [...new Set(chosen.flatMap(stagesOf))]);
if (failing !== undefined) throw new Error(`A test fails without any change: ${failing}`);
// Tests mostly wait: a few runs at a time do not disturb each other.
const queue = chosen.values();
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (const mutant of queue) report(mutant, await test(mutant, stagesOf(mutant)));
}));
console.log(`\n${chosen.length} mutants, ${survivors} survived`);
process.exitCode = survivors > 0 ? 1 : 0;

function report({ file, name, unnoticed }: Mutant, noticed: string | undefined): void {
  console.log(`${file.slice("src/".length)}: ${name}`);
  if (noticed !== undefined) {
    console.log(`    noticed: ${noticed}`);
  } else if (unnoticed) {
    console.log(`    not noticed: ${unnoticed}`);
  } else {
    console.log("    SURVIVED");
    survivors++;
  }
}
