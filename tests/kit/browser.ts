import { existsSync } from "node:fs";
import { env } from "node:process";
import { type Browser, chromium } from "playwright-core";

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
];

/** Whether there is a browser to test pages in. */
export function browserIsThere(): boolean {
  return existsSync(executablePath);
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args });
}
