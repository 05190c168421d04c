import { assertEquals, describe, it } from "#testing";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { createApp } from "../../examples/passkeys/app.ts";
import { Accounts } from "../../examples/chat/accounts.ts";
import { inBrowser, openContext, shareBrowser } from "../kit/browser.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";

type Acknowledge = (answer: unknown) => void;

async function startApp(): Promise<string> {
  let origin = "";
  const { http, io } = await createApp(await Accounts.create({ ada: "right" }), () => origin);
  onDispose(() => io.close());
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return origin = `http://localhost:${(http.address() as AddressInfo).port}`;
}

/** A page of a browser with an authenticator in it that says yes to everything. */
async function openPage(url: string): Promise<Page> {
  const page = await (await openContext()).newPage();
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

describe("the example of passkeys", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("a password gets one, and next time it is enough", async () => {
    const url = await startApp();
    const page = await openPage(url);
    await page.fill("[name=username]", "ada");
    await page.fill("[name=password]", "right");
    await page.click("text=Sign in with a password");
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

  it("whatever else is answered is refused", async () => {
    const client = await connectClient(engineOnly[0]!, await startApp());
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
