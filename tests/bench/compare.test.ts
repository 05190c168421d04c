// What the benchmarks make of what they have measured.
import { assertEquals, describe, it } from "#testing";
import { compare } from "../../bench/compare.ts";
import { Counter } from "../../bench/counter.ts";
import { spreadOf } from "../../bench/statistics.ts";
import { fillIn } from "../../bench/tables.ts";

describe("benchmarks", () => {
  it("compare in turn, so that a drift hits both, and leave out the warm-up", async () => {
    const order: string[] = [];
    let drift = 0;
    const cost = (name: string, factor: number) => () => {
      order.push(name);
      return Promise.resolve(factor * (100 + drift++));
    };
    const rounds = { warmUp: 1, counted: 2 };
    const { ratio, cold, ours } = await compare(rounds, cost("ours", 3), cost("theirs", 2));
    const round = ["ours", "theirs", "theirs", "ours"];
    assertEquals(order, [...round, ...round, ...round]);
    assertEquals([ratio.median, ratio.low, ratio.high, ratio.count, cold], [1.5, 1.5, 1.5, 2, 1.5]);
    assertEquals(ours.median, 3 * (100 + (4 + 7 + 8 + 11) / 4));
  });

  it("say how far apart values are by their quartiles", () => {
    assertEquals(spreadOf([9, 1, 5, 3, 7]), { median: 5, low: 3, high: 7, count: 5 });
  });

  it("count what has come before anybody waits for it", async () => {
    const counter = new Counter();
    for (let i = 0; i < 3; i++) counter.add();
    await counter.reach(2);
    let isThere = false;
    const reached = counter.reach(2).then(() => isThere = true);
    await Promise.resolve();
    assertEquals(isThere, false);
    counter.add();
    await reached;
  });

  it("fill tables in where a document has a place for them, and change nothing else", () => {
    const document = "a\n<!-- bench: one -->\nold\n\nold\n<!-- end -->\nb\n<!-- end -->\n";
    assertEquals(
      fillIn(document, { one: "| new |" }),
      "a\n<!-- bench: one -->\n| new |\n<!-- end -->\nb\n<!-- end -->\n",
    );
  });
});
