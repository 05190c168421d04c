import { assertEquals, describe, it } from "#testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";

/** Far less than what any of its clients would wait for, in ms. */
const PATIENCE = 45_000;

const program = fileURLToPath(new URL("leaving.ts", import.meta.url));
const args = "Deno" in globalThis
  ? ["run", "-A", "--no-check", "--import-map=tests/testing/import_map.json", program]
  : [program];

describe("a process", () => {
  it("ends with its clients, whatever state they are stopped in", async () => {
    const child = spawn(execPath, args, { stdio: "pipe", timeout: PATIENCE });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => output += chunk);
    }
    const [code, signal] = await once(child, "close");
    const states = "connecting authenticating challenged authenticated waiting stopped";
    assertEquals([output.trim().split(/\s+/).join(" "), code, signal], [states, 0, null]);
  });
});
