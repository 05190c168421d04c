import type { Size } from "./measure.ts";

/** Limits of what is held while a client connection is pending. */
export interface HoldLimit {
  /** Messages of one client connection in one direction. */
  readonly events: number;
  /** Bytes of these messages, as PROTOCOL.md counts them. */
  readonly bytes: number;
  /**
   * Bytes of all pending client connections under the policy together. Each message costs 128 more,
   * each value in it 24, and each further socket of a connection 1024.
   */
  readonly total: number;
}

export const HOLD_LIMIT: HoldLimit = { events: 1000, bytes: 262_144, total: 16_777_216 };

/** Approximate overhead of a message, and of each value in it, in bytes. */
const OVERHEAD = 128;
const VALUE = 24;

export interface Held {
  readonly events: number;
  readonly bytes: number;
  readonly cost: number;
}

export const NOTHING: Held = { events: 0, bytes: 0, cost: 0 };

export function heldOf({ bytes, values }: Size): Held {
  return { events: 1, bytes, cost: OVERHEAD + bytes + values * VALUE };
}

export function plus(a: Held, b: Held): Held {
  return { events: a.events + b.events, bytes: a.bytes + b.bytes, cost: a.cost + b.cost };
}

export function minus(a: Held, b: Held): Held {
  return { events: a.events - b.events, bytes: a.bytes - b.bytes, cost: a.cost - b.cost };
}
