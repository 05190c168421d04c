/**
 * What `npm test` runs: the same test files on Node, Deno and Bun. They mostly wait, so that
 * two of them share the machine; what they print begins with their name then.
 *
 * Arguments choose the runtimes and the test files; without any, it is all of
 * them: `node tests/run.ts deno bun tests/manifests.test.ts`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Counts, countTests } from "./testing/junit.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Limits in milliseconds; a test that hangs must not take the run with it. */
const TEST_LIMIT = 60_000;
const RUNTIME_LIMIT = 900_000;

/** How many runtimes run at once. More would be busy, and tests of timeouts do not like that. */
const AT_ONCE = 2;

/**
 * For each runtime, the command that runs `files` (all of them if there are
 * none), prints for people as usual and writes JUnit XML to `report`.
 */
const RUNTIMES: Record<string, (report: string, files: string[]) => string[]> = {
  node: (report, files) => [
    "node",
    "--test",
    `--test-timeout=${TEST_LIMIT}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...(files.length ? files : ["tests/**/*.test.ts"]),
  ],
  // The import map stands in for deno.json's, which needs JSR; see `deno task test`.
  deno: (report, files) => [
    "deno",
    "test",
    "-A",
    "--no-check",
    "--import-map=tests/testing/import_map.json",
    `--junit-path=${report}`,
    ...(files.length ? files : ["tests/"]),
  ],
  bun: (report, files) => [
    "bun",
    "test",
    `--timeout=${TEST_LIMIT}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...files,
  ],
};

interface Result extends Counts {
  readonly runtime: string;
  readonly seconds: number;
  /** What is wrong besides the tests that failed. */
  readonly trouble: string | undefined;
}

async function run(runtime: string, files: string[], report: string): Promise<Result> {
  console.log(`\n=== ${runtime} ===\n`);
  const start = performance.now();
  let trouble = await execute(RUNTIMES[runtime]!(report, files), isAlone ? "" : runtime);
  const seconds = (performance.now() - start) / 1000;
  const counts = countTests(await readFile(report, "utf8").catch(() => ""));
  if (counts.passed + counts.failed + counts.skipped === 0) trouble ??= "reported no test";
  // What fails outside of any test, a file that cannot be loaded for example,
  // is not in every runtime's report.
  if (trouble && counts.failed === 0) counts.failed = 1;
  return { runtime, seconds, trouble, ...counts };
}

/**
 * Runs a command with its output shown, each line after a name if it has one; resolves to what
 * went wrong, if anything.
 */
function execute([command = "", ...args]: string[], name: string): Promise<string | undefined> {
  const PATH = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const output = name ? "pipe" : "inherit";
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, PATH },
      stdio: ["ignore", output, output],
      timeout: RUNTIME_LIMIT,
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on("line", (line) => console.log(`${name.padEnd(4)} | ${line}`));
    }
    child.on("error", ({ message }) => resolve(message));
    child.on("close", (code, signal) => {
      if (child.killed) resolve(`stopped after ${RUNTIME_LIMIT / 1000} s`);
      else resolve(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** Node and Deno run the very same tests; if one reports fewer, some were lost. */
function findLostTests(results: Result[]): string | undefined {
  const [node, deno] = ["node", "deno"].map((name) => {
    const result = results.find(({ runtime }) => runtime === name);
    return result && result.passed + result.failed + result.skipped;
  });
  if (node === undefined || deno === undefined || node === deno) return undefined;
  return `Node reported ${node} tests and Deno ${deno}: some were lost`;
}

function printTable(results: Result[]): void {
  const row = (...cells: string[]) =>
    console.log(cells.map((cell, i) => i ? cell.padStart(9) : cell.padEnd(6)).join(""));
  console.log();
  row("", "passed", "failed", "skipped", "seconds");
  for (const { runtime, passed, failed, skipped, seconds, trouble } of results) {
    row(runtime, `${passed}`, `${failed}`, `${skipped}`, seconds.toFixed(1));
    if (trouble) console.log(`       ^ ${trouble}`);
  }
  const sum = (name: keyof Counts) => results.reduce((total, result) => total + result[name], 0);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
}

const args = process.argv.slice(2);
const known = Object.keys(RUNTIMES);
const chosen = known.filter((name) => args.includes(name));
const files = args.filter((name) => !known.includes(name));

const runtimes = chosen.length ? chosen : known;
const isAlone = runtimes.length === 1;

const reports = await mkdtemp(join(tmpdir(), "socketio-auth-"));
const results: Result[] = [];
const queue = runtimes.entries();
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (const [index, runtime] of queue) {
    results[index] = await run(runtime, files, join(reports, `${runtime}.xml`));
  }
}));
await rm(reports, { recursive: true });
printTable(results);
const lost = findLostTests(results);
if (lost) console.error(lost);
process.exitCode = lost || results.some(({ failed }) => failed > 0) ? 1 : 0;
