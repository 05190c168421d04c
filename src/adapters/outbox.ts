import { Hold, type HoldLimit } from "../core/hold.ts";
import type { Clock } from "../core/interface.ts";
import { measure } from "../core/measure.ts";
import type { Flags, RawSocket } from "./internals.ts";

interface HeldEmit {
  readonly args: [event: string, ...args: unknown[]];
  readonly flags: Flags;
  readonly bytes: number;
  readonly heldAt: number;
  /** Stops the acknowledgement's own timeout, where it has one. */
  cancelTimeout?: () => void;
}

/** The direct emits held for one socket until its client is authenticated. */
export class Outbox {
  readonly #limit: HoldLimit;
  readonly #clock: Clock;
  readonly #held: Hold<HeldEmit> = new Hold();

  constructor(limit: HoldLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Holds an emit with its flags. Returns whether there was room. */
  add(args: [event: string, ...args: unknown[]], flags: Flags): boolean {
    const { bytes } = measure(args, this.#limit.bytes);
    const held: HeldEmit = { args, flags, bytes, heldAt: this.#clock.monotonic() };
    if (!this.#held.add(held, bytes, this.#limit)) return false;
    this.#watchTimeout(held);
    return true;
  }

  /** Sends everything, in order, as if it were emitted now. */
  release(socket: RawSocket): void {
    for (const { args, flags, heldAt, cancelTimeout } of this.#held.drain()) {
      cancelTimeout?.();
      // `timeout` counts from the moment the application called `emit`.
      const waited = this.#clock.monotonic() - heldAt;
      socket.flags = flags.timeout === undefined
        ? flags
        : { ...flags, timeout: Math.max(flags.timeout - waited, 0) };
      socket.emit(...args);
    }
  }

  /** Gives up on everything: acknowledgements that can fail, do. */
  discard(): void {
    for (const held of this.#held.drain()) {
      held.cancelTimeout?.();
      if (held.cancelTimeout) fail(held, "socket has been disconnected");
    }
  }

  /** An emit whose acknowledgement has timed out is not sent any more. */
  #watchTimeout(held: HeldEmit): void {
    const { timeout } = held.flags;
    if (timeout === undefined || typeof held.args.at(-1) !== "function") return;
    held.cancelTimeout = this.#clock.after(timeout, () => {
      this.#held.remove(held, held.bytes);
      fail(held, "operation has timed out");
    });
  }
}

function fail(held: HeldEmit, message: string): void {
  (held.args.at(-1) as (error: Error) => void)(new Error(message));
}
