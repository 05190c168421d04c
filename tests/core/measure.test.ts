import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { measure } from "../../src/core/measure.ts";
import { runs } from "../kit/random.ts";

describe("measure", () => {
  it("counts strings, binary data and keys, and how deep they nest", () => {
    assertEquals(measure("x".repeat(10), 1000), {
      bytes: 11,
      depth: 0,
      values: 1,
      hasBinary: false,
      isPlain: true,
    });
    assertEquals(measure(new Uint8Array(10), 1000), {
      bytes: 11,
      depth: 0,
      values: 1,
      hasBinary: true,
      isPlain: true,
    });
    assertEquals(measure({ ab: "c" }, 1000), {
      bytes: 8 + 3 + 2,
      depth: 1,
      values: 3,
      hasBinary: false,
      isPlain: true,
    });
    assertEquals(measure([[[1]]], 1000).depth, 3);
    assertEquals(measure(undefined, 1000).depth, 0);
    class Table extends Array {
      override keys(): never {
        throw new Error("the application's own");
      }
    }
    assertEquals(measure(Table.of(1), 1000), measure([1], 1000));
  });

  it("never reports less than what a value takes in JSON, by more than punctuation", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { bytes } = measure(value, Infinity);
        assert(bytes * 4 + 64 >= JSON.stringify(value).length);
      }),
      runs(),
    );
  });

  it("stops early on what is huge, deep or endless", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle, cycle);
    assert(measure(cycle, 1000).bytes > 1000);
    assert(measure(new Array(1_000_000).fill(0), 1000).bytes > 1000);
    let calls = 0;
    const document = { toJSON: () => ++calls };
    assert(measure(new Array(300_000).fill(document), 1000).bytes > 1000);
    assertEquals(calls, 0);
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert(measure(deep, 16_384).bytes > 16_384);
  });
});
