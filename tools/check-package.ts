/**
 * Checks the package as npm would publish it: what is in it, what publint says
 * of it, and that an empty project that installs it can compile against it and
 * run it on Node, Deno and Bun.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert/strict";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PATH = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** What is in the package besides the compiled sources. */
const DOCUMENTS = [
  "CHANGELOG.md",
  "LICENSE",
  "PROTOCOL.md",
  "README.md",
  "SECURITY.md",
  "package.json",
];

/** What the consumer installs next to the package, as we have it ourselves. */
const NEIGHBORS = ["socket.io", "socket.io-client", "@socket.io/bun-engine"];

/** How consumers may have set up module resolution. */
const RESOLUTIONS = [
  ["--module", "nodenext"],
  ["--module", "esnext", "--moduleResolution", "bundler"],
];

/** How each runtime runs a script. */
const RUNTIMES = { node: ["node"], deno: ["deno", "run", "-A"], bun: ["bun"] };

function run(cwd: string, command: string, ...args: string[]): void {
  const env = { ...process.env, PATH };
  execFileSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
}

/** Packs the package into `folder`; `prepack` builds it. Returns the tarball's path. */
function pack(folder: string): string {
  run(ROOT, "npm", "pack", "--silent", "--pack-destination", folder);
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
}

function checkFiles(tarball: string): void {
  const packed = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n")
    .map((path) => path.replace("package/", ""));
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/${name}`);
  const compiled = ["mod.ts", ...sources].map((path) => `dist/${path.replace(/\.ts$/, "")}`)
    .flatMap((base) => [`${base}.js`, `${base}.d.ts`]);
  deepStrictEqual(packed.sort(), [...DOCUMENTS, ...compiled].sort());
  console.log(`ok contents: ${packed.length} files`);
}

function createConsumer(folder: string, tarball: string): void {
  cpSync(join(ROOT, "tools", "consumer"), folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const neighbors = NEIGHBORS.map((name) => `${name}@${devDependencies[name]}`);
  run(folder, "npm", "install", "--no-audit", "--no-fund", tarball, ...neighbors);
}

function checkTypes(folder: string): void {
  for (const resolution of RESOLUTIONS) {
    const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
    run(folder, "tsc", ...options, ...resolution, "types.ts", "smoke.ts");
    console.log(`ok types: ${resolution.at(-1)}`);
  }
}

function checkRuntimes(folder: string): void {
  for (const [runtime, [command, ...args]] of Object.entries(RUNTIMES)) {
    run(folder, command!, ...args, "smoke.ts", runtime);
  }
}

const temporary = mkdtempSync(join(tmpdir(), "socketio-auth-"));
try {
  const tarball = pack(temporary);
  checkFiles(tarball);
  run(ROOT, "publint", "run", "--strict", tarball);
  const consumer = mkdtempSync(join(temporary, "consumer-"));
  createConsumer(consumer, tarball);
  checkTypes(consumer);
  checkRuntimes(consumer);
} finally {
  rmSync(temporary, { recursive: true });
}
