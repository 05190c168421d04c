/**
 * Checks the package as npm would publish it: what is in it, what publint says
 * of it, and that an empty project that installs it can compile against it with
 * the current and an older TypeScript, run it on Node, Deno and Bun, and `require`
 * it there and on the oldest Node that can, and resolve it as Metro does. And that README's quick start works.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert/strict";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveAsMetro } from "./metro.ts";
import { checkQuickStart } from "./quick-start.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The pinned runtimes go before the machine's own, here and in all that is started. */
process.env.PATH = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
const { name, exports, devDependencies } = JSON.parse(
  readFileSync(join(ROOT, "package.json"), "utf8"),
);

/** What is in the package apart from the compiled sources. */
const DOCUMENTS = [
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(md|svg|webp)$/.test(name))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
  "CHANGELOG.md",
  "LICENSE",
  "PROTOCOL.md",
  "README.md",
  "SECURITY.md",
  "package.json",
];

/** What the consumer installs next to the package, as we have it ourselves. */
const NEIGHBORS = ["socket.io", "socket.io-client", "@socket.io/bun-engine", "jose"];

/** The entry points that are found without `exports`, too. */
const FOUND_ANYWHERE = [".", "./client", "./protocol", "./jwt"];

/** A TypeScript that many still have; the consumer installs it, and we have the current one. */
const OLD_TYPESCRIPT = "5.9.3";

/** The oldest Node whose `require` takes ES modules without a flag. */
const OLD_NODE = "20.19.0";

/** How each compiler is called in the consumer's folder. */
const COMPILERS = {
  [devDependencies.typescript]: ["tsc"],
  [OLD_TYPESCRIPT]: ["node", join("node_modules", "typescript", "bin", "tsc")],
};

/** How consumers may have set up module resolution, and what they compile then. */
const RESOLUTIONS = [
  { options: ["--module", "nodenext"], files: ["types.ts", "smoke.ts", "types-commonjs.cts"] },
  {
    options: ["--module", "esnext", "--moduleResolution", "bundler"],
    files: ["types.ts", "smoke.ts"],
  },
  // By default this resolves as Node 10 did, and only older compilers still can.
  { options: ["--module", "commonjs"], files: ["types-commonjs.cts"], only: OLD_TYPESCRIPT },
];

/** How each runtime runs a script. */
const RUNTIMES = { node: ["node"], deno: ["deno", "run", "-A"], bun: ["bun"] };

function run(cwd: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
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
  npmInstall(folder, tarball, ...neighbors, `typescript@${OLD_TYPESCRIPT}`);
}

/**
 * Installs the old Node and returns the path of its executable. The package `node`
 * fetches one of these for each platform in a script; npm may not run scripts.
 */
function installOldNode(folder: string): string {
  const { arch, platform } = process;
  const name = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  const pack = `${name}-${platform === "win32" ? "win" : platform}-${arch}@${OLD_NODE}`;
  const node = join(folder, "node_modules", "old-node", "bin", "node");
  try {
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    npmInstall(folder, `old-node@npm:${pack}`);
    const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
    if (version !== `v${OLD_NODE}`) throw new Error(`It says that it is ${version}`);
  } catch (cause) {
    throw new Error(`Cannot check with Node ${OLD_NODE}: npm did not bring ${pack}`, { cause });
  }
  return node;
}

function npmInstall(folder: string, ...packages: string[]): void {
  run(folder, "npm", "install", "--no-audit", "--no-fund", ...packages);
}

function checkTypes(folder: string): void {
  const strict = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
  for (const [version, [command, ...args]] of Object.entries(COMPILERS)) {
    for (const { options, files, only } of RESOLUTIONS) {
      if (only && only !== version) continue;
      run(folder, command!, ...args, ...strict, ...options, ...files);
      console.log(`ok types: TypeScript ${version}, ${options.at(-1)}`);
    }
  }
}

function checkMetro(folder: string): void {
  for (const entry of FOUND_ANYWHERE) {
    const found = resolveAsMetro(join(name, entry), join(folder, "index.js"));
    deepStrictEqual(found, join(folder, "node_modules", name, exports[entry].default));
    console.log(`ok Metro: ${entry}`);
  }
}

function checkRuntimes(folder: string): void {
  for (const [runtime, [command, ...args]] of Object.entries(RUNTIMES)) {
    run(folder, command!, ...args, "smoke.ts", runtime);
    run(folder, command!, ...args, "smoke.cjs", runtime);
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
  checkMetro(consumer);
  checkRuntimes(consumer);
  const oldNode = installOldNode(mkdtempSync(join(temporary, "node-")));
  run(consumer, oldNode, "smoke.cjs", `node ${OLD_NODE}`);
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  await checkQuickStart(readme, { tarball, versions: devDependencies }, temporary);
} finally {
  rmSync(temporary, { recursive: true });
}
