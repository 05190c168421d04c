// What a page gets that imports the client.
import { assert, assertEquals, describe, it } from "#testing";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, stop } from "esbuild";

/** In bytes, minified and gzipped; README says 3 KB. */
const LIMIT = 3_100;

describe("the client, bundled", () => {
  it("is small, and brings nothing of the server along", async () => {
    const entry = fileURLToPath(new URL("../../src/client/client.ts", import.meta.url));
    try {
      const { outputFiles, metafile } = await build({
        entryPoints: [entry],
        bundle: true,
        minify: true,
        format: "esm",
        target: "es2022",
        metafile: true,
        write: false,
      });
      const files = Object.keys(metafile.inputs).map((path) => path.replace(/.*src\//, "")).sort();
      assertEquals(files, [
        "client/client.ts",
        "client/errors.ts",
        "client/line.ts",
        "client/machine.ts",
      ]);
      const { length } = gzipSync(outputFiles[0]!.contents, { level: 9 });
      assert(length <= LIMIT, `${length} bytes`);
    } finally {
      await stop();
    }
  });
});
