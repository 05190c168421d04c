import { Hold } from "./hold.ts";
import { measure } from "./measure.ts";
import type { Policy } from "./policy.ts";
import type { Code } from "../protocol.ts";

/** Whose gate it is. */
export interface Owner {
  readonly policy: Pick<Policy<never>, "incoming" | "outgoing" | "holdLimit">;
  /** Ends the connection for a reason of the server's own. */
  end(code: Code): void;
  /** Something unexpected, for the operator. */
  report(during: string, error: unknown): void;
}

/**
 * What a peer has while its gate is not open both ways, and again when it is
 * over; an authenticated one has none of it. It decides what passes, what is
 * held, and what is lost.
 *
 * Outwards the gate is `shut`, then `open`; `over` comes last, from anywhere.
 *
 * @typeParam In an event of the client, as the binding has it
 * @typeParam Out the same of the server
 */
export class Waiting<In, Out> {
  outwards: "shut" | "open" | "over" = "shut";
  /** Whether the client's own events reach the application. */
  isOpenInwards = false;
  #inbox: Hold<In> | undefined;
  #outbox: Hold<Out> | undefined;

  /** Whether the session is in force, as far as this peer is concerned. */
  get isAdmitted(): boolean {
    return this.outwards === "open";
  }

  /** Whether nothing of it is needed any more. */
  get isOpen(): boolean {
    return this.outwards === "open" && this.isOpenInwards;
  }

  /**
   * Whether something that the client has sent may go to the application now.
   * If not, it is held, or lost. `isResponse` if it answers an event of the
   * server's; `content` is what is measured.
   */
  mayReceive(owner: Owner, item: In, content: unknown, isResponse: boolean): boolean {
    if (this.outwards === "over") return false;
    const { incoming, holdLimit } = owner.policy;
    if (this.isOpenInwards || incoming === "pass") return true;
    // A hook that the client's events wait for may wait for the client's answer.
    if (this.isAdmitted && isResponse) return true;
    if (incoming === "drop" && !this.isAdmitted) return false;
    this.#inbox ??= new Hold();
    const { bytes } = measure(content, holdLimit.bytes);
    if (!this.#inbox.add(item, bytes, holdLimit)) owner.end("too_many_events");
    return false;
  }

  /**
   * Whether an event for the client may go out now. If not, it is held, or lost.
   * `name` is for the operator; `content` is what is measured.
   */
  maySend(owner: Owner, item: Out, name: unknown, content: unknown, isVolatile: boolean): boolean {
    if (this.outwards === "over") return false;
    const { outgoing, holdLimit } = owner.policy;
    if (this.outwards === "open") return true;
    if (this.outwards === "shut" && outgoing === "pass") return true;
    if (isVolatile) return false;
    this.#outbox ??= new Hold();
    const { bytes } = measure(content, holdLimit.bytes);
    if (!this.#outbox.add(item, bytes, holdLimit)) owner.report("emit", lost(name));
    return false;
  }

  /** Takes out what was held for the client, oldest first. */
  takeOutgoing(): Out[] {
    return this.#outbox?.drain() ?? [];
  }

  /** Takes out what the client has sent, oldest first. */
  takeIncoming(): In[] {
    return this.#inbox?.drain() ?? [];
  }
}

function lost(name: unknown): Error {
  return new Error(
    `The event "${name}" to a socket that is not authenticated was lost: more is held for it ` +
      "than holdLimit allows. Emit after authentication, or raise the limit.",
  );
}
