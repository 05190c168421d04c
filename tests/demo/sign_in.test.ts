import { assert, assertEquals, assertMatch, describe } from "#testing";
import { inBrowser, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { startHost } from "./chat.ts";
import { type Demo, openDemo } from "./page.ts";

async function giveCode(demo: Demo, code: string): Promise<void> {
  await demo.page.fill("#code", code);
  await demo.page.click("#challenge .primary");
}

/** What the page says an authenticator app would show. */
async function readCode(demo: Demo): Promise<string> {
  const code = demo.page.locator("#authenticator", { hasText: /^\d{6}$/ });
  await code.waitFor();
  return await code.textContent() ?? "";
}

describe("signing in to the demo", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("takes the right password, and shows text as text", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.signIn();
    assertEquals(await demo.page.textContent("#name"), "ada");
    assertEquals((await demo.received()).at(-1), "authenticated");

    await demo.write("<b>Hello</b>");
    await demo.sees("<b>Hello</b>");
    assertEquals(await demo.messages(), ["ada <b>Hello</b>"]);
  });

  inBrowser("says why it is refused, and may be tried again", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.submit("ada", "byron");
    assertEquals(await demo.refusal("authentication_failed"), "Wrong name or password");
    await demo.inState("stopped");
    assertEquals(await demo.part("member", "state").textContent(), "Not signed in");
    assertEquals(await demo.tone(), "alarm");
    assertEquals(await demo.page.inputValue("#username"), "ada");

    await demo.signIn();
    assertEquals(await demo.part("member", "refusal").isVisible(), false);
  });

  inBrowser("does not tell an unknown user from a wrong password", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.submit("charles", "lovelace");
    assertEquals(await demo.refusal("authentication_failed"), "Wrong name or password");
  });

  inBrowser("asks who has a second factor for a code", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.submit("grace", "hopper");
    await demo.inState("challenged");
    await giveCode(demo, await readCode(demo));
    await demo.inState("authenticated");
    assertEquals(await demo.page.textContent("#name"), "grace");
  });

  inBrowser("does not take a wrong code", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.submit("grace", "hopper");
    await demo.inState("challenged");
    await giveCode(demo, "no");
    assertEquals(await demo.refusal("wrong_code"), "Wrong code");
    await demo.signIn();
  });

  inBrowser("can be given up in the middle", unhurried, async () => {
    const demo = await openDemo(await startHost());
    await demo.submit("grace", "hopper");
    await demo.inState("challenged");
    await demo.page.click("#cancel");
    await demo.inState("connected");
    await demo.signIn();
  });

  inBrowser("goes on as somebody else on the same transport", unhurried, async () => {
    const host = await startHost();
    const demo = await openDemo(host);
    await demo.signIn();
    await demo.write("one");
    await demo.sees("one");
    const { connections } = host;

    await demo.page.click("#sign-out");
    await demo.inState("stopped");
    // That was wanted, and is no alarm.
    assertEquals(
      await demo.part("member", "state").textContent(),
      "Signed out, still connected",
    );
    assertEquals(await demo.tone(), "");
    assertEquals(await demo.part("member", "refusal").isVisible(), false);

    await demo.submit("grace", "hopper");
    await demo.inState("challenged");
    await giveCode(demo, await readCode(demo));
    await demo.inState("authenticated");
    assertEquals(await demo.page.textContent("#name"), "grace");
    assertEquals(await demo.messages(), []);
    assertEquals(host.connections, connections);
  });

  inBrowser("waits when it has been tried too often, and says how long", unhurried, async () => {
    const demo = await openDemo(await startHost({ guesses: 2 }));
    for (let times = 1; times <= 2; times++) {
      await demo.submit("ada", "byron");
      await demo.hears("unauthorized", "authentication_failed", { times });
      await demo.inState("stopped");
    }
    await demo.submit("ada", "lovelace");
    await demo.inState("waiting");
    assertEquals(await demo.refusal("too_many_attempts"), "Too many authentication attempts");
    assertMatch(await demo.part("member", "clock").textContent() ?? "", /^back in [1-6]?\d s$/);

    const submit = demo.page.locator("#submit");
    assertMatch(await submit.textContent() ?? "", /^Try again in [1-6]?\d s$/);
    assert(await submit.isDisabled());
    assert(await demo.page.isHidden("#retry"));

    await demo.page.click("#give-up");
    await demo.inState("connected");
    assertEquals(await submit.textContent(), "Sign in");
    assert(await submit.isEnabled());
  });
});
