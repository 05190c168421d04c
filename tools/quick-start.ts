/**
 * Does what README's quick start says, in an empty folder on each runtime, and expects it to
 * print what README says. Only the packed package takes the place of the published one, and a
 * free port that of README's.
 */
import { deepStrictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type Program, start } from "./program.ts";

/** Commands of one runtime, as README's table has them. */
interface Commands {
  readonly runtime: string;
  readonly install: string;
  readonly server: string;
  readonly client: string;
}

/** What is in the quick start. */
interface QuickStart {
  readonly files: ReadonlyMap<string, string>;
  readonly runtimes: readonly Commands[];
  /** Each command, of the first runtime, and the lines it prints. */
  readonly transcript: readonly (readonly [command: string, lines: string[]])[];
}

/** What it takes to install. */
interface Packages {
  /** The path of the packed package. */
  readonly tarball: string;
  /** The version of each other package. */
  readonly versions: Readonly<Record<string, string>>;
}

const NAME = "@socketio-auth/socketio-auth";
const PORT = /\b3000\b/g;

/** Follows the quick start in `readme` on each runtime, in folders below `parent`. */
export async function checkQuickStart(
  readme: string,
  packages: Packages,
  parent: string,
): Promise<void> {
  const { files, runtimes, transcript } = parse(readme);
  deepStrictEqual([files.size, runtimes.length, transcript.length], [2, 3, 3]);
  const [first] = runtimes;
  for (const commands of runtimes) {
    const folder = mkdtempSync(join(parent, "quick-start-"));
    install(commands.install, packages, folder);
    const port = String(await freePort());
    for (const [name, code] of files) writeFileSync(join(folder, name), code.replace(PORT, port));
    const translate = (command: string) =>
      command.replace(first!.server, commands.server).replace(first!.client, commands.client);
    await play(
      transcript.map(([command, lines]) => [
        translate(command),
        lines.map((line) => line.replace(PORT, port)),
      ]),
      folder,
    );
    console.log(`ok quick start: ${commands.runtime}`);
  }
}

function parse(readme: string): QuickStart {
  const [, section = ""] = /^## Quick start\n(.*?)^## /ms.exec(readme) ?? [];
  const files = section.matchAll(/^`([\w.]+)`:\n\n```\w+\n(.*?)^```$/gms);
  const rows = section.matchAll(/^\| (\w+) \| `(.+)` \| `(.+)` \| `(.+)` \|$/gm);
  const [, transcript = ""] = /^```text\n(.*?)^```$/ms.exec(section) ?? [];
  const commands = transcript.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm);
  return {
    files: new Map(Array.from(files, ([, name, code]) => [name!, code!])),
    runtimes: Array.from(rows, ([, runtime, install, server, client]) => {
      return { runtime: runtime!, install: install!, server: server!, client: client! };
    }),
    transcript: Array.from(commands, ([, command, output]) => {
      return [command!, output!.trimEnd().split("\n")];
    }),
  };
}

/** Runs README's line, with the packed package and the versions that we have ourselves. */
function install(line: string, { tarball, versions }: Packages, folder: string): void {
  const [command, ...words] = line.split(" ");
  const args = words.flatMap((word) => {
    const name = word.replace(/^npm:/, "");
    if (Object.hasOwn(versions, name)) return `${word}@${versions[name]}`;
    if (word === NAME) return tarball;
    if (word !== `jsr:${NAME}`) return word;
    // `deno add` takes no tarball, but leaves alone what a manifest has in a folder.
    execFileSync("tar", ["-xzf", tarball], { cwd: folder });
    const manifest = { dependencies: { [NAME]: "file:./package" } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    return [];
  });
  execFileSync(command!, args, { cwd: folder, stdio: "pipe" });
}

/** Runs the first program all the time, the others one after the other. */
async function play(transcript: QuickStart["transcript"], cwd: string): Promise<void> {
  const programs: Program[] = [];
  try {
    for (const [command, { length }] of transcript) {
      const isServer = programs.length === 0;
      const program = start(command, cwd);
      programs.push(program);
      await program.printed(isServer ? 1 : length);
    }
    await programs[0]!.printed(transcript[0]![1].length);
  } finally {
    await Promise.all(programs.map((program) => program.end()));
  }
  deepStrictEqual(programs.map(({ command, lines }) => [command, lines]), transcript);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
