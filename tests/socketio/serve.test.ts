// What the entry point of Bun refuses to serve.
import { assertRejects, describe, it } from "#testing";
import { serve } from "../../src/adapters/bun.ts";
import { createServer } from "../kit/targets.ts";

const isBun = "Bun" in globalThis;

describe("serve of ./bun", () => {
  const refused: [options: object, text: string][] = [
    [{ pingInterval: 127_501 }, "pingInterval must be at most 127500"],
    [{ allowEIO3: true }, '"allowEIO3"'],
    [{ cookie: true }, '"cookie"'],
  ];
  for (const [options, text] of refused) {
    it(`says what is wrong with ${JSON.stringify(options)}, or with the runtime`, async () => {
      const served = serve(createServer(options), { port: 0, hostname: "127.0.0.1" });
      await assertRejects(() => served, Error, isBun ? text : "needs Bun");
    });
  }

  it("takes the longest pingInterval that Bun does", async () => {
    const io = createServer({ pingInterval: 127_500 });
    const served = serve(io, { port: 0, hostname: "127.0.0.1" });
    if (isBun) await (await served).close();
    else await assertRejects(() => served, Error, "needs Bun");
  });
});
