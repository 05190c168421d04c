/**
 * Switches off everything that the gate does, one thing at a time, and names
 * the tests that notice: `node tools/mutation.ts [part of a mutant's file or name …]`.
 * Fails if nothing notices. Takes some minutes.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutants } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["mod.ts", "src", "tests", "examples", "package.json"];
/** The tests that may notice. */
const SERVER = ["tests/core/*.test.ts", "tests/socketio/*.test.ts", "tests/process/*.test.ts"];
const CLIENT = ["tests/client/*.test.ts"];
const JWT = ["tests/jwt/*.test.ts"];
const LIMIT = 180_000;
const AT_ONCE = 3;

/** Applies a mutant to a copy of the project and returns the tests that fail there. */
async function test({ file, from, to }: Mutant): Promise<string[]> {
  const copy = await mkdtemp(join(tmpdir(), "socketio-auth-"));
  try {
    for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const path = join(copy, file);
    const parts = (await readFile(path, "utf8")).split(from);
    if (parts.length !== 2) throw new Error(`"${from}" is ${parts.length - 1} times in ${file}`);
    await writeFile(path, parts.join(to));
    return await failingTests(copy, testsOf(file));
  } finally {
    await rm(copy, { recursive: true });
  }
}

function testsOf(file: string): string[] {
  if (file.startsWith("src/jwt")) return JWT;
  return file.startsWith("src/client") ? CLIENT : SERVER;
}

function failingTests(cwd: string, files: string[]): Promise<string[]> {
  const args = ["--test", "--test-timeout=20000", "--test-reporter=tap"];
  // Without a limit, a mutant that loops takes all the memory there is.
  const env = { ...process.env, TEST_PATIENCE: "4000", NODE_OPTIONS: "--max-old-space-size=2048" };
  const child = spawn(process.execPath, [...args, ...files], { cwd, env, timeout: LIMIT });
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  return new Promise((resolve) => {
    child.on("close", () => {
      const failed = [...output.matchAll(/^ *not ok \d+ - (.+)$/gm)].map(([, name]) => name!);
      // A group fails with its tests, a file that ends early by its path.
      const tests = failed.filter((name) => !name.endsWith(".test.ts"));
      resolve(tests.length > 0 ? tests : child.killed ? ["(the run did not end)"] : failed);
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

function report({ file, name, unnoticed }: Mutant, noticed: string[]): void {
  console.log(`${file.slice("src/".length)}: ${name}`);
  if (noticed.length > 0) {
    console.log(`    ${noticed.length} failed: ${noticed.slice(0, 3).join("; ")}`);
  } else if (unnoticed) {
    console.log(`    not noticed: ${unnoticed}`);
  } else {
    console.log("    SURVIVED");
    survivors++;
  }
}
