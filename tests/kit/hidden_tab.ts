/**
 * A page in a tab that is hidden, whose timers Chromium wakes once a minute. Playwright keeps all its
 * pages visible, so this speaks the DevTools protocol itself.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import WebSocket from "ws";
import { onDispose } from "./disposal.ts";

const executablePath = env.CHROMIUM ?? "/usr/bin/chromium";

export const hasBrowser: boolean = existsSync(executablePath);

const args = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--remote-debugging-port=0",
  // Instead of five minutes.
  "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1",
];

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

/** A tab that is hidden behind another one. */
export interface HiddenTab {
  /** Evaluates an expression, and resolves with its value as JSON has it. */
  evaluate(expression: string): Promise<unknown>;
}

export async function openHiddenTab(): Promise<HiddenTab> {
  const folder = await mkdtemp(join(tmpdir(), "socketio-auth-"));
  const browser = spawn(executablePath, [...args, `--user-data-dir=${folder}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onDispose(async () => {
    const exit = once(browser, "exit");
    browser.kill();
    await exit;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const devTools = new WebSocket(await addressIn(browser.stderr));
  await once(devTools, "open");
  const waiting = new Map<number, (answer: Answer) => void>();
  devTools.on("message", (text) => {
    const answer: Answer = JSON.parse(String(text));
    waiting.get(answer.id!)?.(answer);
  });
  let commands = 0;
  // deno-lint-ignore no-explicit-any -- the protocol has hundreds of results
  async function send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++commands;
    const { result, error } = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      devTools.send(JSON.stringify({ id, method, params, ...sessionId && { sessionId } }));
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
  const { targetInfos } = await send("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }: { type: string }) => type === "page");
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  await send("Target.createTarget", { url: "about:blank" });
  return {
    async evaluate(expression) {
      const params = { expression, returnByValue: true, awaitPromise: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", params, sessionId);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
      return result.value;
    },
  };
}

async function addressIn(stderr: AsyncIterable<unknown>): Promise<string> {
  let output = "";
  for await (const chunk of stderr) {
    output += chunk;
    const [address] = /ws:\/\/\S+/.exec(output) ?? [];
    if (address) return address;
  }
  throw new Error(`Chromium did not start: ${output}`);
}
