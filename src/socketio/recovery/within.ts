import { systemClock } from "../../core/clock.ts";
import { within } from "../../core/within.ts";

/** Time limit for a store, in ms. A client without an answer by then begins a new session. */
const LIMIT = 2000;

export function withinLimit<T>(call: () => Promise<T>): Promise<T> {
  return within(systemClock, LIMIT, "The store of lost connections", call);
}
