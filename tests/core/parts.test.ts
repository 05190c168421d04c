import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import fc from "fast-check";
import { Hold } from "../../src/core/hold.ts";
import { measure } from "../../src/core/measure.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { parseAuthentication } from "../../src/protocol.ts";
import { createSession } from "../../src/core/session.ts";
import { Alarm } from "../../src/core/timer.ts";
import { FakeClock } from "./fakes.ts";

describe("measure", () => {
  it("counts strings, binary data and keys, and how deep they nest", () => {
    assertEquals(measure("x".repeat(10), 1000), { bytes: 11, depth: 0 });
    assertEquals(measure(new Uint8Array(10), 1000), { bytes: 11, depth: 0 });
    assertEquals(measure({ ab: "c" }, 1000), { bytes: 8 + 3 + 2, depth: 1 });
    assertEquals(measure([[[1]]], 1000).depth, 3);
    assertEquals(measure(undefined, 1000).depth, 0);
  });

  it("never reports less than what a value takes in JSON, by more than punctuation", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const { bytes } = measure(value, Infinity);
      assert(bytes * 4 + 64 >= JSON.stringify(value).length);
    }));
  });

  it("stops early on what is huge, deep or endless", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle, cycle);
    assert(measure(cycle, 1000).bytes > 1000);
    assert(measure(new Array(1_000_000).fill(0), 1000).bytes > 1000);
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert(measure(deep, 16_384).bytes > 16_384);
  });
});

describe("hold", () => {
  const limit = { events: 2, bytes: 10 };

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

describe("timer", () => {
  it("a paused deadline waits, and runs on with what was left", () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = new Alarm(clock);
    timer.setDeadline(100, () => fired++);
    clock.advance(60);
    timer.pause();
    timer.pause();
    clock.advance(10_000);
    assertEquals(fired, 0);
    timer.resume();
    timer.resume();
    clock.advance(39);
    assertEquals(fired, 0);
    clock.advance(1);
    assertEquals([fired, clock.pending], [1, 0]);
  });

  it("an expiry is months away and to the millisecond, by the wall clock", () => {
    const clock = new FakeClock();
    let fired = 0;
    const months = 100 * 24 * 3_600_000;
    new Alarm(clock).setExpiry(clock.now() + months, () => fired++);
    clock.advance(months - 1);
    assertEquals(fired, 0);
    clock.advance(1);
    assertEquals([fired, clock.pending], [1, 0]);
  });

  it("an expiry notices within a minute that the machine has slept", () => {
    const clock = new FakeClock();
    let fired = false;
    new Alarm(clock).setExpiry(clock.now() + 3_600_000, () => fired = true);
    clock.advance(30_000);
    clock.wallOffset += 7_200_000; // timers stood still meanwhile
    clock.advance(29_999);
    assertEquals(fired, false);
    clock.advance(1);
    assertEquals(fired, true);
  });

  it("catches up with a time that has passed without a turn for it, once", () => {
    for (const kind of ["deadline", "expiry"]) {
      const clock = new FakeClock();
      const alarm = new Alarm(clock);
      let fired = 0;
      if (kind === "deadline") alarm.setDeadline(100, () => fired++);
      else alarm.setExpiry(clock.now() + 100, () => fired++);
      alarm.catchUp();
      clock.block(99);
      alarm.catchUp();
      assertEquals(fired, 0, kind);
      clock.block(1);
      alarm.catchUp();
      alarm.catchUp();
      alarm.resume();
      clock.advance(1000);
      assertEquals([fired, clock.pending], [1, 0], kind);
    }
  });

  it("a paused one catches up with nothing", () => {
    const clock = new FakeClock();
    const alarm = new Alarm(clock);
    let fired = 0;
    alarm.setDeadline(100, () => fired++);
    alarm.pause();
    clock.block(1000);
    alarm.catchUp();
    assertEquals(fired, 0);
    alarm.resume();
    clock.advance(100);
    assertEquals(fired, 1);
  });

  it("stops, and never starts for a deadline that never comes", () => {
    const clock = new FakeClock();
    const alarm = new Alarm(clock);
    alarm.setExpiry(clock.now() + 5, () => {});
    alarm.stop();
    assertEquals(clock.pending, 0);
    alarm.setDeadline(Infinity, () => {});
    assertEquals(clock.pending, 0);
  });
});

describe("the protocol's parsers", () => {
  it("read the arguments of an authentication event, whatever they are", () => {
    const ack = () => {};
    assertEquals(parseAuthentication(["x", ack]), { credentials: "x", acknowledge: ack });
    const { credentials, acknowledge } = parseAuthentication([ack]);
    assertEquals([credentials, acknowledge === ack], [undefined, true]);
    assertEquals(parseAuthentication(["x", "y"]).credentials, "x");
    assertEquals(parseAuthentication([]).credentials, undefined);
  });
});

describe("a session", () => {
  const policyWith = (options: object) =>
    resolvePolicy({ authenticate: () => true, ...options }) as Policy<unknown>;

  it("has the ids that users have, whatever they are made of", () => {
    const ids: [user: unknown, userId: string | undefined][] = [
      [{ id: "a" }, "a"],
      [{ id: 0 }, "0"],
      [{ id: 10n }, "10"],
      [{ id: null }, undefined],
      [{ id: { toString: () => "a" } }, undefined],
      [{ id: true }, undefined],
      [{}, undefined],
      [true, undefined],
      ["text", undefined],
      [Object.create(null), undefined],
      [
        new (class {
          id = "a";
        })(),
        "a",
      ],
    ];
    for (const [user, userId] of ids) {
      assertEquals(createSession(policyWith({}), user, 5).userId, userId);
    }
  });

  it("has no id that any number of users would share", () => {
    for (const id of ["", NaN, Infinity, -Infinity, {}, [], true, Symbol("id"), () => {}]) {
      for (const name of ["userId", "sessionId"]) {
        const policy = policyWith({ [name]: () => id });
        assertThrows(() => createSession(policy, {}, 5), TypeError, `${name} must be text`);
      }
    }
    for (const id of ["", NaN]) {
      assertThrows(
        () => createSession(policyWith({}), { id }, 5),
        TypeError,
        "userId must be text",
      );
    }
  });

  it("ends at any time that can be in milliseconds", () => {
    const ends = [new Date(0), 0, -1, 1, 1_000_000, 1e11, Date.now(), 8.64e15, Number.MAX_VALUE];
    for (const end of ends) {
      const session = createSession(policyWith({ expiresAt: () => end }), {}, 5);
      assertEquals(session.expiresAt, Number(end));
    }
    for (const none of [null, undefined, Infinity]) {
      assertEquals(
        "expiresAt" in createSession(policyWith({ expiresAt: () => none }), {}, 5),
        false,
      );
    }
    for (const seconds of [1e8, 1_800_000_000, 1_800_000_000.5, 1e11 - 1]) {
      for (const end of [seconds, new Date(seconds)]) {
        const policy = policyWith({ expiresAt: () => end });
        assertThrows(() => createSession(policy, {}, 5), RangeError, "multiply it by 1000");
      }
    }
  });
});
