// A page whose tab is hidden: browsers wake its timers once a minute.
import { assert, assertEquals, describe, it } from "#testing";
import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";
import { disposeAfterEach } from "../kit/disposal.ts";
import { hasBrowser, openHiddenTab } from "../kit/hidden_tab.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

const inBrowser: typeof it | typeof it.skip = hasBrowser ? it : it.skip;
if (!hasBrowser) console.log("SKIPPED: no chromium (set CHROMIUM): a hidden tab was not tested");

const unhurried = { timeout: 60_000 };

/** How much faster time passes in the page, so that four minutes of it do not take as long. */
const SPEED = 15;

/** How long a session lasts, in milliseconds of the page. */
const LASTS = 240_000;

/** A page that signs in, and notes when each of its timers is woken. */
function pageFor(url: string): string {
  return `
    import { io } from "socket.io-client";
    import { authenticate } from "./src/client/client.ts";
    const socket = io(${JSON.stringify(url)}, { transports: ["websocket"] });
    const told = globalThis.told = [];
    authenticate(socket, () => ({ username: "ada", password: "right" }), {
      onAuthenticated: () => told.push("in"),
      onUnauthorized: ({ code }) => told.push(code),
    });`;
}

/** To be evaluated first. A chain of timers is throttled by the browser's clock, not by this one. */
const accelerate = `{
  const { now } = Date, { setTimeout } = globalThis, start = now();
  Date.now = () => start + (now() - start) * ${SPEED};
  globalThis.setTimeout = (callback, ms) => setTimeout(callback, ms / ${SPEED});
  globalThis.woken = 0;
  const tick = () => { woken++; setTimeout(tick, 500); };
  tick();
}`;

async function bundle(contents: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: fileURLToPath(new URL("../..", import.meta.url)) },
      bundle: true,
      format: "iife",
      write: false,
    });
    return outputFiles[0]!.text;
  } finally {
    await stop();
  }
}

for (const place of engineOnly) {
  describe(`a hidden tab (${place.name})`, () => {
    disposeAfterEach();

    inBrowser("refreshes its session in time, by the packets that come", unhurried, async () => {
      let signedIn = 0;
      let refreshed = 0;
      const world = await openWorld(place, {
        userId: ({ name }: { name: string }) => name,
        expiresAt: () => Date.now() + LASTS,
        observe: ({ type }) => {
          if (type === "authenticated") signedIn = Date.now();
          if (type === "refreshed") refreshed = Date.now();
          world?.log.push(type);
        },
      }, { server: { pingInterval: 25_000 / SPEED, pingTimeout: 600_000 } });
      const tab = await openHiddenTab();
      assertEquals(await tab.evaluate("document.visibilityState"), "hidden");
      await tab.evaluate(accelerate);
      await tab.evaluate(await bundle(pageFor(world.url)));
      await world.log.next("authenticated");
      await world.log.next("refreshed");
      assertEquals(await tab.evaluate('told.filter((it) => it !== "in")'), []);
      assert(refreshed - signedIn < LASTS / SPEED, `after ${refreshed - signedIn} ms`);
      // Otherwise it has shown nothing.
      const woken = await tab.evaluate("woken") as number;
      assert(woken < 15, `a timer of half a second was woken ${woken} times`);
    });
  });
}
