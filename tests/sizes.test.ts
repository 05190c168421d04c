// What somebody gets who bundles an entry point.
import { assert, assertEquals, describe, it } from "#testing";
import { bundle } from "../bench/bundle.ts";

/**
 * In bytes, minified and gzipped; docs/performance.md says what the rest is made of that is more
 * than it should be. README says 3 KB of the client.
 */
const LIMITS = { server: 21_500, client: 3_100 };

describe("bundled and compressed", () => {
  it("the client is small, and brings nothing of the server along", async () => {
    const { gzip, files } = await bundle("src/client/client.ts");
    assertEquals(files, [
      "src/client/client.ts",
      "src/client/errors.ts",
      "src/client/line.ts",
      "src/client/machine.ts",
    ]);
    assert(gzip <= LIMITS.client, `${gzip} bytes`);
  });

  it("the server does not grow, and brings nothing of the client along", async () => {
    const { gzip, files } = await bundle("mod.ts");
    assertEquals(
      files.filter((file) => !/^(mod\.ts|src\/(core|socketio|protocol))/.test(file)),
      [],
    );
    assert(gzip <= LIMITS.server, `${gzip} bytes`);
  });
});
