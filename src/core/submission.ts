import type { Peer } from "./interface.ts";
import type { Acknowledge, Outcome, Unauthorized } from "./protocol.ts";

/** An `authentication` event on its way through the machine. */
export interface Submission<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  readonly credentials: unknown;
  readonly acknowledge: Acknowledge | undefined;
  /** Stops the verifier, once it has been asked. */
  abort: (() => void) | undefined;
}

/** Answers a submission that was sent with an acknowledgement. */
export function answer(submission: Submission<unknown> | undefined, outcome: Outcome): void {
  submission?.acknowledge?.(outcome);
}

/** The same, with a refusal. */
export function refuse(submission: Submission<unknown> | undefined, refusal: Unauthorized): void {
  answer(submission, { ok: false, ...refusal });
}
