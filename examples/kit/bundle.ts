import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

/**
 * Bundles a module in TypeScript, with all it imports, into JavaScript for a browser.
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
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"development"' },
      write: false,
    });
    return outputFiles[0]!.text;
  } finally {
    await stop();
  }
}
