import type { Clock, Revocation } from "./interface.ts";
import { FIRST_REMINDER, type Revocations } from "./revocations.ts";

/**
 * Says revocations again for as long as they matter: for nodes that were cut off
 * or paused, or have only just started.
 */
export class Reminders {
  readonly #clock: Clock;
  readonly #revocations: Revocations;
  readonly #say: (revocations: readonly Revocation[]) => void;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(
    clock: Clock,
    revocations: Revocations,
    say: (revocations: readonly Revocation[]) => void,
  ) {
    this.#clock = clock;
    this.#revocations = revocations;
    this.#say = say;
  }

  /** There is something new to say. */
  wake(): void {
    this.#wait(this.#clock.monotonic() + FIRST_REMINDER);
  }

  #wait(at: number): void {
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(at - this.#clock.monotonic(), () => this.#remind());
    this.#timer = { at, cancel };
  }

  #remind(): void {
    this.#timer = undefined;
    const due = this.#revocations.takeDue();
    if (due.length > 0) this.#say(due);
    // Not for each of them: those that are due within the same second are said together.
    if (this.#revocations.nextDue === undefined) return;
    const soon = this.#clock.monotonic() + FIRST_REMINDER / 2;
    this.#wait(Math.max(this.#revocations.nextDue, soon));
  }
}
