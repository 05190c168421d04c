import type { BrowserContext, Locator, Page } from "playwright-core";
import { failOnPageErrors, openContext } from "../kit/browser.ts";

type Pane = "member" | "stranger";

/** A window with the demo in it. */
export class Demo {
  readonly page: Page;
  /** What the page has sent over WebSocket. */
  readonly sent: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(50_000);
    page.on("websocket", (webSocket) => {
      webSocket.on("framesent", ({ payload }) => this.sent.push(String(payload)));
    });
  }

  /** Loses the connection; returns a function that lets the client connect again. */
  async loseConnection(): Promise<() => Promise<void>> {
    const path = "**/socket.io/**";
    await this.page.route(path, (route) => route.abort());
    await this.page.click("#lose");
    await this.inState("connecting");
    return () => this.page.unroute(path);
  }

  part(pane: Pane, name: string): Locator {
    return this.page.locator(`#${pane} [data-part="${name}"]`);
  }

  /** Waits until a client of the page is in a state. */
  async inState(state: string, pane: Pane = "member"): Promise<void> {
    await this.page.locator(`#${pane}[data-state="${state}"]`).waitFor();
  }

  /** How good the page says that a state is. */
  tone(pane: Pane = "member"): Promise<string | null> {
    return this.page.locator(`#${pane}`).getAttribute("data-tone");
  }

  /** Fills in the form as far as it can be. */
  async submit(username: string, password: string): Promise<void> {
    if (await this.page.isEditable("#username")) await this.page.fill("#username", username);
    await this.page.fill("#password", password);
    await this.page.click("#submit");
  }

  async signIn(username = "ada", password = "lovelace"): Promise<void> {
    await this.submit(username, password);
    await this.inState("authenticated");
  }

  async write(text: string): Promise<void> {
    await this.page.fill("#text", text);
    await this.page.click("#composer button");
  }

  /** Waits until there is a message, or a message that waits. */
  async sees(text: string, list: "messages" | "outbox" = "messages"): Promise<void> {
    await this.page.locator(`#${list} p`, { hasText: text }).waitFor();
  }

  messages(list: "messages" | "outbox" = "messages"): Promise<string[]> {
    return this.page.locator(`#${list} p`).allTextContents();
  }

  /** Waits until a client has received an event, or so many, that contain a text. */
  async hears(
    event: string,
    text = "",
    { times = 1, pane }: { times?: number; pane?: Pane } = {},
  ): Promise<void> {
    const rows = this.part(pane ?? "member", "log").locator("li").filter({
      has: this.page.locator(`b:text-is("${event}")`),
      hasText: text,
    });
    await rows.nth(times - 1).waitFor();
  }

  /** Names of the events a client has received, newest first. */
  received(pane: Pane = "member"): Promise<string[]> {
    return this.part(pane, "log").locator("b").allTextContents();
  }

  /** What the page shows of a refusal with this code, as soon as it does. */
  async refusal(code: string, pane: Pane = "member"): Promise<string | null> {
    await this.part(pane, "code").getByText(code, { exact: true }).waitFor();
    return await this.part(pane, "reason").textContent();
  }

  /** The demo in one more window. */
  async openAnother(): Promise<Demo> {
    return await open(this.page.context(), this.page.url());
  }
}

async function open(context: BrowserContext, url: string): Promise<Demo> {
  const demo = new Demo(await context.newPage());
  await demo.page.goto(url);
  await demo.inState("connected");
  await demo.inState("connected", "stranger");
  return demo;
}

export async function openDemo({ url }: { url: string }): Promise<Demo> {
  const context = await openContext();
  failOnPageErrors(context);
  return await open(context, url);
}
