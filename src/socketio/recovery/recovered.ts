import type { Previous } from "../../core/states.ts";
import type { Kept } from "./kept.ts";

/** Asks the adapter what was sent to some rooms since the connection was lost. */
type Ask = (rooms: readonly string[]) => Promise<unknown[]>;

/** A lost connection that has come back. */
export class Recovered {
  /** Whose it was. */
  readonly previous: Previous;
  readonly kept: Kept;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  readonly #ask: Ask;

  constructor(previous: Previous, kept: Kept, rooms: readonly string[], ask: Ask) {
    this.previous = previous;
    this.kept = kept;
    this.rooms = rooms;
    this.#ask = ask;
  }

  /**
   * What was sent since the connection was lost to those of its rooms that it is
   * still in. Rejects if that is not known any more.
   */
  missed(rooms: readonly string[]): Promise<unknown[]> {
    return this.#ask(this.rooms.filter((room) => rooms.includes(room)));
  }
}
