import { assertEquals, describe, it } from "#testing";
import { Hold } from "../../src/core/hold.ts";

describe("hold", () => {
  const limit = { events: 2, bytes: 10, total: 0 };

  it("keeps order, and refuses what is over either limit", () => {
    const hold = new Hold<string>();
    assertEquals(hold.add("a", 9, limit), true);
    assertEquals(hold.add("b", 2, limit), false);
    assertEquals(hold.add("c", 1, limit), true);
    assertEquals(hold.add("d", 0, limit), false);
    assertEquals(hold.drain(), ["a", "c"]);
    assertEquals(hold.drain(), []);
    assertEquals(hold.add("e", 10, limit), true);
  });
});
