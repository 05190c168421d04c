import { assertEquals, describe, it } from "#testing";
import { startExpiry, startTimer } from "../../src/core/timer.ts";
import { FakeClock } from "./fakes.ts";

describe("timer", () => {
  it("a paused deadline waits, and runs on with what was left", () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = startTimer(clock, 100, () => fired++);
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
    startExpiry(clock, clock.now() + months, Infinity, () => fired++);
    clock.advance(months - 1);
    assertEquals(fired, 0);
    clock.advance(1);
    assertEquals([fired, clock.pending], [1, 0]);
  });

  it("an expiry notices within a minute that the machine has slept", () => {
    const clock = new FakeClock();
    let fired = false;
    startExpiry(clock, clock.now() + 3_600_000, Infinity, () => fired = true);
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
      let fired = 0;
      const timer = kind === "deadline"
        ? startTimer(clock, 100, () => fired++)
        : startExpiry(clock, clock.now() + 100, Infinity, () => fired++);
      timer.catchUp();
      clock.block(99);
      timer.catchUp();
      assertEquals(fired, 0, kind);
      clock.block(1);
      timer.catchUp();
      timer.catchUp();
      timer.resume();
      clock.advance(1000);
      assertEquals([fired, clock.pending], [1, 0], kind);
    }
  });

  it("a paused one catches up with nothing", () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = startTimer(clock, 100, () => fired++);
    timer.pause();
    clock.block(1000);
    timer.catchUp();
    assertEquals(fired, 0);
    timer.resume();
    clock.advance(100);
    assertEquals(fired, 1);
  });

  it("stops", () => {
    const clock = new FakeClock();
    startExpiry(clock, clock.now() + 5, Infinity, () => {}).stop();
    assertEquals(clock.pending, 0);
  });
});
