import { assertEquals, describe, it } from "#testing";
import type { RawSocket } from "../../src/socketio/internals.ts";
import { CatchUp } from "../../src/socketio/recovery/catch_up.ts";

describe("a socket that catches up", () => {
  it("is a bare one again a second after it got what it has missed", () => {
    const client = { writeToEngine() {} };
    const socket = { client } as unknown as RawSocket;
    const before = Object.keys(socket);
    const catchUp = new CatchUp(socket);
    const [delay, pass] = timerOf(() => catchUp.open([], () => {}, () => {}));
    assertEquals(delay, 1000);
    pass();
    assertEquals([Object.keys(socket), socket.client as unknown === client], [before, true]);
  });
});

/** Returns the delay and the function of the timer that `call` starts. */
function timerOf(call: () => void): [delay: number, fn: () => void] {
  const { setTimeout } = globalThis;
  let timer: [number, () => void] | undefined;
  globalThis.setTimeout = ((fn: () => void, delay: number) => {
    timer = [delay, fn];
    return 0;
  }) as never;
  try {
    call();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return timer!;
}
