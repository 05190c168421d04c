import type { Previous } from "../../core/states.ts";

/** Asks the adapter again what was sent to some rooms since the connection was lost. */
type Ask = (rooms: string[]) => Promise<unknown[] | undefined>;

/** A lost connection that has come back, and what it is owed. */
export class Recovered {
  /** Whose it was. */
  readonly previous: Previous;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The application's `socket.data`. */
  readonly data: unknown;
  readonly #missed: unknown[];
  readonly #ask: Ask;

  constructor(
    previous: Previous,
    data: unknown,
    { rooms, missedPackets = [] }: { rooms: string[]; missedPackets?: unknown[] },
    ask: Ask,
  ) {
    this.previous = previous;
    this.rooms = rooms;
    this.data = data;
    this.#missed = missedPackets;
    this.#ask = ask;
  }

  /**
   * What was sent since the connection was lost, and also while the client was
   * signing in, to those of its rooms that it is still in.
   */
  async missed(rooms: readonly string[], onError: (error: unknown) => void): Promise<unknown[]> {
    try {
      const missed = await this.#ask(this.rooms.filter((room) => rooms.includes(room)));
      if (missed) return missed;
    } catch (error) {
      onError(error);
    }
    return this.#missed;
  }
}
