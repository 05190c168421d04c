import { systemClock } from "../../core/clock.ts";
import { within } from "../../core/within.ts";

/** How long a store may take, in ms: a client that has no answer by then is a new one. */
const LIMIT = 2000;

/** Waits for a store, but not for ever. */
export function withinLimit<T>(call: () => Promise<T>): Promise<T> {
  return within(systemClock, LIMIT, "The store of lost connections", call);
}
