import { assertEquals, describe, it } from "#testing";
import { type EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import type { Server } from "socket.io";
import { createApp } from "../../examples/passkeys/app.ts";
import { Accounts } from "../../examples/chat/accounts.ts";
import { failOnPageErrors, inBrowser, openContext, shareBrowser } from "../kit/browser.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";

type Acknowledge = (answer: unknown) => void;

async function startApp(): Promise<{ url: string; io: Server }> {
  let origin = "";
  const { http, io } = await createApp(await Accounts.create({ ada: "right" }), () => origin);
  onDispose(() => io.close());
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  origin = `http://localhost:${(http.address() as AddressInfo).port}`;
  return { url: origin, io };
}

/** A page of a browser with an authenticator in it that says yes to everything. */
async function openPage(url: string): Promise<Page> {
  const context = await openContext();
  failOnPageErrors(context);
  const page = await context.newPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  });
  await page.goto(url);
  return page;
}

const says = (page: Page, text: string) =>
  page.getByRole("status").filter({ hasText: text }).waitFor();

async function signIn(page: Page, password: string): Promise<void> {
  await page.fill("[name=username]", "ada");
  await page.fill("[name=password]", password);
  await page.click("text=Sign in with a password");
}

describe("the example of passkeys", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("a password gets one, and next time it is enough", async () => {
    const { url } = await startApp();
    const page = await openPage(url);
    await signIn(page, "right");
    await says(page, "signed in");
    await page.click("#register");
    await says(page, "registered");

    await page.reload();
    await page.click("#passkey");
    await says(page, "signed in");

    // What was signed for one attempt is good for no other.
    const assertion = await page.evaluate(async () => {
      const challenge = crypto.getRandomValues(new Uint8Array(32));
      const publicKey = { challenge, rpId: "localhost", userVerification: "required" } as const;
      // deno-lint-ignore no-explicit-any -- a page of a browser that has it
      return (await navigator.credentials.get({ publicKey }) as any).toJSON();
    });
    const thief = await connectClient(engineOnly[0]!, url);
    thief.emit("authentication", { passkey: true });
    const [, acknowledge] = await thief.next("challenge") as [unknown, Acknowledge];
    acknowledge(assertion);
    const [refusal] = await thief.next("unauthorized") as [{ code: string }];
    assertEquals(refusal.code, "authentication_failed");
  });

  inBrowser("no deadline runs while a user types, not even after a mistake", async () => {
    const { url, io } = await startApp();
    const disconnected = new Promise((resolve) => {
      io.engine.on("connection", (socket: EventEmitter) => socket.once("close", resolve));
    });
    const page = await openPage(url);
    assertEquals(io.engine.clientsCount, 0);
    await signIn(page, "wrong");
    await says(page, "Authentication failure");
    await disconnected;
    assertEquals(io.engine.clientsCount, 0);
    await signIn(page, "right");
    await says(page, "signed in");
  });

  it("an event without an acknowledgement ends nothing", async () => {
    const { url } = await startApp();
    const client = await connectClient(engineOnly[0]!, url);
    await client.signIn({ username: "ada", password: "right" });
    client.emit("register");
    client.emit("register", "not a function");
    const done = client.socket.emitWithAck("register");
    const [, acknowledge] = await client.next("register") as [unknown, Acknowledge];
    acknowledge("no passkey");
    assertEquals(await done, false);
  });

  it("whatever else is answered is refused", async () => {
    const client = await connectClient(engineOnly[0]!, (await startApp()).url);
    for (const answer of [undefined, null, {}, { id: "unknown" }]) {
      client.emit("authentication", { passkey: true });
      const [question, acknowledge] = await client.next("challenge") as [
        { type: string },
        Acknowledge,
      ];
      assertEquals(question.type, "passkey");
      acknowledge(answer);
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "authentication_failed");
    }
  });
});
