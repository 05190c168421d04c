/**
 * What `npm test` runs: the same test files on Node, Deno and Bun, each runtime in processes
 * of its own. What they print begins with the name of the process if there are several.
 *
 * Arguments choose the runtimes, and test files or folders; without any, it is all of them:
 * `node tests/run.ts deno bun tests/manifests.test.ts`.
 */
import { spawn } from "node:child_process";
import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Counts, countTests, secondsByFile } from "./testing/junit.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Limits in milliseconds; a test that hangs must not take the run with it. */
const TEST_LIMIT = 60_000;
const PROCESS_LIMIT = 900_000;

/** How many of the slowest files are named at the end. */
const SLOWEST = 10;

/**
 * Tests that run on the last of the chosen runtimes only, and why that is enough. Each is
 * the beginning of a path. (On Bun, which starts processes fastest, if all are chosen.)
 */
const ONCE: Record<string, string> = {
  "tests/bench/path": "V8 counts, whatever the test runs on",
  "tests/client/hidden_tab": "a page runs in a browser, whatever the server runs on",
  "tests/client/hold": "what waits is kept by the client, which is the same everywhere",
  "tests/client/outage": "real outages take their time, and the client is the same everywhere",
  "tests/cluster/outages": "real outages take their time, and decisions are made in the core",
  "tests/core/reminders": "a fake clock, and no runtime involved",
  "tests/core/storm": "a fake clock, and no runtime involved",
  "tests/demo/": "pages run in a browser, whatever the server runs on",
  "tests/examples/pages": "pages run in a browser, whatever the server runs on",
  "tests/examples/passkeys": "pages run in a browser, whatever the server runs on",
  "tests/examples/start": "starts each of the runtimes by itself",
  "tests/docs": "reads files",
  "tests/manifests": "reads files",
  "tests/mutants": "reads files",
  "tests/protocol/python": "the client is Python's; others run against every server",
  "tests/sizes": "runs esbuild",
  "tests/recipes/documents": "reads files",
  "tests/recipes/jwt-provider": "what differs are the claims, whatever verifies them",
  "tests/recipes/presence": "starts processes; what it counts is in Redis",
  "tests/recipes/pages": "pages run in a browser, whatever the server runs on",
  "tests/snippets": "runs the compiler",
  "tests/socketio/other_pages": "pages run in a browser; what differs by runtime is in cookies",
  "tests/socketio/webtransport": "runs Node, which the module of WebTransport is made for",
};

/**
 * For each runtime, the command that runs `files`, prints for people as usual and writes
 * JUnit XML to `report`.
 */
const RUNTIMES: Record<string, (report: string, files: string[]) => string[]> = {
  node: (report, files) => [
    "node",
    // Examples import the package by its name.
    "--import=./tools/from-source.ts",
    "--test",
    // Starting a process for each file takes twice as long as the tests.
    "--test-isolation=none",
    // A test that fails may leave something open.
    "--test-force-exit",
    `--test-timeout=${TEST_LIMIT}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...files,
  ],
  // The import map stands in for deno.json's, which needs JSR; see `deno task test`.
  deno: (report, files) => [
    "deno",
    "test",
    "-A",
    "--no-check",
    "--import-map=tests/testing/import_map.json",
    `--junit-path=${report}`,
    ...files,
  ],
  bun: (report, files) => [
    "bun",
    "test",
    `--timeout=${TEST_LIMIT}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...files.map((file) => `./${file}`),
  ],
};

/** How many processes share the tests of a runtime. Tests mostly wait, so that two take less time. */
const PARTS = 2;

/** Files for one process. */
interface Job {
  /** The runtime, and which of its jobs it is. */
  readonly name: string;
  readonly runtime: string;
  readonly files: string[];
}

interface Result extends Job, Counts {
  readonly seconds: number;
  /** What is wrong besides the tests that failed. */
  readonly trouble: string | undefined;
  readonly secondsByFile: Map<string, number>;
}

