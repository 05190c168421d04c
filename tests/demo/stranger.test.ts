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

  for (const [screen, width, height] of [["laptop", 1366, 657], ["phone", 390, 844]] as const) {
    inBrowser(`is seen beside the member without scrolling: ${screen}`, unhurried, async () => {
      const demo = await openDemo(await startHost());
      await demo.page.setViewportSize({ width, height });
      await demo.signIn();
      await demo.hears("clock", "", { times: 3 });
      const scrolled = await demo.page.evaluate(() => scrollY);
      assertEquals(scrolled, 0);
      const [ours, theirs] = await Promise.all(
        (["member", "stranger"] as const).map((pane) =>
          Promise.all([
            demo.part(pane, "count"),
            demo.part(pane, "state"),
            pane === "member"
              ? demo.part(pane, "log").locator("li").nth(2)
              : demo.part(pane, "nothing"),
          ].map(async (part) => (await part.boundingBox())!))
        ),
      );
      for (const { x, y, width: wide, height: high } of [...ours!, ...theirs!]) {
        assert(x >= 0 && y >= 0 && x + wide <= width && y + high <= height);
      }
      // Beside each other, not below.
      assert(Math.abs(ours![0]!.y - theirs![0]!.y) < 4 && theirs![0]!.x > ours![0]!.x);
      assertEquals(await demo.part("stranger", "count").textContent(), "0");
    });
  }

  inBrowser("is cut off when its time is up", unhurried, async () => {
    const demo = await openDemo(await startHost({ timeout: 5_000 }));
    assertEquals(await demo.refusal("timeout", "stranger"), "Authentication timeout");
    await demo.inState("closed", "stranger");
  });
});
