import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { io } from "socket.io-client";
import { io as oldest } from "socket.io-client-oldest";

export type Connect = typeof io;

/** The script that pages load, which is a module, though its name does not say so. */
async function loadMinified(): Promise<Connect> {
  const script = "../../node_modules/socket.io-client/dist/socket.io.esm.min.js";
  const folder = mkdtempSync(join(tmpdir(), "socketio-auth-"));
  try {
    const path = join(folder, "client.mjs");
    writeFileSync(path, readFileSync(new URL(script, import.meta.url)));
    return (await import(pathToFileURL(path).href)).io;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** socket.io-client as it may come: the current one, the oldest that is supported, minified. */
export const clients: Record<string, Connect> = {
  "4.8": io,
  "4.6": oldest as unknown as Connect,
  "4.8, minified": await loadMinified(),
};
