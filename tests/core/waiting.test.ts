import { assertEquals, describe, it } from "#testing";
import { Holdings, Ledger } from "../../src/core/holdings.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { type Owner, Waiting } from "../../src/core/waiting.ts";

/** Whose gate it is, and what was asked of them. */
function setUp(options: object = {}) {
  const asked: string[] = [];
  const holdings = new Holdings(1000);
  const policy = resolvePolicy({
    verify: () => true,
    connection: "connected",
    ...options,
  }) as Owner["policy"];
  const owner: Owner = {
    policy,
    ledger: new Ledger(holdings, policy.holdLimit, () => asked.push("server_busy")),
    cut: (code) => asked.push(code),
    report: (during) => asked.push(`report ${during}`),
  };
  const waiting = new Waiting<string, string>(owner);
  return {
    ...{ asked, waiting, holdings },
    receive: (item: string, isResponse = false) => waiting.mayReceive(item, item, isResponse),
    send: (item: string, isVolatile = false) => waiting.maySend(item, "event", item, isVolatile),
  };
}

type Stage = "shut" | "open" | "over";

describe("what waits at a gate", () => {
  /** What passes, is held or is lost at each stage, by the option. */
  const incoming: [incoming: string, stage: Stage, isOpenInwards: boolean, fate: string][] = [
    ["hold", "shut", false, "held"],
    ["hold", "open", false, "held"],
    ["hold", "open", true, "passes"],
    ["hold", "over", true, "lost"],
    ["drop", "shut", false, "lost"],
    ["drop", "open", false, "held"],
    ["drop", "open", true, "passes"],
    ["drop", "over", false, "lost"],
    ["pass", "shut", false, "passes"],
    ["pass", "open", false, "passes"],
    ["pass", "over", true, "lost"],
  ];
  for (const [option, stage, isOpenInwards, fate] of incoming) {
    const inwards = isOpenInwards ? ", open inwards" : "";
    it(`comes in with incoming "${option}", ${stage}${inwards}: ${fate}`, () => {
      const passes = option === "pass" ? { incoming: "pass" } : { incoming: option };
      const { waiting, receive } = setUp(passes);
      Object.assign(waiting, { outwards: stage, isOpenInwards });
      assertEquals(receive("x"), fate === "passes");
      assertEquals(waiting.takeIncoming(), fate === "held" ? ["x"] : []);
    });
  }

  it('comes in with incoming "pass" if it is plain, or if the client is admitted', () => {
    for (const stage of ["shut", "open"] as const) {
      const { waiting, asked } = setUp({ incoming: "pass" });
      waiting.outwards = stage;
      const passes = waiting.mayReceive("x", new Map(), false);
      assertEquals([passes, asked], stage === "open" ? [true, []] : [false, ["too_many_events"]]);
    }
  });

  const outgoing: [outgoing: string, stage: Stage, fate: string][] = [
    ["hold", "shut", "held"],
    ["hold", "open", "passes"],
    ["hold", "over", "lost"],
    ["pass", "shut", "passes"],
    ["pass", "open", "passes"],
    ["pass", "over", "lost"],
  ];
  for (const [option, stage, fate] of outgoing) {
    it(`goes out with outgoing "${option}", ${stage}: ${fate}`, () => {
      const { waiting, send } = setUp({ outgoing: option });
      waiting.outwards = stage;
      assertEquals(send("x"), fate === "passes");
      assertEquals(waiting.takeOutgoing(), fate === "held" ? ["x"] : []);
      // Volatile ones are never held.
      assertEquals(send("y", true), fate === "passes");
      assertEquals(waiting.takeOutgoing(), []);
    });
  }

  it("lets the client answer what a hook asks, and nothing before that", () => {
    const { waiting, receive } = setUp();
    assertEquals(receive("early", true), false);
    waiting.outwards = "open";
    assertEquals([receive("answer", true), receive("event")], [true, false]);
    assertEquals(waiting.takeIncoming(), ["early", "event"]);
  });

  it("is bounded: the client is cut, the server is told", () => {
    const { asked, waiting, receive, send } = setUp({ holdLimit: { events: 1 } });
    for (const item of ["a", "b"]) receive(item);
    assertEquals([asked, waiting.takeIncoming()], [["too_many_events"], ["a"]]);
    for (const item of ["c", "d"]) send(item);
    assertEquals([asked.slice(1), waiting.takeOutgoing()], [["report emit"], ["c"]]);
  });
});
