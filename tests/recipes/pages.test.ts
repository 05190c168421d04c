import { describe } from "#testing";
import { start } from "../../examples/recipes/login-form.ts";
import { servePage } from "../../examples/recipes/page.ts";
import { inBrowser, openContext, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { open } from "./kit.ts";

describe("the page of the login form", () => {
  shareBrowser();
  disposeAfterEach();

  inBrowser("says what was wrong, and signs in with what is typed next", async () => {
    const io = start(0);
    await servePage(io, "login-form");
    const page = await (await openContext()).newPage();
    await page.goto(await open(io));
    const status = (text: string) =>
      page.getByRole("status").getByText(text, { exact: true }).waitFor(unhurried);
    const submit = async (password: string) => {
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await page.getByLabel("Name").fill("ada");
    await submit("guess");
    await status("Wrong name or password");
    await submit("lovelace");
    await status("Signed in as Ada");
    await page.getByRole("button", { name: "Sign out" }).click();
    await status("Signed out");
    await submit("lovelace");
    await status("Signed in as Ada");
  });
});
