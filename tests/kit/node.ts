import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { kill } from "node:process";
import { fileURLToPath } from "node:url";
import type { RefreshOptions, RevokeOptions, RevokeTarget } from "../../mod.ts";
import type { Call, Command, Report } from "../cluster/commands.ts";
import { onDispose } from "./disposal.ts";

/** The programs there are, one for each folder. */
const programs: Record<"cluster" | "process", string> = {
  cluster: fileURLToPath(new URL("../cluster/server.ts", import.meta.url)),
  process: fileURLToPath(new URL("../process/server.ts", import.meta.url)),
};

/** A server in a process of its own, on the runtime that runs the tests. */
export class ServerNode {
  readonly url: string;
  readonly process: ChildProcess;
  #commands = 0;

  private constructor(process: ChildProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  /** Starts one of a cluster; it is gone after the test. */
  static start(...args: string[]): Promise<ServerNode> {
    return ServerNode.run("cluster", ...args);
  }

  /** Starts a program; it is gone after the test. */
  static async run(program: keyof typeof programs, ...args: string[]): Promise<ServerNode> {
    // Not with the flags that the tests run with: it is no test.
    const process = fork(programs[program], args, { execArgv: [] });
    // Each command that is on its way listens for its own report.
    process.setMaxListeners(0);
    onDispose(async () => {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const exited = once(process, "exit");
      process.kill("SIGKILL");
      await exited;
    });
    const url = await new Promise<string>((resolve, reject) => {
      process.on("message", (report: Report) => "url" in report && resolve(report.url));
      process.once("exit", (code) => reject(new Error(`The server ended with ${code}`)));
    });
    return new ServerNode(process, url);
  }

  /** Makes calls of the main namespace, one on what the other has returned. */
  io(...calls: Call[]): Promise<unknown> {
    return this.tell("io", ...calls);
  }

  /** The same of a socket. */
  socket(id: string, ...calls: Call[]): Promise<unknown> {
    return this.tell("socket", id, ...calls);
  }

  /** How many authenticated sockets it has. */
  async count(): Promise<number> {
    const ids = await this.io(["local"], ["fetchSockets"]);
    return (ids as string[]).length;
  }

  /** Not by way of `ChildProcess`, whose channel Deno closes on any signal. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    kill(this.process.pid!, name);
  }

  /** Calls `auth.revoke`. */
  revoke(target: RevokeTarget, options?: RevokeOptions): Promise<unknown> {
    return this.tell("revoke", target, ...options ? [options] : []);
  }

  /** Calls `auth.refresh`. */
  refresh(target: RevokeTarget, options: RefreshOptions): Promise<unknown> {
    return this.tell("refresh", target, options);
  }

  /** Lets every verification that was held come to its end. */
  answer(): Promise<unknown> {
    return this.tell("answer");
  }

  /** Stops serving, as a restart does. */
  close(): Promise<unknown> {
    return this.tell("close");
  }

  /** Has a command obeyed. Resolves with what it has come to. */
  tell(command: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#commands;
    return new Promise((resolve, reject) => {
      const listen = (report: Report) => {
        if (!("id" in report) || report.id !== id) return;
        this.process.off("message", listen);
        if (report.error === undefined) resolve(report.result);
        else reject(new Error(report.error));
      };
      this.process.on("message", listen);
      this.process.send({ id, command, args } satisfies Command);
    });
  }
}
