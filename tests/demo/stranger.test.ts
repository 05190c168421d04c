import { assert, assertEquals, describe } from "#testing";
import { inBrowser, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { startHost } from "./chat.ts";
import { openDemo } from "./page.ts";

describe("the stranger in the demo", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("is deaf and mute", unhurried, async () => {
    const demo = await openDemo(await startHost());
    const other = await demo.openAnother();
    await demo.signIn();
    await other.signIn();
    await other.write("one");
    await demo.sees("one");
    await demo.hears("clock");
    assertEquals(await demo.received("stranger"), []);
    assert(await demo.part("stranger", "nothing").isVisible());

    // Sending more than is held for it ends in a refusal. That comes behind
    // whatever else may have been on the way: nothing can turn up late unseen.
    await demo.page.locator("#send-anyway").evaluate((button: HTMLElement) => {
      for (let sent = 0; sent <= 32; sent++) button.click();
    });
    assertEquals(
      await demo.refusal("too_many_events", "stranger"),
      "Too many events before authentication",
    );
    await demo.inState("closed", "stranger");
    assertEquals(await demo.received("stranger"), ["unauthorized"]);

    await other.write("two");
    await demo.sees("two");
    assertEquals(await demo.messages(), ["ada one", "ada two"]);

    await demo.page.click("#reconnect");
    await demo.inState("connected", "stranger");
  });

  inBrowser("is cut off when its time is up", unhurried, async () => {
    const demo = await openDemo(await startHost({ timeout: 5_000 }));
    assertEquals(await demo.refusal("timeout", "stranger"), "Authentication timeout");
    await demo.inState("closed", "stranger");
  });
});
