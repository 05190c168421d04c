import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** A module in TypeScript, with all it imports, as one in JavaScript that browsers can run. */
export function bundle(url: URL): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}
