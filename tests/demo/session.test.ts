import { assert, assertEquals, assertMatch, describe } from "#testing";
import { inBrowser, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { startHost } from "./chat.ts";
import { type Demo, openDemo } from "./page.ts";

/** Waits until the clock shows more than it has shown before. */
function clockJumpsBack(demo: Demo): Promise<void> {
  return demo.part("member", "clock").evaluate((clock) => {
    const read = () => Number.parseInt(/\d+/.exec(clock.textContent ?? "")?.[0] ?? "");
    return new Promise((resolve) => {
      let before = read();
      new MutationObserver(() => {
        const now = read();
        if (now > before) resolve();
        before = now;
      }).observe(clock, { childList: true, characterData: true, subtree: true });
    });
  });
}

describe("a session in the demo", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("is refreshed by itself, with a token instead of the password", unhurried, async () => {
    const demo = await openDemo(await startHost({ session: 10_000 }));
    await demo.signIn();
    const { length } = demo.sent;
    const refreshed = demo.page.getByTestId("refreshes").getByText(/^refreshed [1-9]/);
    assertEquals(await refreshed.count(), 0);

    await clockJumpsBack(demo);
    await refreshed.waitFor();
    assert(!(await demo.received()).includes("unauthorized"));
    assertEquals(await demo.page.inputValue("#password"), "");
    const [presented] = demo.sent.slice(length).filter((data) => data.includes("authentication"));
    assertMatch(presented ?? "", /^42\d+\["authentication",\{"token":"[\w-]{22}"\}\]$/);
  });

  inBrowser("expires when it is not refreshed; the client signs in anew", unhurried, async () => {
    const demo = await openDemo(await startHost({ session: 2_000 }));
    await demo.signIn();
    await demo.page.uncheck("#refresh");
    await demo.hears("unauthorized", "expired");
    await demo.inState("authenticated");
    assertEquals(await demo.page.textContent("#name"), "ada");
  });

  inBrowser("ends when it is signed out from another window, and says so", unhurried, async () => {
    const demo = await openDemo(await startHost());
    const other = await demo.openAnother();
    await demo.signIn();
    await other.signIn();
    await other.write("one");
    await demo.sees("one");

    await demo.page.click("#elsewhere");
    assertEquals(await other.refusal("revoked"), "Session revoked");
    await other.inState("stopped");
    assertEquals(
      await other.part("member", "advice").textContent(),
      "Signed out from another window.",
    );
    assert(await other.page.isVisible("#sign-in"));
    assertEquals(await other.messages(), []);

    await demo.page.getByText("Signed out elsewhere: 1").waitFor();
    await demo.inState("authenticated");
    await other.signIn();
    await other.write("two");
    await demo.sees("two");
  });
});
