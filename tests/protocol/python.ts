import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { onDispose } from "../kit/disposal.ts";
import { EventQueue, type Received } from "../kit/events.ts";

/** The one that Debian's packages are for. */
const python = env.PYTHON ?? "/usr/bin/python3";

/** Why there is no python-socketio to test with, if so. */
function findMissing(): string | undefined {
  const { error, status } = spawnSync(python, ["-c", "import aiohttp, socketio"]);
  if (error) return `no ${python}`;
  return status === 0 ? undefined : `${python} lacks socketio or aiohttp`;
}

/** Whether there is a python-socketio to test with. If not, says so. */
export function pythonIsThere(): boolean {
  const missing = findMissing();
  if (missing) console.log(`SKIPPED: python-socketio: ${missing}`);
  return missing === undefined;
}

/** A Python program that is running, until it ends or the test does. */
export class PythonProgram {
  /** A line of JSON is an event with its arguments. Any other line is the name of an event. */
  readonly lines: EventQueue = new EventQueue();
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(code: string, ...args: string[]) {
    // Unbuffered, or a pipe gets what it prints at the end only.
    const process = spawn(python, ["-u", "-c", code, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process = process;
    this.#exited = once(process, "exit");
    createInterface({ input: process.stdout }).on("line", (line) => {
      this.lines.push(
        ...(line.startsWith("[") ? JSON.parse(line) as Received : [line] as Received),
      );
    });
    process.once("exit", (code) => this.lines.push(`exit ${code}`));
    onDispose(() => this.#end());
  }

  /** Types a line into it. */
  type(line: string): void {
    this.#process.stdin!.write(`${line}\n`);
  }

  async #end(): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
    await this.#exited;
  }
}
