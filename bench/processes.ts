import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import type { Command, Report } from "../tests/cluster/commands.ts";
import type { Closings, Opening } from "./clients/crowd.ts";
import type { Delay } from "./servers/meters.ts";

/** Where a server runs. */
export type Runtime = "Node" | "Deno" | "Bun";

const flags: Record<Runtime, string[]> = {
  Node: ["--expose-gc"],
  Deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  Bun: [],
};

/** A program in a process of its own, told over IPC what to do. */
class Program implements AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly #process: ChildProcess;
  #commands = 0;

  protected constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  protected static async launch(
    file: string,
    args: string[],
    runtime: Runtime,
  ): Promise<[ChildProcess, string]> {
    const program = fileURLToPath(new URL(file, import.meta.url));
    const options = { execPath: pathOf(runtime), execArgv: flags[runtime] };
    const process = fork(program, args, options);
    process.setMaxListeners(0);
    const url = await new Promise<string>((resolve, reject) => {
      process.once("message", (report: Report) => "url" in report && resolve(report.url));
      process.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
    });
    return [process, url];
  }

  /** Has a command obeyed. Resolves with what it has come to. */
  protected tell<T>(command: string, ...args: unknown[]): Promise<T> {
    const id = ++this.#commands;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`A process ended during "${command}"`));
      const listen = (report: Report) => {
        if (!("id" in report) || report.id !== id) return;
        this.#process.off("message", listen);
        this.#process.off("exit", ended);
        if (report.error === undefined) resolve(report.result as T);
        else reject(new Error(report.error));
      };
      this.#process.on("message", listen);
      this.#process.once("exit", ended);
      this.#process.send({ id, command, args } satisfies Command);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    // Which it takes for the end, and writes the profile that NODE_OPTIONS may ask for.
    this.#process.disconnect();
    await exited;
  }
}

/** What a server is started with. */
export interface ServerSpec {
  /** A name among the `works`. */
  readonly work: string;
  readonly runtime?: Runtime;
  readonly engine?: "node:http" | "bun-engine";
  /** For socket.io 2. */
  readonly isOld?: boolean;
  /** Where a Redis is, for one of several nodes. */
  readonly redis?: string;
}

/** A server; its methods are those in `servers/server.ts`. */
export class ServerProcess extends Program {
  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const { work, runtime = "Node", engine = "node:http", redis = "" } = spec;
    const file = spec.isOld ? "./servers/old.ts" : "./servers/server.ts";
    const args = [work, engine, redis];
    return new ServerProcess(...await Program.launch(file, args, runtime));
  }

  /** Microseconds of processor time that the process has taken. */
  readonly cpu = (): Promise<number> => this.tell("cpu");
  readonly heap = (): Promise<number> => this.tell("heap");
  readonly gone = (): Promise<void> => this.tell("gone");
  readonly delay = (): Promise<Delay> => this.tell("delay");
  readonly listen = (): Promise<void> => this.tell("listen");
  readonly hear = (count: number): Promise<void> => this.tell("hear", count);
  readonly broadcast = (times: number): Promise<void> => this.tell("broadcast", times);
  readonly watchDeadline = (ms: number): Promise<void> => this.tell("watchDeadline", ms);
  readonly latenesses = (): Promise<number[]> => this.tell("latenesses");
  readonly revoke = (userId: string): Promise<number> => this.tell("revoke", userId);
  readonly revokeOthers = (count: number): Promise<void> => this.tell("revokeOthers", count);
}

/** Clients of a server; its methods are those in `clients/crowd.ts`. */
export class ClientProcess extends Program {
  static async start(): Promise<ClientProcess> {
    return new ClientProcess(...await Program.launch("./clients/crowd.ts", [], "Node"));
  }

  readonly open = (opening: Opening): Promise<void> => this.tell("open", opening);
  readonly close = (): Promise<void> => this.tell("close");
  readonly gone = (): Promise<void> => this.tell("gone");
  readonly send = (count: number): Promise<void> => this.tell("send", count);
  readonly hear = (count: number): Promise<void> => this.tell("hear", count);
  readonly closings = (): Promise<Closings> => this.tell("closings");
}

/** Not the command in `node_modules/.bin`, which runs it as a child of its own. */
export function pathOf(runtime: Runtime): string {
  if (runtime === "Node") return execPath;
  const name = runtime.toLowerCase();
  const command = fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
  const [subcommand, path] = runtime === "Deno"
    ? ["eval", "Deno.execPath()"]
    : ["-e", "process.execPath"];
  return String(execFileSync(command, [subcommand, `console.log(${path})`])).trim();
}
