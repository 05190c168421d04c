import { assertEquals, describe, it } from "#testing";
import { printErrors } from "../../src/core/console.ts";
import { FakeClock } from "./fakes.ts";

/** What is printed while `fn` runs: the first argument of each call. */
function printedBy(fn: () => void): unknown[] {
  const { error } = console;
  const printed: unknown[] = [];
  console.error = (text: unknown) => printed.push(text);
  try {
    fn();
  } finally {
    console.error = error;
  }
  return printed;
}

describe("the default onError", () => {
  it("prints ten errors in a second at most, and how many it left out", () => {
    const clock = new FakeClock();
    const print = printErrors(clock);
    const fail = (count: number) => {
      for (let i = 0; i < count; i++) print(new Error("down"), { during: "verify" });
    };
    const line = "socketio-auth: unexpected error during verify:";
    assertEquals(printedBy(() => fail(10)), Array(10).fill(line));
    assertEquals(printedBy(() => fail(5)), []);
    const left = ["socketio-auth: 5 more errors were left out."];
    assertEquals(printedBy(() => clock.advance(1000)), left);
    assertEquals(printedBy(() => fail(1)), [line]);
    assertEquals(printedBy(() => clock.advance(5000)), []);
    assertEquals(clock.pending, 0);
  });
});
