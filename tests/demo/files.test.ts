import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import { disposeAfterEach } from "../kit/disposal.ts";
import { startHost } from "./chat.ts";

describe("the demo's files", () => {
  disposeAfterEach();

  it("are the page, what it loads, and nothing else", async () => {
    const { url } = await startHost();
    const load = async (path: string) => {
      const response = await fetch(url + path);
      const body = await response.text();
      assertMatch(response.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
      return { status: response.status, body };
    };

    const wanted = new Set(["/", "/authenticator"]);
    for (const path of wanted) {
      const { status, body } = await load(path);
      assertEquals(status, 200, path);
      for (const [, next] of body.matchAll(/(?:from |href=|src=)"(\/[\w.]+)"/g)) wanted.add(next!);
    }
    assert(wanted.has("/client.js"));

    for (const path of ["/app.ts", "/client.ts", "/%2e%2e/app.ts", "/..%2fapp.ts", "//app.ts"]) {
      assertEquals((await load(path)).status, 404, path);
    }
  });
});
