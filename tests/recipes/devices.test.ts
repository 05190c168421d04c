import { assertEquals, describe, it } from "#testing";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, codeOf, connect, open, refusalOf } from "./kit.ts";

/** The recipe with a table of sessions of its own, since tests empty it. */
let copies = 0;
async function openSite(): Promise<string> {
  const { start } = await import(`../../examples/recipes/devices.ts?${copies++}`);
  return await open(start(0));
}

async function signIn(url: string, secret: string): Promise<Client> {
  const client = await connect(url, { auth: { secret } });
  await client.next("authenticated");
  return client;
}

describe("the recipe of a user's devices", () => {
  disposeAfterEach();

  it("lists them", async () => {
    const client = await signIn(await openSite(), "secret 1");
    assertEquals(await ask(client, "devices"), [
      { id: "s1", device: "Ada's laptop", isThis: true },
      { id: "s2", device: "Ada's phone", isThis: false },
    ]);
  });

  it("signs one out, which cannot come back", async () => {
    const url = await openSite();
    const laptop = await signIn(url, "secret 1");
    const phone = await signIn(url, "secret 2");
    assertEquals(await ask(laptop, "sign out device", "s2"), 1);
    assertEquals(await codeOf(phone), "revoked");
    const again = await connect(url, { auth: { secret: "secret 2" } });
    assertEquals(refusalOf(again), "authentication_failed");
  });

  it("signs out no one else's", async () => {
    const url = await openSite();
    const grace = await signIn(url, "secret 3");
    assertEquals(await ask(await signIn(url, "secret 1"), "sign out device", "s3"), 0);
    assertEquals((await ask(grace, "devices") as unknown[]).length, 1);
  });

  it("signs out all others, and leaves each tab of this one", async () => {
    const url = await openSite();
    const tabs = [await signIn(url, "secret 1"), await signIn(url, "secret 1")];
    const phone = await signIn(url, "secret 2");
    assertEquals(await ask(tabs[0]!, "sign out others"), 1);
    assertEquals(await codeOf(phone), "revoked");
    for (const tab of tabs) assertEquals((await ask(tab, "devices") as unknown[]).length, 1);
  });
});
