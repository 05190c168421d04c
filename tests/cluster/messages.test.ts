import { assert, assertEquals, describe, it } from "#testing";
import { socketioAuth } from "../../mod.ts";
import { isRevocation, pack } from "../../src/socketio/cluster/messages.ts";
import { createServer } from "../kit/targets.ts";

const WEIRD: unknown[] = [undefined, null, 5, "text", [], {}, { id: 1 }, {
  id: "1",
  policy: "server",
  target: {},
  age: 0,
}];

const REVOCATION = { id: "1", policy: "server", time: 1, target: { userId: "1" }, age: 0 };
const WRONG: object[] = [
  { time: undefined },
  { time: Infinity },
  { time: Number.MAX_VALUE },
  { within: 1, olderThan: { time: 1, connection: "x" } },
  { olderThan: { time: 1e300, connection: "x" } },
  { except: 5 },
  { exceptSession: {} },
  { within: -1 },
  { within: NaN },
  { olderThan: 5 },
  { olderThan: { time: "1", connection: "x" } },
  { olderThan: { time: 1 } },
  { message: ["text"] },
  { reconnect: 1 },
];
for (const wrong of WRONG) WEIRD.push({ ...REVOCATION, ...wrong });

describe("messages of other nodes", () => {
  it("may be anything, also of another version", () => {
    const io = createServer();
    socketioAuth(io, { verify: () => true });
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

describe("a message of a revocation", () => {
  it("is one, with whatever belongs to it", () => {
    const more: object[] = [
      {},
      { except: "x" },
      { exceptSession: "x" },
      { within: 0 },
      { olderThan: { time: 1.5, connection: "x" }, message: "text", reconnect: true },
    ];
    for (const facts of more) assert(isRevocation({ ...REVOCATION, ...facts }));
    for (const wrong of WRONG) assert(!isRevocation({ ...REVOCATION, ...wrong }));
  });
});

describe("a node's listeners", () => {
  it("may all be removed: it goes on hearing of revocations", async () => {
    const io = createServer();
    const auth = socketioAuth(io, { verify: () => true, userId: () => "ada" });
    io.removeAllListeners();
    io.of("/").removeAllListeners("socketio-auth:revoke");
    const revocation = { ...REVOCATION, target: { userId: "ada" } };
    const heard: number[] = [];
    const answer = (count: number) => heard.push(count);
    io.of("/")._onServerSideEmit(["socketio-auth:revoke", revocation, answer]);
    io.of("/")._onServerSideEmit(["socketio-auth:remind", [{ ...revocation, id: "2" }, 5]]);
    assertEquals(heard, [0]);
    // What is the application's own still comes.
    io.on("hello" as never, (name: string) => void heard.push(name.length));
    io.of("/")._onServerSideEmit(["hello", "ada"]);
    assertEquals(heard, [0, 3]);
    await auth.revoke({ userId: "ada" });
  });
});

describe("messages that are said again", () => {
  const message = (userId: string) => ({
    ...{ policy: "server", time: 1, id: crypto.randomUUID(), target: { userId }, age: 1 },
  });

  it("are put together, as many as one may carry", () => {
    const messages = Array.from({ length: 100 }, (_, i) => message(`${i}`));
    const packs = pack(messages);
    assertEquals(packs.flat(), messages);
    assert(packs.length < 10, `${packs.length} packs`);
    // In UTF-8 a character takes up to three bytes, and PostgreSQL up to 8000.
    for (const some of packs) assert(JSON.stringify(some).length * 3 < 8000);
  });

  it("go alone if they are too large, and are not lost", () => {
    const messages = ["a", "x".repeat(5000), "b"].map(message);
    assertEquals(pack(messages), messages.map((message) => [message]));
  });
});
