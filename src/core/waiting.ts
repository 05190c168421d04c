import { compact } from "./compact.ts";
import { type Held, NOTHING, plus } from "./hold.ts";
import type { Direction, Ledger } from "./holdings.ts";
import { measure, type Size } from "./measure.ts";
import type { Policy } from "./policy.ts";

/** The part of a gate that holding messages depends on. */
export interface Owner {
  readonly policy: Pick<Policy<never>, "incoming" | "outgoing" | "holdLimit">;
  readonly ledger: Ledger;
  cut(code: "too_many_events"): void;
  report(during: string, error: unknown): void;
}

interface Queue<T> {
  readonly items: T[];
  held: Held;
}

/**
 * The state of a peer while its gate is not open both ways, and again when its session is over; an
 * authenticated peer has none. Decides which messages pass, are held, or are lost.
 *
 * Outwards the gate is `shut`, then `open`. `over` comes last, from either.
 *
 * @typeParam In an event of the client, as the binding has it
 * @typeParam Out an event of the server, as the binding has it
 */
export class Waiting<In, Out> {
  readonly #owner: Owner;
  outwards: "shut" | "open" | "over" = "shut";
  /** Whether the client's events reach the application. */
  isOpenInwards = false;
  #in: Queue<In> | undefined;
  #out: Queue<Out> | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get isAdmitted(): boolean {
    return this.outwards === "open";
  }

  get isOpen(): boolean {
    return this.outwards === "open" && this.isOpenInwards;
  }

  /**
   * Returns whether a message of the client may go to the application now. If not, it is held or
   * lost. `isResponse` if it answers an event of the server; `content` is measured.
   */
  mayReceive(item: In, content: unknown, isResponse: boolean): boolean {
    if (this.outwards === "over") return false;
    const { incoming } = this.#owner.policy;
    if (this.isOpenInwards) return true;
    if (incoming === "pass") return this.isAdmitted || this.#isPlain(content);
    // A hook that the client's events wait for may wait for the client's answer.
    if (this.isAdmitted && isResponse) return true;
    if (incoming === "drop" && !this.isAdmitted) return false;
    const size = this.#measure(content);
    const mayBe = size.isPlain || this.isAdmitted;
    const queue = mayBe ? this.#hold(this.#in, "in", item, size) : undefined;
    if (!queue) {
      this.#owner.cut("too_many_events");
      return false;
    }
    this.#in = queue;
    if (size.hasBinary) compact(content);
    this.#owner.ledger.update();
    return false;
  }

  /**
   * Returns whether an event may go out to the client now. If not, it is held, or lost, and
   * `onLost` is called. `name` is for the operator; `content` is measured.
   */
  maySend(
    item: Out,
    name: unknown,
    content: unknown,
    isVolatile: boolean,
    onLost: () => void = () => {},
  ): boolean {
    const { outgoing } = this.#owner.policy;
    if (this.outwards === "open") return true;
    if (this.outwards === "shut" && outgoing === "pass") return true;
    const isHeld = this.outwards === "shut" && !isVolatile;
    if (!isHeld) {
      onLost();
      return false;
    }
    const queue = this.#hold(this.#out, "out", item, this.#measure(content));
    if (queue) {
      this.#out = queue;
      this.#owner.ledger.update();
    } else {
      this.#owner.report("emit", lost(name));
      onLost();
    }
    return false;
  }

  /** Takes out the events held for the client, oldest first. */
  takeOutgoing(): Out[] {
    const queue = this.#out;
    this.#out = undefined;
    return this.#release("out", queue);
  }

  takeIncoming(): In[] {
    const queue = this.#in;
    this.#in = undefined;
    return this.#release("in", queue);
  }

  discard(): void {
    this.takeIncoming();
    this.takeOutgoing();
  }

  /** Before the sign-in, a client that sends anything but plain data is cut. */
  #isPlain(content: unknown): boolean {
    const { isPlain } = measure(content, Infinity);
    if (!isPlain) this.#owner.cut("too_many_events");
    return isPlain;
  }

  #hold<T>(
    queue: Queue<T> | undefined,
    direction: Direction,
    item: T,
    size: Size,
  ): Queue<T> | undefined {
    const taken = this.#owner.ledger.add(direction, size);
    if (!taken) return undefined;
    queue ??= { items: [], held: NOTHING };
    queue.items.push(item);
    queue.held = plus(queue.held, taken);
    return queue;
  }

  #release<T>(direction: Direction, queue: Queue<T> | undefined): T[] {
    if (!queue) return [];
    this.#owner.ledger.remove(direction, queue.held);
    return queue.items;
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
