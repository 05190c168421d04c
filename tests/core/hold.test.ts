import { assertEquals, describe, it } from "#testing";
import { Hold } from "../../src/core/hold.ts";

describe("hold", () => {
  const limit = { events: 2, bytes: 10, total: 0 };

  it("keeps order, and refuses what is over either limit", () => {
    const hold = new Hold<string>();
    const size = (bytes: number) => ({ bytes, depth: 0, values: 1, hasBinary: false });
    assertEquals(hold.add("a", size(9), limit), true);
    assertEquals(hold.add("b", size(2), limit), false);
    assertEquals(hold.add("c", size(1), limit), true);
    assertEquals(hold.add("d", size(0), limit), false);
    assertEquals(hold.cost, 10 + 2 * (128 + 24));
    assertEquals(hold.drain(), ["a", "c"]);
    assertEquals(hold.cost, 0);
    assertEquals(hold.drain(), []);
    assertEquals(hold.add("e", size(10), limit), true);
  });
});
