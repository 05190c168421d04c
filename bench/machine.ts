import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { version } from "node:process";
import { fileURLToPath } from "node:url";

/** Where something was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** The runtimes, and the versions of what is measured. */
  readonly versions: Readonly<Record<string, string>>;
  /** How many files a process may have open, sockets among them. */
  readonly openFiles: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
    versions: {
      Node: version.slice(1),
      Deno: run("deno", "--version").split(/\s/)[1]!,
      Bun: run("bun", "--version"),
      "socket.io": versionOf("socket.io"),
    },
    openFiles: Number(execFileSync("sh", ["-c", "ulimit -n"])),
  };
}

/** Of what `npm ci` has installed, before what the machine has. */
function run(command: string, ...args: string[]): string {
  const bin = fileURLToPath(new URL("../node_modules/.bin/", import.meta.url));
  const PATH = `${bin}:${process.env.PATH}`;
  return String(execFileSync(command, args, { env: { ...process.env, PATH } })).trim();
}

function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`);
  return version;
}
