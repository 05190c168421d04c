// Starts each example as examples/README.md says, on each runtime.
import { assert, assertEquals, describe, it } from "#testing";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { env, kill } from "node:process";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import {
  failOnPageErrors,
  inBrowser,
  openContext,
  shareBrowser,
  unhurried,
} from "../kit/browser.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const names = Object.keys(scripts).filter((name) => /^(?:demo|example:.*)$/.test(name));

/** How a script is started, and what the runtime calls itself. */
const RUNTIMES = {
  node: { command: ["npm", "run"], agent: "Node.js/" },
  deno: { command: ["deno", "task"], agent: "Deno/" },
  bun: { command: ["bun", "run"], agent: "Bun/" },
};

/** An example that runs, in a terminal of its own. */
class Example {
  readonly #child: ChildProcess;
  #output = "";
  #onOutput = () => {};

  constructor([command = "", ...args]: string[], name: string) {
    const PATH = [join(ROOT, "node_modules", ".bin"), env.PATH].join(delimiter);
    // A group of its own, because a runner of scripts leaves its child behind.
    this.#child = spawn(command, [...args, name], {
      cwd: ROOT,
      env: { ...env, PATH, PORT: "0" },
      detached: true,
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (data) => {
        this.#output += data;
        this.#onOutput();
      });
    }
    this.#child.on("close", () => {
      this.#output += "(it has ended)";
      this.#onOutput();
    });
    onDispose(() => this.#end());
  }

  type(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Waits until something is printed; returns what the parentheses in the pattern stand for. */
  async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found) return found[1] ?? "";
      assert(!this.#output.endsWith("(it has ended)"), this.#output);
      await new Promise<void>((resolve) => this.#onOutput = resolve);
    }
  }

  async #end(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.exitCode !== null) return;
    kill(-this.#child.pid!, "SIGKILL");
    await closed;
  }
}

const address = /(http:\/\/localhost:\d+)/;

async function openPage(url: string): Promise<Page> {
  const context = await openContext();
  failOnPageErrors(context);
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

async function fillIn(page: Page): Promise<void> {
  await page.fill("[name=username]", "ada");
  await page.fill("[name=password]", "lovelace");
}

/** What one does in each page, and then sees there. */
const pages: Record<string, [button: string, status: string]> = {
  "demo": ["Sign in", "Signed in"],
  "example:dom": ["Sign in", "authenticated"],
  "example:react": ["Sign in", "authenticated"],
  "example:passkeys": ["Sign in with a password", "signed in"],
};

describe("each example", () => {
  disposeAfterEach();

  it("is listed", () => {
    const readme = readFileSync(join(ROOT, "examples/README.md"), "utf8");
    const listed = [...readme.matchAll(/^\| `npm run (\S+)`/gm)].map(([, name]) => name!);
    assertEquals(listed.sort(), [...names].sort());
  });

  for (const [runtime, { command, agent }] of Object.entries(RUNTIMES)) {
    for (const name of [...Object.keys(pages), "example:observability"]) {
      it(`starts on the runtime that is asked for: ${name}, ${runtime}`, unhurried, async () => {
        const example = new Example(command, name);
        const url = await example.prints(address);
        assert((await example.prints(/\((.*)\)/)).startsWith(agent));
        const path = name === "example:observability" ? "/metrics" : "/";
        assertEquals((await fetch(url + path)).status, 200);
      });
    }

    it(`of a second factor asks for a code, and takes it once: ${runtime}`, unhurried, async () => {
      const example = new Example(command, "example:second-factor");
      await example.prints(/Name: /);
      example.type("grace");
      example.type("hopper");
      const code = await example.prints(/now (\d{6})/);
      example.type(code);
      await example.prints(/Signed in as grace/);
      example.type("grace");
      example.type("hopper");
      await example.prints(/now [^]*now \d{6}/);
      example.type(code);
      await example.prints(/Refused: Wrong code/);
    });

    it(`of plain WebSockets has one client hear the other: ${runtime}`, unhurried, async () => {
      const example = new Example(command, "example:websocket");
      await example.prints(/eve hears connect/);
      example.type("hello");
      example.type("/in");
      await example.prints(/ada hears said "ada" "hello"/);
    });
  }
});

describe("an example of a page", () => {
  shareBrowser();
  disposeAfterEach();

  for (const [name, [button, status]] of Object.entries(pages)) {
    inBrowser(`signs in as it says, without an error: ${name}`, unhurried, async () => {
      const url = await new Example(RUNTIMES.node.command, name).prints(address);
      const page = await openPage(url);
      await fillIn(page);
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("status").filter({ hasText: new RegExp(`^${status}$`) }).waitFor();
    });
  }
});

describe("the example of observability", () => {
  disposeAfterEach();

  it("logs and counts visitors of each kind", unhurried, async () => {
    const example = new Example(RUNTIMES.node.command, "example:observability");
    const url = await example.prints(address);
    await example.prints(/"authenticated","userId":"ada"/);
    await example.prints(/"unauthorized","code":"authentication_failed"/);
    await example.prints(/"unauthorized","code":"timeout"/);
    const counted = await (await fetch(`${url}/metrics`)).text();
    assert(counted.includes('events_total{type="unauthorized",code="timeout"}'));
    const exported = await (await fetch(`${url}/opentelemetry`)).text();
    assert(exported.includes("socketio_auth.attempt.duration"));
  });
});
