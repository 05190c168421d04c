/**
 * Switches off everything that the gate does, one thing at a time, and names the first test that
 * notices: `node tools/mutation.ts [part of a mutant's file or name …]`. Fails if nothing notices.
 * A mutant takes some seconds, and up to a minute if only a slow test notices.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutants } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["mod.ts", "src", "tests", "examples", "package.json"];
/** How a group of tests is run. */
type Stage = readonly string[];

/** The tests that may notice, the fastest first. */
const CORE: Stage = ["--test-isolation=none", "tests/core/*.test.ts"];
const SOCKETS: Stage = ["--test-concurrency=4", "tests/socketio/*.test.ts"];
const PROCESSES: Stage = ["--test-concurrency=4", "tests/process/*.test.ts"];
/** Without `hidden_tab`, whose page has to wait longer than a mutant's tests may. */
const CLIENT: Stage = [
  "--test-concurrency=4",
  "tests/client/[!h]*.test.ts",
  "tests/client/ho*.test.ts",
];
const JWT: Stage = ["--test-concurrency=4", "tests/jwt/*.test.ts"];
const LIMIT = 180_000;
const AT_ONCE = 2;

/** Applies a mutant to a copy of the project and returns the first test that fails there, if any. */
async function test({ file, from, to }: Mutant): Promise<string | undefined> {
  const copy = await mkdtemp(join(tmpdir(), "socketio-auth-"));
  try {
    for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const path = join(copy, file);
    const parts = (await readFile(path, "utf8")).split(from);
    if (parts.length !== 2) throw new Error(`"${from}" is ${parts.length - 1} times in ${file}`);
    await writeFile(path, parts.join(to));
    for (const stage of stagesOf(file)) {
      const failing = await firstFailing(copy, stage);
      if (failing !== undefined) return failing;
    }
    return undefined;
  } finally {
    await rm(copy, { recursive: true });
  }
}

function stagesOf(file: string): Stage[] {
  if (file.startsWith("src/jwt")) return [JWT];
  return file.startsWith("src/client") ? [CLIENT] : [CORE, SOCKETS, PROCESSES];
}

/** Runs tests until one fails, and returns its name. */
function firstFailing(cwd: string, stage: Stage): Promise<string | undefined> {
  const args = ["--test", "--test-force-exit", "--test-timeout=20000", "--test-reporter=tap"];
  // Without a limit, a mutant that loops takes all the memory there is.
  const env = { ...process.env, TEST_PATIENCE: "8000", NODE_OPTIONS: "--max-old-space-size=2048" };
  const child = spawn(process.execPath, [...args, ...stage], { cwd, env, detached: true });
  const end = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  let failing: string | undefined;
  const timer = setTimeout(() => {
    failing = "(the run did not end)";
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
    child.on("close", () => {
      clearTimeout(timer);
      resolve(failing);
    });
  });
}

const wanted = process.argv.slice(2);
const chosen = mutants.filter(({ file, name }) => {
  return !wanted.length || wanted.some((part) => `${file}: ${name}`.includes(part));
});
let survivors = 0;
// Tests mostly wait: a few runs at a time do not disturb each other.
const queue = chosen.values();
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (const mutant of queue) report(mutant, await test(mutant));
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
