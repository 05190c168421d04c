import type { Clock, Revocation } from "./interface.ts";
import { FIRST_REMINDER } from "./remembered.ts";
import type { Revocations } from "./revocations.ts";

/**
 * Repeats revocations for as long as they matter, for nodes that were cut off, paused, or not
 * running. Returns a function to call when there is a new revocation.
 */
export function remindOf(
  revocations: Revocations,
  clock: Clock,
  say: (revocations: readonly Revocation[]) => void,
): () => void {
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;

  function wait(at: number): void {
    if (timer && timer.at <= at) return;
    timer?.cancel();
    timer = { at, cancel: clock.after(at - clock.monotonic(), remind) };
  }

  function remind(): void {
    timer = undefined;
    const due = revocations.takeDue();
    if (due.length > 0) say(due);
    // Those that are due within the same second are repeated together.
    const { nextDue } = revocations;
    if (nextDue !== undefined) wait(Math.max(nextDue, clock.monotonic() + FIRST_REMINDER / 2));
  }

  return () => wait(clock.monotonic() + FIRST_REMINDER);
}
