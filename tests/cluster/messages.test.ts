import { assertEquals, describe, it } from "#testing";
import { socketioAuth } from "../../mod.ts";
import { createServer } from "../kit/targets.ts";

const WEIRD: unknown[] = [undefined, null, 5, "text", [], {}, { id: 1 }, {
  id: "1",
  policy: "server",
  target: {},
  age: 0,
}, { id: "1", policy: "server", keeper: "k", subject: null, since: 0 }];

describe("messages of other nodes", () => {
  for (const name of ["revoke", "question", "reply"]) {
    it(`may be anything, also of another version: ${name}`, () => {
      const io = createServer();
      socketioAuth(io, { authenticate: () => true });
      const answers: unknown[] = [];
      for (const message of WEIRD) {
        // As an adapter hands them on.
        io.of("/")._onServerSideEmit([`socketio-auth:${name}`, message]);
        io.of("/")._onServerSideEmit([
          `socketio-auth:${name}`,
          message,
          (count: number) => answers.push(count),
        ]);
      }
      assertEquals(answers, name === "revoke" ? WEIRD.map(() => 0) : []);
    });
  }
});
