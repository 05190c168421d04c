import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

/**
 * A module in TypeScript, with all it imports, as one in JavaScript that browsers can run.
 *
 * Not with `buildSync`: that keeps a thread and a process behind it, and may hang on Deno.
 */
export async function bundle(url: URL): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(url)],
      bundle: true,
      format: "esm",
      target: "es2022",
      write: false,
    });
    return outputFiles[0]!.text;
  } finally {
    await stop();
  }
}
