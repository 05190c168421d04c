import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How long a program may run, in milliseconds. */
const LIMIT = 30_000;

/** A program that runs, and what it prints. */
export interface Program {
  readonly command: string;
  readonly lines: readonly string[];
  /** Resolves once it has printed that many lines; rejects if it ends before. */
  printed(count: number): Promise<void>;
  /** Ends it, if it has not ended. */
  end(): Promise<void>;
}

/** Starts a program in a folder, and ends it if it takes too long. */
export function start(command: string, cwd: string): Program {
  const [file = "", ...args] = command.split(" ");
  const child = spawn(file, args, {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on("line", (line) => lines.push(line));
  const ended = once(child, "close");
  // Who waits for a line hears of it.
  ended.catch(() => {});

  async function printed(count: number): Promise<void> {
    const tooEarly = ended.then(() => {
      const text = lines.join("\n");
      throw new Error(`${command} ended before it had printed ${count} lines:\n${text}`);
    });
    tooEarly.catch(() => {});
    while (lines.length < count) await Promise.race([once(reader, "line"), tooEarly]);
  }

  return {
    command,
    lines,
    printed,
    async end() {
      child.kill("SIGKILL");
      await ended.catch(() => {});
    },
  };
}
