import { compact } from "./compact.ts";
import { Hold } from "./hold.ts";
import type { Holder, Holdings } from "./holdings.ts";
import { measure, type Size } from "./measure.ts";
import type { Policy } from "./policy.ts";

/** Whose gate it is. */
export interface Owner {
  readonly policy: Pick<Policy<never>, "incoming" | "outgoing" | "holdLimit">;
  /** What is held of all under the policy. */
  readonly holdings: Holdings;
  /** Ends the connection for a limit that was passed. */
  cut(code: "too_many_events" | "server_busy"): void;
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
export class Waiting<In, Out> implements Holder {
  readonly #owner: Owner;
  outwards: "shut" | "open" | "over" = "shut";
  /** Whether the client's own events reach the application. */
  isOpenInwards = false;
  #inbox: Hold<In> | undefined;
  #outbox: Hold<Out> | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

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
  mayReceive(item: In, content: unknown, isResponse: boolean): boolean {
    if (this.outwards === "over") return false;
    const { incoming } = this.#owner.policy;
    if (this.isOpenInwards || incoming === "pass") return true;
    // A hook that the client's events wait for may wait for the client's answer.
    if (this.isAdmitted && isResponse) return true;
    if (incoming === "drop" && !this.isAdmitted) return false;
    const size = this.#measure(content);
    this.#inbox ??= new Hold();
    if (!this.#inbox.add(item, size, this.#owner.policy.holdLimit)) {
      this.#owner.cut("too_many_events");
      return false;
    }
    if (size.hasBinary) compact(content);
    this.#owner.holdings.update(this);
    return false;
  }

  /**
   * Whether an event for the client may go out now. If not, it is held, or lost;
   * then `onLost` is called. `name` is for the operator; `content` is what is
   * measured.
   */
  maySend(
    item: Out,
    name: unknown,
    content: unknown,
    isVolatile: boolean,
    onLost: () => void = () => {},
  ): boolean {
    const { outgoing, holdLimit } = this.#owner.policy;
    if (this.outwards === "open") return true;
    if (this.outwards === "shut" && outgoing === "pass") return true;
    const isHeld = this.outwards === "shut" && !isVolatile;
    if (!isHeld) {
      onLost();
      return false;
    }
    const size = this.#measure(content);
    this.#outbox ??= new Hold();
    if (this.#outbox.add(item, size, holdLimit)) this.#owner.holdings.update(this);
    else {
      this.#owner.report("emit", lost(name));
      onLost();
    }
    return false;
  }

  /** Takes out what was held for the client, oldest first. */
  takeOutgoing(): Out[] {
    return this.#take(this.#outbox);
  }

  /** Takes out what the client has sent, oldest first. */
  takeIncoming(): In[] {
    return this.#take(this.#inbox);
  }

  /** What is held is of no use any more. */
  discard(): void {
    if (!this.#inbox && !this.#outbox) return;
    this.#inbox = this.#outbox = undefined;
    this.#owner.holdings.update(this);
  }

  get cost(): number {
    return (this.#inbox?.cost ?? 0) + (this.#outbox?.cost ?? 0);
  }

  giveUp(): void {
    this.discard();
    this.#owner.cut("server_busy");
  }

  #take<T>(hold: Hold<T> | undefined): T[] {
    const items = hold?.drain() ?? [];
    if (items.length > 0) this.#owner.holdings.update(this);
    return items;
  }

  #measure(content: unknown): Size {
    return measure(content, this.#owner.policy.holdLimit.bytes);
  }
}

function lost(name: unknown): Error {
  return new Error(
    `The event "${name}" to a socket that is not authenticated was lost: more is held for it ` +
      "than holdLimit allows. Emit after authentication, or raise the limit.",
  );
}
