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

  /** Sends everything, in order, as if it were emitted now; what throws goes to `onError`. */
  release(socket: RawSocket, onError: (error: unknown) => void): void {
    for (const { args, flags, heldAt, cancelTimeout } of this.#held.drain()) {
      cancelTimeout?.();
      // `timeout` counts from the moment the application called `emit`.
      const waited = this.#clock.monotonic() - heldAt;
      socket.flags = flags.timeout === undefined
        ? flags
        : { ...flags, timeout: Math.max(flags.timeout - waited, 0) };
      try {
        socket.emit(...args);
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Gives up on everything: acknowledgements that can fail, do. */
  discard(onError: (error: unknown) => void): void {
    for (const { args, cancelTimeout } of this.#held.drain()) {
      if (!cancelTimeout) continue;
      cancelTimeout();
      try {
        fail(args, "socket has been disconnected");
      } catch (error) {
        onError(error);
      }
    }
  }

  /** An emit whose acknowledgement has timed out is not sent any more. */
  #watchTimeout(held: HeldEmit): void {
    const cancel = expireAcknowledgement(held.args, held.flags, this.#clock, () => {
      this.#held.remove(held, held.bytes);
    });
    if (cancel) held.cancelTimeout = cancel;
  }
}

/**
 * Fails the acknowledgement of an emit after its timeout, if it has one, as
 * socket.io does for an emit that was sent. Returns what takes that back.
 */
export function expireAcknowledgement(
  args: readonly unknown[],
  { timeout }: Flags,
  clock: Clock,
  onTimeout?: () => void,
): (() => void) | undefined {
  if (timeout === undefined || typeof args.at(-1) !== "function") return undefined;
  return clock.after(timeout, () => {
    onTimeout?.();
    fail(args, "operation has timed out");
  });
}

function fail(args: readonly unknown[], message: string): void {
  (args.at(-1) as (error: Error) => void)(new Error(message));
}
