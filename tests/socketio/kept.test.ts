// What is known of a lost connection that another node has kept, whose clock may be wrong.
import { assert, assertEquals, describe, it } from "#testing";
import { Guard } from "../../src/core/guard.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { keep, type Kept, previousOf } from "../../src/socketio/recovery/kept.ts";
import { beginOf, laterOf, noteBegin, watchReading } from "../../src/socketio/recovery/begin.ts";
import type { RawAdapter, RawSocket } from "../../src/socketio/internals.ts";
import { FakeBinding } from "../core/fakes.ts";

class Recovering extends FakeBinding {
  override readonly recoverable: number = 120_000;
}

describe("a connection that another node has kept", () => {
  const kept: Kept = {
    namespace: "/",
    policy: "server",
    node: "another",
    // By the clock of a node that has run for longer.
    since: 10_000_000,
    stamp: 5,
    begin: "",
    lostAt: 0,
    age: 60_000,
    subject: { userId: "ada" },
    connection: "x",
    data: {},
  };

  for (const skew of [-100_000, 0, 100_000]) {
    it(`counts as no younger than it is, with a clock that differs by ${skew} ms`, () => {
      const binding = new Recovering();
      const policy = resolvePolicy({ verify: () => true }) as Policy<unknown>;
      const guard = new Guard(policy, binding as never);
      binding.clock.advance(1_000_000);
      // The session began 90 s ago, and was lost 30 s ago.
      const began = binding.clock.monotonic() - 90_000;
      const lostAt = binding.clock.now() - 30_000 + skew;
      const { since } = previousOf({ ...kept, lostAt }, guard as never);
      assert(since! <= began, `${since! - began}`);
      guard.revocations.revoke({ id: "1", target: { userId: "ada" }, age: 89_000 });
      assertEquals(guard.mayRecover("another", { userId: "ada", since }), false);
    });
  }
});

describe("the begin of a session", () => {
  /** An adapter that reads a stream, and a socket in its namespace. */
  function open() {
    const adapter = {
      onRawMessage: (_message: unknown, _offset: string): void => {},
      doPublish: () => Promise.resolve("7-0"),
    };
    watchReading(adapter as unknown as RawAdapter);
    return { adapter, socket: { nsp: { adapter } } as unknown as RawSocket };
  }

  it("is what its node has read last", () => {
    const { adapter, socket } = open();
    for (const id of ["5-0", "6-0", "4-0"]) adapter.onRawMessage({}, id);
    noteBegin(socket);
    adapter.onRawMessage({}, "9-0");
    assertEquals(beginOf(socket), "6-0");
  });

  it("is what its node has written, if that is later", async () => {
    const { adapter, socket } = open();
    adapter.onRawMessage({}, "5-0");
    await adapter.doPublish();
    noteBegin(socket);
    assertEquals(beginOf(socket), "7-0");
  });

  it("is that of the session that it continues", () => {
    const { adapter, socket } = open();
    adapter.onRawMessage({}, "5-0");
    noteBegin(socket, "1-0");
    assertEquals(beginOf(socket), "1-0");
  });

  it("is not known before an adapter has told, and nothing is kept then", () => {
    const { socket } = open();
    noteBegin(socket);
    const binding = new Recovering();
    const policy = resolvePolicy({ verify: () => true }) as Policy<unknown>;
    const gate = {
      socket,
      guard: new Guard(policy, binding as never) as never,
      isAdmitted: true,
      session: { user: true, userId: "ada", authenticatedAt: 0 },
      connection: { id: "x", since: 0, stamp: 0 },
    };
    assertEquals([beginOf(socket), keep(gate, "/", beginOf(socket), {})], [undefined, undefined]);
    assertEquals(keep(gate, "/", "1-0", {})?.begin, "1-0");
  });
});

describe("the later one of an offset and the begin of a session", () => {
  const stream = {} as RawAdapter;
  const memory = { packets: ["a", "b", "c"].map((id) => ({ id })) } as unknown as RawAdapter;

  const cases: [
    what: string,
    adapter: RawAdapter,
    offset: string,
    begin: string,
    later: string | undefined,
  ][] = [
    ["of a stream, the offset", stream, "20-0", "3-1", "20-0"],
    ["of a stream, the begin", stream, "3-1", "20-0", "20-0"],
    ["of a stream, at one time", stream, "3-1", "3-10", "3-10"],
    ["of a stream, nonsense", stream, "nonsense", "3-1", "3-1"],
    ["of a stream, nonsense without end", stream, `${"9".repeat(99)}-1`, "3-1", "3-1"],
    ["of a stream, before the first that is known", stream, "3-1", "<4-0", undefined],
    ["of a stream, the first that is known", stream, "4-0", "<4-0", "4-0"],
    ["in memory, the offset", memory, "c", "b", "c"],
    ["in memory, the begin", memory, "a", "b", "b"],
    ["in memory, an unknown offset", memory, "x", "b", "b"],
    ["in memory, a begin that is not kept any more", memory, "a", "0", "a"],
    ["in memory, from the start", memory, "a", "", "a"],
  ];
  for (const [what, adapter, offset, begin, later] of cases) {
    it(`is ${what}`, () => assertEquals(laterOf(adapter, offset, begin), later));
  }
});
