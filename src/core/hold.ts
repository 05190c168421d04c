import type { Size } from "./measure.ts";

/** How much is held while sockets are pending. */
export interface HoldLimit {
  /** Messages of one socket in one direction. */
  readonly events: number;
  /** Their bytes, as PROTOCOL.md counts them. */
  readonly bytes: number;
  /** Bytes of all pending sockets under the policy together, with what each message costs besides. */
  readonly total: number;
}

/** Unless the application says otherwise. */
export const HOLD_LIMIT: HoldLimit = { events: 1000, bytes: 262_144, total: 16_777_216 };

/** What a message costs besides its contents, in bytes, or so; and each value in it. */
const OVERHEAD = 128;
const VALUE = 24;

/** A bounded queue. When it is full, what it holds stays and nothing is added. */
export class Hold<T> {
  #items: T[] = [];
  #bytes = 0;
  #cost = 0;

  /** What it costs to hold, in bytes. */
  get cost(): number {
    return this.#cost;
  }

  /** Adds an item. Returns whether there was room. */
  add(item: T, { bytes, values }: Size, limit: HoldLimit): boolean {
    if (this.#items.length >= limit.events || this.#bytes + bytes > limit.bytes) return false;
    this.#items.push(item);
    this.#bytes += bytes;
    this.#cost += OVERHEAD + bytes + values * VALUE;
    return true;
  }

  /** Takes everything out, oldest first. */
  drain(): T[] {
    const items = this.#items;
    this.#items = [];
    this.#bytes = this.#cost = 0;
    return items;
  }
}
