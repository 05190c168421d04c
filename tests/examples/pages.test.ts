// The examples in React and in plain DOM, each in a page of a browser.
import { assert, assertEquals, describe } from "#testing";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { AuthError } from "../../mod.ts";
import { inBrowser, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import type { Traces } from "./pages/socket.ts";
import { Site } from "./site.ts";

const htmlOf = (example: string) =>
  readFileSync(new URL(`../../examples/${example}/index.html`, import.meta.url), "utf8");

const pages = { "react.tsx": htmlOf("react"), "dom.ts": htmlOf("dom") };

type Script = keyof typeof pages;

async function open(
  script: Script,
  options = {},
  transport?: "polling" | "websocket",
): Promise<{ site: Site; page: Page }> {
  const site = new Site(pages[script], script, options);
  await site.start();
  return { site, page: await site.open(transport) };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.fill("[name=username]", "ada");
  await page.fill("[name=password]", password);
  await page.click("button:text-is('Sign in')");
}

/** Waits until the page shows exactly what a pattern says as the state. */
async function shows(page: Page, pattern: string): Promise<void> {
  await page.getByRole("status").filter({ hasText: new RegExp(`^${pattern}$`) }).waitFor();
}

/** Calls a function that the page has put there for its test. */
function call<T>(page: Page, name: string): Promise<T> {
  return page.evaluate(`${name}()`);
}

const refusal = "stopped: Authentication failure";
/** A session that ends some day has a timer. */
const ends = { expiresAt: () => Date.now() + 3_600_000 };
const nothing: Traces = { connected: false, timers: 0, methods: [], listeners: 0 };

for (const script of Object.keys(pages) as Script[]) {
  const again = script === "dom.ts" ? () => {} : (page: Page) => page.click("text=Try again");

  describe(`the example of a page (${script})`, () => {
    shareBrowser();
    disposeAfterEach();

    inBrowser("shows why a sign-in is refused, and takes another", unhurried, async () => {
      const { site, page } = await open(script);
      await signIn(page, "wrong");
      await shows(page, refusal);
      await again(page);
      await signIn(page, "right");
      await shows(page, "authenticated");
      assertEquals(site.attempts, ["authentication_failed", "ok"]);
    });

    for (const transport of ["websocket", "polling"] as const) {
      inBrowser(`comes back when the server does, over ${transport}`, unhurried, async () => {
        const { site, page } = await open(script, {}, transport);
        await signIn(page, "right");
        await shows(page, "authenticated");
        await site.stop();
        // With the reason, once the page has tried.
        await shows(page, "connecting(: .*)?");
        await site.start();
        await shows(page, "authenticated");
      });
    }

    inBrowser("leaves nothing behind when the user signs out", unhurried, async () => {
      const { page } = await open(script, ends);
      await signIn(page, "right");
      await shows(page, "authenticated");
      await page.click("button:text-is('Sign out')");
      assertEquals(await call(page, "traces"), nothing);
      await signIn(page, "right");
      await shows(page, "authenticated");
    });
  });
}

describe("the example of a page in React", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("signs in once although StrictMode mounts it twice", unhurried, async () => {
    const { site, page } = await open("react.tsx");
    assertEquals(await call(page, "mounts"), 2);
    await signIn(page, "right");
    await shows(page, "authenticated");
    await page.fill("[name=text]", "hello");
    await page.click("text=Send");
    await page.locator("li").waitFor();
    assertEquals(await page.locator("li").allTextContents(), ["ada: hello"]);
    assertEquals(site.attempts, ["ok"]);
  });

  inBrowser("signs in a socket that is connected already", unhurried, async () => {
    const { site, page } = await open("react.tsx", { timeout: 30_000 });
    await call(page, "connect");
    await signIn(page, "right");
    await shows(page, "authenticated");
    assertEquals(site.attempts, ["ok"]);
  });

  inBrowser("stops when it is unmounted, and leaves the socket alone", unhurried, async () => {
    const { page } = await open("react.tsx", ends);
    await signIn(page, "right");
    await shows(page, "authenticated");
    await call(page, "unmount");
    const { timers, ...others } = await call<Traces>(page, "traces");
    assertEquals(others, { connected: true, methods: [], listeners: 0 });
    // One of them is the connection's, which waits for the server's pings.
    assertEquals(timers, 1);
    await call(page, "disconnect");
    assertEquals(await call(page, "traces"), nothing);
  });
});

describe("the example of a page in plain DOM", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("counts down to when it tries again", unhurried, async () => {
    let isBusy = true;
    const { page } = await open("dom.ts", {
      verify(_socket: unknown, { username }: { username: string }) {
        if (!isBusy) return { name: username };
        isBusy = false;
        throw new AuthError("Come back later", { retryAfter: 2_000 });
      },
    });
    await signIn(page, "right");
    await shows(page, "authenticated");
    const shown = await call<string[]>(page, "shown");
    const waiting = shown.filter((text) => text.startsWith("waiting: Come back later (again in "));
    const seconds = waiting.map((text) => Number(/(\d+) s\)$/.exec(text)![1]));
    assert(seconds[0]! >= 2 && seconds[0]! > seconds.at(-1)!, `${seconds}`);
  });

  inBrowser("counts nothing down when it does not try again", unhurried, async () => {
    const { page } = await open("dom.ts");
    await signIn(page, "right");
    await shows(page, "authenticated");
    await call(page, "disconnect");
    await shows(page, "waiting: disconnected: io client disconnect");
  });
});
