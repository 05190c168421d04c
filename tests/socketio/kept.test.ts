// What is known of a lost connection that another node has kept, whose clock may be wrong.
import { assert, assertEquals, describe, it } from "#testing";
import { Guard } from "../../src/core/guard.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { type Kept, previousOf } from "../../src/socketio/recovery/kept.ts";
import { laterOf } from "../../src/socketio/recovery/begin.ts";
import type { RawAdapter } from "../../src/socketio/internals.ts";
import { FakeBinding } from "../core/fakes.ts";

class Recovering extends FakeBinding {
  override readonly recoverable: number = 120_000;
}

describe("a connection that another node has kept", () => {
  const kept: Kept = {
    namespace: "/",
    policy: "server",
    node: "another",
    since: 5,
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
