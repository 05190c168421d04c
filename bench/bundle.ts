import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, stop } from "esbuild";

/** An entry point as it comes to whoever bundles it, in bytes. */
export interface Bundle {
  readonly minified: number;
  readonly gzip: number;
  /** The files that it is made of, within this project. */
  readonly files: readonly string[];
}

/** Bundles and minifies an entry point with esbuild, and compresses that as well as gzip can. */
export async function bundle(entry: string): Promise<Bundle> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      platform: "node",
      metafile: true,
      write: false,
    });
    const { contents } = outputFiles[0]!;
    const gzip = gzipSync(contents, { level: 9 }).length;
    return { minified: contents.length, gzip, files: Object.keys(metafile.inputs).sort() };
  } finally {
    await stop();
  }
}
