// Shows what an authenticator app would. A demo has no phone, so the server lends one.
import { byId } from "/dom.js";

/** Shows the code of the moment for as long as `isWanted` says so. */
export async function showAuthenticator(isWanted) {
  while (isWanted()) {
    const remaining = await showCode();
    await new Promise((resolve) => setTimeout(resolve, remaining));
  }
}

/** Resolves with the time until there is another one, in milliseconds. */
async function showCode() {
  try {
    const { code, remaining } = await (await fetch("/authenticator")).json();
    byId("authenticator").textContent = code;
    return remaining;
  } catch {
    byId("authenticator").textContent = "no code: the server is away";
    return 1000;
  }
}
