import { type Held, heldOf, type HoldLimit, minus, NOTHING, plus } from "./hold.ts";
import type { Size } from "./measure.ts";

/** What a pending socket of a client connection costs, but the first one, in bytes, or so. */
const SOCKET = 1024;

/** The way a message goes, as seen from the server. */
export type Direction = "in" | "out";

/** What the sockets of one client connection hold, in both directions. */
export class Ledger {
  readonly #holdings: Holdings;
  readonly #limit: HoldLimit;
  readonly #giveUp: () => void;
  readonly #held: Record<Direction, Held> = { in: NOTHING, out: NOTHING };
  #sockets = 0;
  /** There was no room for it: until it is empty, it does not count any more. */
  #isGivenUp = false;

  /** Has `giveUp` called when there is no room for it any more. */
  constructor(holdings: Holdings, limit: HoldLimit, giveUp: () => void) {
    this.#holdings = holdings;
    this.#limit = limit;
    this.#giveUp = giveUp;
  }

  /** What it costs to hold all that, in bytes. */
  get cost(): number {
    return this.#isGivenUp ? 0 : this.#size;
  }

  get #size(): number {
    return this.#held.in.cost + this.#held.out.cost + this.#sockets * SOCKET;
  }

  /** Counts a message in, and returns what it takes; nothing if there is no room for it. */
  add(direction: Direction, size: Size): Held | undefined {
    const taken = heldOf(size);
    const held = plus(this.#held[direction], taken);
    if (held.events > this.#limit.events || held.bytes > this.#limit.bytes) return undefined;
    this.#held[direction] = held;
    return taken;
  }

  /** Counts messages out. */
  remove(direction: Direction, held: Held): void {
    this.#held[direction] = minus(this.#held[direction], held);
    this.update();
  }

  /** Counts the sockets that are pending, but the first one. */
  countSockets(count: number): void {
    if (count === this.#sockets) return;
    this.#sockets = count;
    this.update();
  }

  /** Its cost has changed. */
  update(): void {
    if (this.#size === 0) this.#isGivenUp = false;
    this.#holdings.update(this);
  }

  /** Forgets it, and ends the connection: there is no room for it. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#holdings.update(this);
    this.#giveUp();
  }
}

/** What is held of all client connections that are pending under one policy. */
export class Holdings {
  readonly #limit: number;
  /** As it was when they were last seen. */
  readonly #costs: Map<Ledger, number> = new Map();
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** In bytes, with what each message and socket costs besides its contents. */
  get total(): number {
    return this.#total;
  }

  /** The cost of a ledger has changed. If it is too much for all, the largest one is given up. */
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
