// A second copy of the package, as npm installs it where versions differ.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assertThrows, describe, it } from "#testing";
import { socketioAuth } from "../../mod.ts";
import { createServer } from "../kit/targets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "socketio-auth-copy-"));
for (const name of ["mod.ts", "src"]) {
  await cp(join(root, name), join(folder, name), { recursive: true });
}
const url: string = pathToFileURL(join(folder, "mod.ts")).href;
const second = await import(url) as { readonly socketioAuth: typeof socketioAuth };
await rm(folder, { recursive: true });

const options = { verify: () => true };

describe("a second copy of the package", () => {
  it("is refused on a server that another one guards, whatever of it", () => {
    for (
      const [first, other] of [[socketioAuth, second.socketioAuth], [
        second.socketioAuth,
        socketioAuth,
      ]] as const
    ) {
      const io = createServer();
      first(io.of("/x"), options);
      for (const target of [io, io.of("/x"), io.of("/y"), io.of(/^\/team-/)]) {
        assertThrows(() => other(target, options), Error, "another copy");
      }
      first(io, options);
    }
  });

  it("may guard a server of its own", () => {
    socketioAuth(createServer(), options);
    second.socketioAuth(createServer(), options);
  });
});
