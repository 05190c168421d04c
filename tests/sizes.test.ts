// What somebody gets who bundles an entry point.
import { assert, assertEquals, describe, it } from "#testing";
import { bundle } from "../bench/bundle.ts";

/** In bytes, minified and gzipped. */
const CLIENT_LIMIT = 4_360;

describe("bundled and compressed", () => {
  it("the client is small, and brings nothing of the server along", async () => {
    const { gzip, files } = await bundle("src/client/client.ts");
    assertEquals(files, [
      "src/client/client.ts",
      "src/client/errors.ts",
      "src/client/line.ts",
      "src/client/machine.ts",
      "src/client/options.ts",
    ]);
    assert(gzip <= CLIENT_LIMIT, `${gzip} bytes`);
  });

  it("the server brings nothing of the client along", async () => {
    const { files } = await bundle("mod.ts");
    assertEquals(
      files.filter((file) => !/^(mod\.ts|src\/(core|socketio|protocol))/.test(file)),
      [],
    );
  });
});
