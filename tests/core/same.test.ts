import { assertEquals, describe, it } from "#testing";
import { isSame } from "../../src/core/same.ts";

const bytes = (...numbers: number[]) => new Uint8Array(numbers);
const nested = (depth: number): unknown => depth === 0 ? 1 : [nested(depth - 1)];

describe("credentials", () => {
  const same: Record<string, [unknown, unknown]> = {
    "text": ["a", "a"],
    "nothing": [undefined, undefined],
    "numbers that are none": [NaN, NaN],
    "objects, whatever the order": [{ a: 1, b: [2, null] }, { b: [2, null], a: 1 }],
    "objects without a prototype": [Object.create(null), Object.create(null)],
    "bytes": [{ a: bytes(1, 2) }, { a: bytes(1, 2) }],
    "parts of buffers": [bytes(9, 1, 2).subarray(1), bytes(1, 2, 9).subarray(0, 2)],
    "buffers": [bytes(1, 2).buffer, bytes(1, 2).buffer],
    "what nests 32 levels": [nested(32), nested(32)],
  };
  for (const [what, [a, b]] of Object.entries(same)) {
    it(`are the same: ${what}`, () => assertEquals([isSame(a, b), isSame(b, a)], [true, true]));
  }

  class Secret {
    readonly #word: string;
    constructor(word: string) {
      this.#word = word;
    }
    get word(): string {
      return this.#word;
    }
  }
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const others: unknown[] = [];
  others.push(others);

  const different: Record<string, [unknown, unknown]> = {
    "text": ["a", "b"],
    "text and number": ["1", 1],
    "nothing and null": [undefined, null],
    "an object and one with more": [{ a: 1 }, { a: 1, b: 2 }],
    "an object and one with another name": [{ a: undefined }, { b: undefined }],
    "an array and an object": [[1], { 0: 1 }],
    "what an object inherits": [{ toString: 1 }, {}],
    "bytes": [bytes(1, 2), bytes(1, 3)],
    "fewer bytes": [bytes(1, 2), bytes(1)],
    "empty buffers and empty objects": [new ArrayBuffer(0), {}],
    "objects that hide what is in them": [new Secret("a"), new Secret("b")],
    "dates": [new Date(1), new Date(2)],
    "maps": [new Map([[1, 1]]), new Map([[1, 2]])],
    "what never ends": [cyclic, others],
  };
  for (const [what, [a, b]] of Object.entries(different)) {
    it(`are not: ${what}`, () => assertEquals([isSame(a, b), isSame(b, a)], [false, false]));
  }

  it("that throw when they are looked at are not the same", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assertEquals(isSame(proxy, { a: 1 }), false);
    assertEquals(
      isSame({
        get a() {
          throw new Error("no");
        },
      }, { a: 1 }),
      false,
    );
  });
});
