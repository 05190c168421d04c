import { type Held, heldOf, type HoldLimit, minus, NOTHING, plus } from "./hold.ts";
import type { Size } from "./measure.ts";

/** Approximate cost of each further pending socket of a client connection, in bytes. */
const SOCKET = 1024;

export type Direction = "in" | "out";

/** Counts what the sockets of one client connection hold, in both directions. */
export class Ledger {
  readonly #holdings: Holdings;
  readonly #limit: HoldLimit;
  readonly #giveUp: () => void;
  readonly #held: Record<Direction, Held> = { in: NOTHING, out: NOTHING };
  #sockets = 0;
  /** Set when the connection is given up. It does not count again before it is empty. */
  #isGivenUp = false;

  constructor(holdings: Holdings, limit: HoldLimit, giveUp: () => void) {
    this.#holdings = holdings;
    this.#limit = limit;
    this.#giveUp = giveUp;
  }

  get cost(): number {
    return this.#isGivenUp ? 0 : this.#size;
  }

  get #size(): number {
    return this.#held.in.cost + this.#held.out.cost + this.#sockets * SOCKET;
  }

  /** Counts a message in. Returns its size, or `undefined` if there is no room. */
  add(direction: Direction, size: Size): Held | undefined {
    const taken = heldOf(size);
    const held = plus(this.#held[direction], taken);
    if (held.events > this.#limit.events || held.bytes > this.#limit.bytes) return undefined;
    this.#held[direction] = held;
    return taken;
  }

  remove(direction: Direction, held: Held): void {
    this.#held[direction] = minus(this.#held[direction], held);
    this.update();
  }

  countSockets(count: number): void {
    if (count === this.#sockets) return;
    this.#sockets = count;
    this.update();
  }

  update(): void {
    if (this.#size === 0) this.#isGivenUp = false;
    this.#holdings.update(this);
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#holdings.update(this);
    this.#giveUp();
  }
}

/** Counts what all pending client connections under one policy hold. */
export class Holdings {
  readonly #limit: number;
  /** The cost of each ledger when it last changed. */
  readonly #costs: Map<Ledger, number> = new Map();
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** In bytes, including the overhead of messages and sockets. */
  get total(): number {
    return this.#total;
  }

  /** Counts the changed cost of a ledger. If the total is too high, the largest one is given up. */
  update(ledger: Ledger): void {
    const { cost } = ledger;
    this.#total += cost - (this.#costs.get(ledger) ?? 0);
    if (cost > 0) this.#costs.set(ledger, cost);
    else this.#costs.delete(ledger);
    if (this.#total > this.#limit) this.#largest?.giveUp();
  }

  get #largest(): Ledger | undefined {
    let largest: Ledger | undefined;
    for (const [ledger, cost] of this.#costs) {
      if (!largest || cost > this.#costs.get(largest)!) largest = ledger;
    }
    return largest;
  }
}
