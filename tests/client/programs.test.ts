// Clients in a process of their own, to see how that ends and what nobody has caught.
import { assertEquals, describe, it } from "#testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";

/** Far less than what any of its clients would wait for, in ms. */
const PATIENCE = 45_000;

const options = "Deno" in globalThis
  ? ["run", "-A", "--no-check", "--import-map=tests/testing/import_map.json"]
  : [];

/** What a program has printed, line by line, and the code it has ended with. */
async function run(name: string): Promise<[lines: string[], code: number | null]> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(execPath, [...options, program], { stdio: "pipe", timeout: PATIENCE });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => output += chunk);
  }
  const [code] = await once(child, "close");
  return [output.trim().split("\n"), code];
}

describe("a process", () => {
  it("ends with its clients, whatever state they are stopped in", async () => {
    assertEquals(await run("leaving.ts"), [[
      "connecting",
      "authenticating",
      "challenged",
      "authenticated",
      "waiting",
      "stopped",
    ], 0]);
  });

  it("gets what its own callbacks throw, and its clients go on", async () => {
    assertEquals(await run("misbehaving.ts"), [[
      "disconnect listener: authentication_failed in 1; application",
      "subscriber: in; application",
      "onUnauthorized: credentials_failed in; application",
      "onAuthenticated: in true; application application",
      "acknowledgement: in; application",
      "held events: in one two three four; BigInt application",
    ], 0]);
  });
});
