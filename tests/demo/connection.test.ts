import { assert, assertEquals, describe } from "#testing";
import { inBrowser, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { startHost } from "./chat.ts";
import { openDemo } from "./page.ts";

/** What is said behind something else has arrived when that has, and so has what came before. */
const LAST = "That is all";

describe("a connection in the demo", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("that is lost is recovered, with what was missed", unhurried, async () => {
    const demo = await openDemo(await startHost());
    const other = await demo.openAnother();
    await demo.signIn();
    await other.signIn();
    // There has to be something before, to go on from.
    await demo.hears("clock");

    const connect = await demo.loseConnection();
    await other.write("missed");
    await other.sees("missed");
    await demo.write("one");
    await demo.write("two");
    assertEquals(await demo.messages("outbox"), ["ada one waiting", "ada two waiting"]);

    await connect();
    await demo.inState("authenticated");
    await demo.write(LAST);
    await demo.sees(LAST);
    await other.sees(LAST);
    await demo.page.getByText("what was missed follows").waitFor();
    const ours = ["ada one", "ada two", `ada ${LAST}`];
    assertEquals(await demo.messages(), ["ada missed", ...ours]);
    assertEquals(await demo.messages("outbox"), []);
    assertEquals(await other.messages(), ["ada missed", ...ours]);
  });

  inBrowser("comes back after a restart, and asks for the password", unhurried, async () => {
    const host = await startHost();
    const demo = await openDemo(host);
    await demo.signIn();

    await host.stop();
    await demo.inState("connecting");
    await demo.write("one");
    await demo.write("two");
    await host.start();
    const other = await openDemo(host);
    await other.signIn();

    assertEquals(await demo.refusal("token_unknown"), "Your password, please");
    await demo.page.locator("#sign-in").waitFor();
    await demo.write("three");
    const waiting = ["ada one waiting", "ada two waiting", "ada three waiting"];
    assertEquals(await demo.messages("outbox"), waiting);
    assertEquals(await other.messages(), []);

    // Mistyping it loses nothing.
    await demo.submit("ada", "byron");
    await demo.refusal("authentication_failed");
    assertEquals(await demo.messages("outbox"), waiting);

    await demo.signIn();
    await demo.write(LAST);
    await demo.sees(LAST);
    await other.sees(LAST);
    const all = ["ada one", "ada two", "ada three", `ada ${LAST}`];
    assertEquals(await other.messages(), all);
    assertEquals(await demo.messages(), all);
    assertEquals(await demo.messages("outbox"), []);
  });

  inBrowser("says so when the server is away, and when it is back", unhurried, async () => {
    const host = await startHost();
    const demo = await openDemo(host);
    await demo.signIn();
    await host.stop();
    for (const pane of ["member", "stranger"] as const) {
      await demo.part(pane, "state").getByText("Server away, trying again").waitFor();
      assertEquals(await demo.tone(pane), "alarm");
    }
    await host.start();
    await demo.inState("connected", "stranger");
    assertEquals(await demo.tone("stranger"), "");
  });

  inBrowser("that is lost can be signed out of", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.signIn();
    const connect = await demo.loseConnection();
    await demo.page.click("#sign-out");
    await connect();
    await demo.inState("connected");
    assert(await demo.page.isVisible("#sign-in"));
    assertEquals(await demo.tone(), "");
  });

  inBrowser("that is away can be given up, and nothing waits any more", unhurried, async () => {
    const host = await startHost();
    const demo = await openDemo(host);
    await demo.signIn();
    await host.stop();
    await demo.inState("connecting");
    await demo.write("mine");
    await demo.sees("mine", "outbox");
    await demo.page.click("#sign-out");
    assert(await demo.page.isHidden("#chat"));

    await host.start();
    await demo.inState("connected");
    await demo.signIn();
    await demo.write(LAST);
    await demo.sees(LAST);
    assertEquals(await demo.messages(), [`ada ${LAST}`]);
  });

  inBrowser("leaves nothing that waits to somebody else", unhurried, async () => {
    const host = await startHost();
    const demo = await openDemo(host);
    await demo.signIn();
    await host.stop();
    await demo.inState("connecting");
    await demo.write("before");
    await host.start();
    const other = await openDemo(host);
    await other.signIn();

    await demo.refusal("token_unknown");
    await demo.page.locator("#sign-in").waitFor();
    await demo.submit("ada", "byron");
    await demo.refusal("authentication_failed");
    await demo.write("between");
    await demo.submit("ada", "babbage");
    await demo.hears("unauthorized", "authentication_failed", { times: 2 });
    await demo.inState("stopped");
    await demo.write("after");
    await demo.page.click("#sign-out");

    await demo.inState("connected");
    await demo.signIn();
    await demo.write(LAST);
    await other.sees(LAST);
    assertEquals(await other.messages(), [`ada ${LAST}`]);
  });
});