/** The test files that the arguments name, or all. */
async function findFiles(paths: string[]): Promise<string[]> {
  const all: string[] = [];
  for await (const file of glob("tests/**/*.test.ts", { cwd: ROOT })) all.push(file);
  all.sort();
  if (paths.length === 0) return all;
  const chosen = paths.map((path) => path.replace(/^\.\//, ""));
  for (const path of chosen) {
    if (!all.some((file) => file.startsWith(path))) throw new Error(`No test is in ${path}.`);
  }
  return all.filter((file) => chosen.some((path) => file.startsWith(path)));
}

function planJobs(runtimes: string[], files: string[]): Job[] {
  const isOnce = (file: string) => Object.keys(ONCE).some((path) => file.startsWith(path));
  const everywhere = files.filter((file) => !isOnce(file));
  const last = runtimes.at(-1)!;
  const once = { name: `${last}, once`, runtime: last, files: files.filter(isOnce) };
  const jobs = [once, ...runtimes.flatMap((runtime) => shareOut(runtime, everywhere))];
  return jobs.filter(({ files }) => files.length > 0);
}

/** Shares files out among the processes of a runtime. */
function shareOut(runtime: string, files: string[]): Job[] {
  return Array.from({ length: PARTS }, (_, part) => ({
    name: `${runtime}, ${part + 1}`,
    runtime,
    files: files.filter((_, i) => i % PARTS === part),
  }));
}

async function run(job: Job, report: string, isAlone: boolean): Promise<Result> {
  const start = performance.now();
  const command = RUNTIMES[job.runtime]!(report, job.files);
  let trouble = await execute(command, isAlone ? "" : job.name);
  const seconds = (performance.now() - start) / 1000;
  const xml = await readFile(report, "utf8").catch(() => "");
  const counts = countTests(xml);
  if (counts.passed + counts.failed + counts.skipped === 0) trouble ??= "reported no test";
  // What fails outside of any test, a file that cannot be loaded for example,
  // is not in every runtime's report.
  if (trouble && counts.failed === 0) counts.failed = 1;
  return { ...job, seconds, trouble, ...counts, secondsByFile: secondsByFile(xml) };
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
      timeout: PROCESS_LIMIT,
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on("line", (line) => console.log(`${name.padEnd(10)} | ${line}`));
    }
    child.on("error", ({ message }) => resolve(message));
    child.on("close", (code, signal) => {
      if (child.killed) resolve(`stopped after ${PROCESS_LIMIT / 1000} s`);
      else resolve(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** Node and Deno run the very same tests; if one reports fewer, some were lost. */
function findLostTests(results: Result[]): string | undefined {
  const [node, deno] = ["node", "deno"].map((wanted) =>
    results.filter(({ name }) => name.startsWith(`${wanted}, `) && !name.endsWith(", once"))
      .map(({ passed, failed, skipped }) => passed + failed + skipped)
      .reduce((sum, count) => sum + count, 0)
  );
  if (!node || !deno || node === deno) return undefined;
  return `Node reported ${node} tests and Deno ${deno}: some were lost`;
}

function printSlowest(results: Result[]): void {
  const all = results.flatMap(({ runtime, secondsByFile }) =>
    Array.from(secondsByFile, ([file, seconds]) => ({ runtime, file, seconds }))
  );
  console.log("\nThe slowest files, in seconds:");
  for (const one of all.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST)) {
    console.log(`${one.seconds.toFixed(1).padStart(7)}  ${one.runtime.padEnd(5)} ${one.file}`);
  }
}

function printTable(results: Result[]): void {
  const row = (...cells: string[]) =>
    console.log(cells.map((cell, i) => i ? cell.padStart(9) : cell.padEnd(11)).join(""));
  console.log();
  row("", "passed", "failed", "skipped", "seconds");
  for (const { name, passed, failed, skipped, seconds, trouble } of results) {
    row(name, `${passed}`, `${failed}`, `${skipped}`, seconds.toFixed(1));
    if (trouble) console.log(`            ^ ${trouble}`);
  }
  const sum = (name: keyof Counts) => results.reduce((total, result) => total + result[name], 0);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
}

const args = process.argv.slice(2);
const known = Object.keys(RUNTIMES);
const chosen = known.filter((name) => args.includes(name));
const files = await findFiles(args.filter((name) => !known.includes(name)));
const jobs = planJobs(chosen.length ? chosen : known, files);

const reports = await mkdtemp(join(tmpdir(), "socketio-auth-"));
const results = await Promise.all(
  jobs.map((job, index) => run(job, join(reports, `${index}.xml`), jobs.length === 1)),
);
await rm(reports, { recursive: true });
printSlowest(results);
printTable(results);
const lost = findLostTests(results);
if (lost) console.error(lost);
process.exitCode = lost || results.some(({ failed }) => failed > 0) ? 1 : 0;
