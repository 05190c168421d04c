import { assert, describe, it } from "#testing";
import type { Server } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";
import "./secrets.ts";

/** What a client may send instead of credentials. */
const ODDITIES = [undefined, null, 5, "text", [], {}, { token: null }, { token: { length: 9 } }];

/** Who signs in where, and the events that there are handlers for. */
const handled: Record<string, [credentials: object, namespaces: string[], events: string[]]> = {
  "recipes/devices": [{ secret: "secret 1" }, ["/"], ["devices", "sign out device"]],
  "recipes/guests": [{ guest: "1234567890123456" }, ["/"], ["add", "cart", "order"]],
  "recipes/login-form": [{ username: "ada", password: "lovelace" }, ["/"], ["chat"]],
  "recipes/one-session": [{ token: "token of ada" }, ["/"], ["move"]],
  "recipes/roles": [{ token: "admin" }, ["/", "/admin"], ["read", "post", "set role"]],
  "frameworks/express": [{ token: "token of ada" }, ["/"], ["chat"]],
};

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

  for (const [path, [credentials, namespaces, events]] of Object.entries(handled)) {
    it(`do not fall over what users send: ${path}`, async () => {
      const { start } = await import(`../../examples/${path}.ts`) as {
        start(port: number): Server;
      };
      const url = await open(start(0));
      for (const namespace of namespaces) {
        const client = await connect(url, { path: namespace });
        client.emit("authentication", credentials);
        await client.next("authenticated");
        for (const event of events) {
          for (const oddity of [...ODDITIES, { toString: null, valueOf: null }]) {
            client.emit(event, oddity);
            client.emit(event, oddity, oddity);
          }
        }
        // Once this is answered, all have come.
        const outcome = await ask(client, "authentication", credentials);
        assert((outcome as { ok: boolean }).ok);
      }
    });
  }
});
