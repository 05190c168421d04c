import { afterEach, assert, assertEquals, assertMatch, describe, it } from "#testing";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Locator, Page } from "playwright-core";
import { createChat } from "../examples/chat/app.ts";
import { browserIsThere, launchBrowser } from "./kit/browser.ts";

/** A browser may be slow to start; the tests wait for events, never for time. */
const unhurried = { timeout: 60_000 };

const inBrowser = browserIsThere() ? it : it.skip;
if (inBrowser !== it) {
  console.log("SKIPPED: no chromium (set CHROMIUM): the demo page was not tested");
}

const cleanups: (() => Promise<unknown>)[] = [];

async function startChat(): Promise<string> {
  const { http, io } = await createChat({ tick: 100 });
  cleanups.unshift(() => io.close());
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

async function openPage(): Promise<Page> {
  const url = await startChat();
  const browser = await launchBrowser();
  cleanups.unshift(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  await inState(page, "member", "waiting");
  await inState(page, "stranger", "waiting");
  return page;
}

function part(page: Page, pane: "member" | "stranger", name: string): Locator {
  return page.locator(`#${pane} [data-part="${name}"]`);
}

/** Waits until a client of the page is in a state. */
async function inState(page: Page, pane: "member" | "stranger", state: string): Promise<void> {
  await page.locator(`#${pane}[data-state="${state}"]`).waitFor();
}

async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await page.click("#submit");
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.click("#composer button");
  await page.locator("#messages p", { hasText: text }).waitFor();
}

/** Names of the events a client has received, newest first. */
function received(page: Page, pane: "member" | "stranger"): Promise<string[]> {
  return part(page, pane, "log").locator("b").allTextContents();
}

/** What the page shows of a refusal, as soon as it does. */
async function refusal(page: Page, pane: "member" | "stranger"): Promise<(string | null)[]> {
  await inState(page, pane, "offline");
  await part(page, pane, "refusal").waitFor();
  return [
    await part(page, pane, "reason").textContent(),
    await part(page, pane, "code").textContent(),
  ];
}

describe("demo", () => {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  it("serves three files and nothing else", async () => {
    const url = await startChat();
    for (const path of ["/", "/chat.js", "/chat.css"]) {
      const response = await fetch(url + path);
      assertEquals(response.status, 200);
      assertMatch(response.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
      await response.text();
    }
    for (const path of ["/app.ts", "/%2e%2e/app.ts", "/..%2fapp.ts", "//app.ts"]) {
      const response = await fetch(url + path);
      assertEquals(response.status, 404);
      await response.text();
    }
  });

  inBrowser("signs in with the right password", unhurried, async () => {
    const page = await openPage();
    await signIn(page, "ada", "lovelace");
    await inState(page, "member", "authenticated");

    assertEquals(await page.textContent("#name"), "ada");
    assertEquals((await received(page, "member")).at(-1), "authenticated");

    await say(page, "<b>Hello</b>");
    assertEquals(await page.locator("#messages p").allTextContents(), ["ada <b>Hello</b>"]);
  });

  inBrowser("signs out by connecting anew", unhurried, async () => {
    const page = await openPage();
    await signIn(page, "ada", "lovelace");
    await inState(page, "member", "authenticated");
    await page.click("#sign-out");
    await inState(page, "member", "waiting");

    await signIn(page, "grace", "hopper");
    await inState(page, "member", "authenticated");
    assertEquals(await page.textContent("#name"), "grace");
  });

  inBrowser("shows why a sign-in was refused, and lets the user try again", unhurried, async () => {
    const page = await openPage();
    await signIn(page, "ada", "byron");
    assertEquals(await refusal(page, "member"), [
      "Authentication failure",
      "authentication_failed",
    ]);

    await signIn(page, "ada", "lovelace");
    await inState(page, "member", "authenticated");
    assertEquals(await part(page, "member", "refusal").isVisible(), false);
  });

  inBrowser("does not tell an unknown user from a wrong password", unhurried, async () => {
    const page = await openPage();
    await signIn(page, "charles", "lovelace");
    assertEquals(await refusal(page, "member"), [
      "Authentication failure",
      "authentication_failed",
    ]);
  });

  inBrowser("keeps the one who does not sign in deaf and mute", unhurried, async () => {
    const page = await openPage();
    await signIn(page, "grace", "hopper");
    await say(page, "one");
    await part(page, "member", "log").locator("li", { hasText: "clock" }).first().waitFor();
    assertEquals(await received(page, "stranger"), []);
    assert(await part(page, "stranger", "nothing").isVisible());

    // Sending more than is held for it ends in a refusal. That comes behind
    // whatever else may have been on the way: nothing can turn up late unseen.
    await page.locator("#send-anyway").evaluate((button: HTMLElement) => {
      for (let sent = 0; sent <= 32; sent++) button.click();
    });
    assertEquals(await refusal(page, "stranger"), [
      "Too many events before authentication",
      "too_many_events",
    ]);
    assertEquals(await received(page, "stranger"), ["unauthorized"]);

    await say(page, "two");
    assertEquals(await page.locator("#messages p").allTextContents(), ["grace one", "grace two"]);

    await page.click("#reconnect");
    await inState(page, "stranger", "waiting");
  });
});
