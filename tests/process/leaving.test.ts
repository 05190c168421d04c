import { assertEquals, describe, it } from "#testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";

/** Far less than what revocations are said again for, in ms. */
const PATIENCE = 30_000;

const program = fileURLToPath(new URL("leaving.ts", import.meta.url));
const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];

describe("a process", () => {
  it("ends with its server, though a revocation was not answered", async () => {
    const process = spawn(execPath, args, { stdio: "pipe", timeout: PATIENCE });
    let output = "";
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("data", (chunk) => output += chunk);
    }
    const [code, signal] = await once(process, "exit");
    assertEquals([output.trim(), code, signal], ["closed", 0, null]);
  });
});
