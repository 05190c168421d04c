import { assert, describe, it } from "#testing";
import type { Server } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { codeOf, connect, open } from "./kit.ts";

/** What a client may send instead of credentials. */
const ODDITIES = [undefined, null, 5, "text", [], {}, { token: null }, { token: { length: 9 } }];

/** Those that need no backend. */
const recipes = [
  ...["auth-js", "better-auth", "devices", "guests", "iron-session", "jwt", "login-form"],
  ...["one-session", "passport", "passport-jwt", "proxy", "roles"],
].map((name) => `recipes/${name}`);

describe("the recipes", () => {
  disposeAfterEach();

  for (const path of [...recipes, "frameworks/express"]) {
    it(`refuse anything, and call it no error of the server: ${path}`, async () => {
      const { start } = await import(`../../examples/${path}.ts`) as {
        start(port: number): Server;
      };
      const url = await open(start(0));
      const told = await Promise.all(ODDITIES.map(async (oddity) => {
        const client = await connect(url);
        client.emit("authentication", oddity);
        return await codeOf(client);
      }));
      // Of the proxy's recipe, guesses are counted.
      const right = ["authentication_failed", "invalid_credentials", "too_many_attempts"];
      assert(told.every((code) => right.includes(code)), told.join());
    });
  }
});
