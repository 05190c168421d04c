import { assertEquals, describe, it } from "#testing";
import { Holdings, Ledger } from "../../src/core/holdings.ts";

describe("a ledger", () => {
  const limit = { events: 2, bytes: 10, total: 0 };
  const size = (bytes: number) => ({
    ...{ bytes, depth: 0, values: 1, hasBinary: false, isPlain: true },
  });

  it("refuses what is over either limit, in each direction", () => {
    const ledger = new Ledger(new Holdings(1e6), limit, () => {});
    const first = ledger.add("in", size(9))!;
    assertEquals(first, { events: 1, bytes: 9, cost: 9 + 128 + 24 });
    assertEquals(ledger.add("in", size(2)), undefined);
    assertEquals(ledger.add("in", size(1))?.bytes, 1);
    assertEquals(ledger.add("in", size(0)), undefined);
    assertEquals(ledger.add("out", size(10))?.bytes, 10);
    assertEquals(ledger.cost, 20 + 3 * (128 + 24));
    ledger.remove("in", first);
    assertEquals(ledger.add("in", size(9))?.bytes, 9);
  });
});
