/** How much is held for one socket in one direction. */
export interface HoldLimit {
  /** Messages. */
  readonly events: number;
  /** Bytes, approximately: see PROTOCOL.md on how they are counted. */
  readonly bytes: number;
}

/** A bounded queue. When it is full, what it holds stays and nothing is added. */
export class Hold<T> {
  #items: T[] = [];
  #bytes = 0;

  /** Adds an item of `bytes` bytes. Returns whether there was room. */
  add(item: T, bytes: number, limit: HoldLimit): boolean {
    if (this.#items.length >= limit.events || this.#bytes + bytes > limit.bytes) return false;
    this.#items.push(item);
    this.#bytes += bytes;
    return true;
  }

  /** Takes everything out, oldest first. */
  drain(): T[] {
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    return items;
  }
}
