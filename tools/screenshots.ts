/**
 * Takes pictures of the demo: `node --import ./tools/from-source.ts tools/screenshots.ts` takes
 * those in `docs/`; with a folder as its argument, one of each state there, on a desktop and on a
 * phone, light and dark. (`CHROMIUM` names another browser.)
 */
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Chat, type ChatOptions, createChat } from "../examples/chat/app.ts";

const DOCS = fileURLToPath(new URL("../docs", import.meta.url));

/** A screen, with the name that it has in those of files. */
const SCREENS = {
  desktop: { viewport: { width: 1366, height: 657 } },
  readme: { viewport: { width: 1140, height: 660 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true },
} as const;

type Screen = keyof typeof SCREENS;
type Scheme = "light" | "dark";

/** The demo in a window, with its server. */
class Stage {
  readonly page: Page;
  readonly #options: ChatOptions;
  #chat: Chat | undefined;
  #port = 0;

  constructor(page: Page, options: ChatOptions) {
    this.page = page;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#chat = await createChat(this.#options);
    this.#chat.http.listen(this.#port, "127.0.0.1");
    await once(this.#chat.http, "listening");
    this.#port = (this.#chat.http.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#chat?.io.engine.close();
    await this.#chat?.io.close();
    this.#chat = undefined;
  }

  async open(page: Page = this.page): Promise<void> {
    await page.goto(`http://127.0.0.1:${this.#port}`);
    await inState(page, "connected");
    await inState(page, "connected", "stranger");
  }

  async submit(username: string, password: string, page: Page = this.page): Promise<void> {
    if (await page.isEditable("#username")) await page.fill("#username", username);
    await page.fill("#password", password);
    await page.click("#submit");
  }

  async signIn(page: Page = this.page): Promise<void> {
    await this.submit("ada", "lovelace", page);
    await inState(page, "authenticated");
  }

  async say(text: string, page: Page = this.page): Promise<void> {
    await page.fill("#text", text);
    await page.click("#composer button");
  }

  async inState(state: string, pane?: string): Promise<void> {
    await inState(this.page, state, pane);
  }

  /** Waits until a client has received something, or so much of it. */
  async hears(event: string, times = 1, pane = "member"): Promise<void> {
    await this.page.locator(`#${pane} .log b:text-is("${event}")`).nth(times - 1).waitFor();
  }

  async refused(code: string, pane = "member"): Promise<void> {
    await this.page.locator(`#${pane} [data-part=code]`).getByText(code, { exact: true }).waitFor();
  }
}

async function inState(page: Page, state: string, pane = "member"): Promise<void> {
  await page.locator(`#${pane}[data-state="${state}"]`).waitFor();
}

interface State {
  readonly options?: ChatOptions;
  /** Brings the demo there, after the page was opened. */
  play(stage: Stage): Promise<unknown>;
}

const STATES: Record<string, State> = {
  "connected": { play: (stage) => stage.page.waitForTimeout(1_000) },
  "signed-in": {
    async play(stage) {
      await stage.signIn();
      const other = await stage.page.context().newPage();
      await stage.open(other);
      await stage.submit("ada", "lovelace", other);
      await inState(other, "authenticated");
      await stage.say("Good morning!");
      await stage.say("Is the stranger listening?", other);
      await stage.hears("chat");
      await stage.hears("clock", 2);
      await stage.page.click("#send-anyway");
    },
  },
  "wrong-password": {
    async play(stage) {
      await stage.submit("ada", "byron");
      await stage.refused("authentication_failed");
    },
  },
  "one-time-code": {
    async play(stage) {
      await stage.submit("grace", "hopper");
      await stage.inState("challenged");
      await stage.page.locator("#authenticator", { hasText: /^\d{6}$/ }).waitFor();
    },
  },
  "wrong-code": {
    async play(stage) {
      await stage.submit("grace", "hopper");
      await stage.inState("challenged");
      await stage.page.fill("#code", "123");
      await stage.page.click("#challenge .primary");
      await stage.refused("wrong_code");
    },
  },
  "throttled": {
    options: { guesses: 1 },
    async play(stage) {
      await stage.submit("ada", "byron");
      await stage.refused("authentication_failed");
      await stage.submit("ada", "lovelace");
      await stage.refused("too_many_attempts");
      await stage.inState("waiting");
    },
  },
  "signed-out": {
    async play(stage) {
      await stage.signIn();
      await stage.hears("clock");
      await stage.page.click("#sign-out");
      await stage.inState("stopped");
    },
  },
  "too-late": {
    options: { timeout: 2_000 },
    async play(stage) {
      await stage.refused("timeout");
      await stage.refused("timeout", "stranger");
    },
  },
  "signed-out-elsewhere": {
    async play(stage) {
      await stage.signIn();
      const other = await stage.page.context().newPage();
      await stage.open(other);
      await stage.signIn(other);
      await other.click("#elsewhere");
      await stage.refused("revoked");
    },
  },
  "no-refresh": {
    options: { session: 7_000 },
    async play(stage) {
      await stage.signIn();
      await stage.page.uncheck("#refresh");
      await stage.refused("credentials_failed");
    },
  },
  "lost": {
    async play(stage) {
      await stage.signIn();
      await stage.hears("clock");
      await stage.page.click("#lose");
      await stage.inState("connecting");
      await stage.say("Does this arrive?");
      await stage.page.waitForTimeout(600);
    },
  },
  "server-away": {
    async play(stage) {
      await stage.signIn();
      await stage.hears("clock");
      await stage.stop();
      await stage.say("Does this arrive?");
      for (const pane of ["member", "stranger"]) {
        await stage.page.locator(`#${pane} .state`, { hasText: "away" }).waitFor();
      }
    },
  },
  "server-away-signed-out": {
    async play(stage) {
      await stage.stop();
      await stage.page.locator("#member .state", { hasText: "away" }).waitFor();
      await stage.page.locator("#stranger .state", { hasText: "away" }).waitFor();
    },
  },
  "server-back": {
    async play(stage) {
      await stage.signIn();
      await stage.stop();
      await stage.say("Does this arrive?");
      await stage.start();
      await stage.refused("token_unknown");
      await stage.page.locator("#sign-in").waitFor();
    },
  },
  "too-many-events": {
    async play(stage) {
      await stage.signIn();
      await stage.hears("clock");
      for (let times = 0; times <= 32; times++) await stage.page.click("#send-anyway");
      await stage.refused("too_many_events", "stranger");
    },
  },
};

async function take(
  browser: Browser,
  name: string,
  screen: Screen,
  scheme: Scheme,
  file: string,
): Promise<void> {
  const context = await browser.newContext({ ...SCREENS[screen], colorScheme: scheme });
  const { options = {}, play } = STATES[name]!;
  const stage = new Stage(await context.newPage(), options);
  try {
    await stage.start();
    await stage.open();
    await play(stage);
    await stage.page.evaluate(() => {
      scrollTo(0, 0);
      document.getAnimations().forEach((animation) => animation.finish());
    });
    // As WebP, which takes a third of a PNG.
    const devtools = await context.newCDPSession(stage.page);
    const { data } = await devtools.send("Page.captureScreenshot", {
      format: "webp",
      quality: 85,
    });
    await writeFile(file, data, "base64");
    console.log(file);
  } finally {
    await context.close();
    await stage.stop();
  }
}

const [folder, ...wanted] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
for (const scheme of ["light", "dark"] as const) {
  if (!folder) {
    await take(browser, "signed-in", "readme", scheme, join(DOCS, `demo-${scheme}.webp`));
  }
}
if (folder) {
  await mkdir(folder, { recursive: true });
  const names = Object.keys(STATES).filter((name) => !wanted.length || wanted.includes(name));
  for (const name of names) {
    for (const screen of ["desktop", "phone"] as const) {
      for (const scheme of ["light", "dark"] as const) {
        await take(browser, name, screen, scheme, join(folder, `${name}-${screen}-${scheme}.webp`));
      }
    }
  }
}
await browser.close();
process.exit();
