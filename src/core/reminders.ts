import type { Clock, Revocation } from "./interface.ts";
import { FIRST_REMINDER } from "./remembered.ts";
import type { Revocations } from "./revocations.ts";

/**
 * Says revocations again for as long as they matter: for nodes that were cut off
 * or paused, or have only just started. Returns a function to call when there is
 * something new to say.
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
    // Not for each of them: those that are due within the same second are said together.
    const { nextDue } = revocations;
    if (nextDue !== undefined) wait(Math.max(nextDue, clock.monotonic() + FIRST_REMINDER / 2));
  }

  return () => wait(clock.monotonic() + FIRST_REMINDER);
}
