import { assertEquals, describe, it } from "#testing";
import { execFile } from "node:child_process";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (name: string) => fileURLToPath(new URL(`./webtransport/${name}`, import.meta.url));

describe("over WebTransport", () => {
  it("what a client is sent just before the close arrives", async () => {
    // On Node, whatever this runs on: the module that brings WebTransport is made for it.
    const { stdout } = await promisify(execFile)("node", [here("program.ts")], {
      env: { ...env, NODE_EXTRA_CA_CERTS: here("localhost.cert.pem") },
      timeout: 30_000,
    });
    const told = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    const closed = "disconnect io server disconnect";
    assertEquals(told, {
      "is refused": ["unauthorized authentication_failed", closed],
      "is refused in a handshake": ["connect_error authentication_failed"],
      "says nothing": ["unauthorized timeout", closed],
      "expires": ["authenticated true", "unauthorized expired", closed],
      "is revoked": ["authenticated true", "unauthorized revoked", closed],
    });
  });
});
