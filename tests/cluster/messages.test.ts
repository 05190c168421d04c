import { assertEquals, describe, it } from "#testing";
import { socketioAuth } from "../../mod.ts";
import { createServer } from "../kit/targets.ts";

const WEIRD: unknown[] = [undefined, null, 5, "text", [], {}, { id: 1 }, {
  id: "1",
  policy: "server",
  target: {},
  age: 0,
}, { id: "1", policy: "server", target: { userId: "1" }, age: 0, except: 5 }];

describe("messages of other nodes", () => {
  it("may be anything, also of another version", () => {
    const io = createServer();
    socketioAuth(io, { authenticate: () => true });
    const answers: unknown[] = [];
    for (const message of WEIRD) {
      // As an adapter hands them on.
      io.of("/")._onServerSideEmit(["socketio-auth:revoke", message]);
      const answer = (count: number) => answers.push(count);
      io.of("/")._onServerSideEmit(["socketio-auth:revoke", message, answer]);
    }
    assertEquals(answers, WEIRD.map(() => 0));
  });
});
