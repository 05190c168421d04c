import { existsSync } from "node:fs";
import { env } from "node:process";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { afterAll, assertEquals, it } from "#testing";
import { onDispose } from "./disposal.ts";

const executablePath = env.CHROMIUM ?? "/usr/bin/chromium";
const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Names that are neither secure nor `localhost`, as in a network without TLS.
  "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/** A test that needs a browser. */
export const inBrowser: typeof it | typeof it.skip = existsSync(executablePath) ? it : it.skip;
if (inBrowser !== it) console.log("SKIPPED: no chromium (set CHROMIUM): pages were not tested");

/** A browser may be slow to start; the tests wait for what the page shows, never for time. */
export const unhurried = { timeout: 60_000 };

let browser: Promise<Browser> | undefined;

/** To be called once in every `describe` that opens windows: its tests share a browser. */
export function shareBrowser(): void {
  afterAll(async () => {
    await (await browser)?.close();
    browser = undefined;
  });
}

/** Opens windows that share nothing with those of other tests, until the test is over. */
export async function openContext(): Promise<BrowserContext> {
  browser ??= chromium.launch({ executablePath, args });
  const context = await (await browser).newContext();
  onDispose(() => context.close());
  return context;
}

/** What a browser says of requests when a server is away, which no script can prevent. */
const IS_AWAY = /^Failed to load resource: net::|^WebSocket connection to .* failed/;

/** Fails the test if a page of these windows throws, or prints an error. */
export function failOnPageErrors(context: BrowserContext): void {
  const errors: string[] = [];
  context.on("weberror", (error) => errors.push(String(error.error().stack)));
  context.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !IS_AWAY.test(text)) errors.push(text);
  });
  onDispose(() => assertEquals(errors, [], "errors in the page"));
}
