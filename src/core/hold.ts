import type { Size } from "./measure.ts";

/** How much is held while a client connection is pending. */
export interface HoldLimit {
  /** Messages of one client connection in one direction. */
  readonly events: number;
  /** Their bytes, as PROTOCOL.md counts them. */
  readonly bytes: number;
  /**
   * Bytes of all pending client connections under the policy together, with what each message
   * costs besides, and each socket of a connection but its first.
   */
  readonly total: number;
}

/** Unless the application says otherwise. */
export const HOLD_LIMIT: HoldLimit = { events: 1000, bytes: 262_144, total: 16_777_216 };

/** What a message costs besides its contents, in bytes, or so; and each value in it. */
const OVERHEAD = 128;
const VALUE = 24;

/** Messages of a socket, or of a client connection, that are held, and what they take. */
export interface Held {
  readonly events: number;
  readonly bytes: number;
  readonly cost: number;
}

/** Nothing that is held. */
export const NOTHING: Held = { events: 0, bytes: 0, cost: 0 };

/** What a message takes. */
export function heldOf({ bytes, values }: Size): Held {
  return { events: 1, bytes, cost: OVERHEAD + bytes + values * VALUE };
}

/** Adds up. */
export function plus(a: Held, b: Held): Held {
  return { events: a.events + b.events, bytes: a.bytes + b.bytes, cost: a.cost + b.cost };
}

/** Takes away. */
export function minus(a: Held, b: Held): Held {
  return { events: a.events - b.events, bytes: a.bytes - b.bytes, cost: a.cost - b.cost };
}
