/**
 * Writes the API reference to `api/`, as `deno task docs` does. `./node`, `./deno` and `./bun` export
 * all names of the main entry point. Their pages have only those that the main page lacks: the
 * reference is made of a copy of the sources, from which these exports are taken out.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = join(ROOT, "api");
/** What repeats names: the main function has another one as the default export. */
const REPEATED = [
  [/^export \* from "\.\.\/socketio\/public\.ts";\n/m, ["node", "deno", "bun"]],
  [/^export \{ default \} from ".*";\n/m, ["node", "deno", "bun", "main"]],
] as const;
const FILES = {
  main: "mod.ts",
  node: "src/adapters/node.ts",
  deno: "src/adapters/deno.ts",
  bun: "src/adapters/bun.ts",
};

const { name, exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "docs-"));
try {
  for (const path of ["deno.json", "mod.ts", "src"]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [line, entries] of REPEATED) {
    for (const entry of entries) {
      change(join(folder, FILES[entry]), (source) => {
        if (!line.test(source)) throw new Error(`Cannot write docs: ${entry} has no ${line}`);
        return source.replace(line, "");
      });
    }
  }
  rmSync(OUTPUT, { recursive: true, force: true });
  const entries = Object.values<string>(exports);
  const args = ["doc", "--quiet", "--html", `--name=${name}`, `--output=${OUTPUT}`, ...entries];
  execFileSync("deno", args, { cwd: folder, stdio: "inherit" });
  for (const path of readdirSync(OUTPUT, { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(".html")) change(join(OUTPUT, path), nameImports);
  }
  console.log(`Open ${join(OUTPUT, "index.html")}`);
} finally {
  rmSync(folder, { recursive: true });
}

function change(path: string, write: (text: string) => string): void {
  writeFileSync(path, write(readFileSync(path, "utf8")));
}

/** `deno doc` imports from `"."` and `"client"` in its usage blocks: what users write is longer. */
function nameImports(html: string): string {
  return html.replaceAll(
    / from (&quot;|")(\.|node|deno|bun|client|protocol|jwt)\1;/g,
    (_, quote, entry) => {
      return ` from ${quote}${entry === "." ? name : `${name}/${entry}`}${quote};`;
    },
  );
}
