import { assertEquals, describe, it } from "#testing";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";

/** How often the hook of the recipe is called for one sign-out. */
async function callsAtSignOut(): Promise<number> {
  let calls = 0;
  const stored = new Map<string, string>();
  const login = betterAuth({
    baseURL: "http://localhost",
    secret: "32 characters, only to try it out",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true },
    secondaryStorage: {
      get: (key) => stored.get(key),
      set: (key, value) => void stored.set(key, value),
      delete: (key) => void stored.delete(key),
      getAndDelete: (key) => stored.get(key),
      increment: () => 1,
    },
    databaseHooks: { session: { delete: { after: () => Promise.resolve(void calls++) } } },
  });
  const body = { email: "ada@example.com", password: "lovelace", name: "Ada" };
  const { headers } = await login.api.signUpEmail({ body, returnHeaders: true });
  const cookie = headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  await login.api.signOut({ headers: new Headers({ cookie }) });
  return calls;
}

describe("better-auth with secondaryStorage", () => {
  it("does not tell the hook of the recipe of a sign-out, as the page says", async () => {
    assertEquals(await callsAtSignOut(), 0);
  });
});
