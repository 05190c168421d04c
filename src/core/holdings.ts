/** One socket's messages that are held, in both directions. */
export interface Holder {
  /** What it costs to hold them now, in bytes. */
  readonly cost: number;
  /** Forgets them, and ends the connection: there is no room for it. */
  giveUp(): void;
}

/** What is held of all pending sockets under one policy. */
export class Holdings {
  readonly #limit: number;
  /** As it was when they were last seen. */
  readonly #costs: Map<Holder, number> = new Map();
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** In bytes, with what each message costs besides its contents. */
  get total(): number {
    return this.#total;
  }

  /** The cost of a holder has changed. If it is too much for all, whoever holds most gives up. */
  update(holder: Holder): void {
    const { cost } = holder;
    this.#total += cost - (this.#costs.get(holder) ?? 0);
    if (cost > 0) this.#costs.set(holder, cost);
    else this.#costs.delete(holder);
    if (this.#total > this.#limit) this.#largest?.giveUp();
  }

  get #largest(): Holder | undefined {
    let largest: Holder | undefined;
    for (const [holder, cost] of this.#costs) {
      if (!largest || cost > this.#costs.get(largest)!) largest = holder;
    }
    return largest;
  }
}
