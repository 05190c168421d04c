import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Block } from "./blocks.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** As the sources are compiled, without what makes no sense for a few lines. */
const OPTIONS = {
  isolatedDeclarations: false,
  declaration: false,
  noUnusedLocals: false,
  noUnusedParameters: false,
  // As NestJS has them.
  experimentalDecorators: true,
};

/**
 * Compiles each block as a module of its own. Returns the compiler's messages;
 * those on a block begin with its document and line.
 */
export function compile(blocks: Block[]): string[] {
  // A folder below `node_modules` finds packages, and git and the linters leave it alone.
  mkdirSync(join(ROOT, "node_modules", ".cache"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "node_modules", ".cache", "snippets-"));
  try {
    writeProject(folder, blocks);
    return runCompiler(folder).map((message) => locate(message, blocks));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeProject(folder: string, blocks: Block[]): void {
  const files = {
    ...Object.fromEntries(
      blocks.map(({ language, code }, index) => [`${index}.${language}`, `${code}\nexport {};\n`]),
    ),
    "globals.d.ts": globalsOf("tests/snippets/ambient.ts"),
  };
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: OPTIONS,
    files: [...Object.keys(files), join(ROOT, "tests/snippets/modules.d.ts")],
    include: [],
  };
  const manifests = { "package.json": { type: "module" }, "tsconfig.json": config };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  for (const [name, content] of Object.entries(manifests)) {
    writeFileSync(join(folder, name), JSON.stringify(content));
  }
}

/**
 * What makes the exports of a module globals. Only the blocks have them that way;
 * if the module itself were full of globals, so would be everything tsc compiles.
 */
function globalsOf(path: string): string {
  const source = readFileSync(join(ROOT, path), "utf8");
  const names = source.matchAll(/^export declare (?:const|function) (\w+)/gm);
  const module = JSON.stringify(join(ROOT, path));
  return Array.from(names, ([, name]) => `declare const ${name}: typeof import(${module}).${name};`)
    .join("\n");
}

function runCompiler(folder: string): string[] {
  const PATH = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const { error, status, stdout, stderr } = spawnSync("tsc", ["-p", folder, "--pretty", "false"], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    encoding: "utf8",
  });
  if (error) throw error;
  // The lines that belong to a message are indented below it.
  const messages = (stdout + stderr).split(/\n(?! )/).filter((message) => message !== "");
  if (status !== 0 && messages.length === 0) throw new Error(`tsc ended with ${status}`);
  return messages;
}

/** Makes a message name the document and the line instead of the file. */
function locate(message: string, blocks: Block[]): string {
  return message.replace(/^\S*\/(\d+)\.tsx?\((\d+),\d+\)/, (_, index, line) => {
    const block = blocks[Number(index)]!;
    return `${block.document}:${block.line + Number(line) - 1}`;
  });
}
