import type { Previous } from "../../core/states.ts";

/** What is known of a lost connection. */
interface Lost {
  /** Whose it was. */
  readonly previous: Previous;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The last packet that the client has seen, as the adapter names it. */
  readonly offset: string;
  /** The application's `socket.data`. */
  readonly data: unknown;
  /** Keeps it once more, as it was: a client that is lost again is no worse off than before. */
  readonly keepAgain: () => void;
  /** Asks the adapter what was sent to some rooms since; rejects if that is not known any more. */
  readonly missed: (rooms: readonly string[]) => Promise<unknown[]>;
}

/** A lost connection that has come back. */
export class Recovered {
  readonly previous: Previous;
  readonly rooms: readonly string[];
  readonly offset: string;
  readonly data: unknown;
  readonly keepAgain: () => void;
  readonly #missed: Lost["missed"];

  constructor({ previous, rooms, offset, data, keepAgain, missed }: Lost) {
    this.previous = previous;
    this.rooms = rooms;
    this.offset = offset;
    this.data = data;
    this.keepAgain = keepAgain;
    this.#missed = missed;
  }

  /**
   * What was sent since the connection was lost to those of its rooms that it is
   * still in. Rejects if that is not known any more.
   */
  missed(rooms: readonly string[]): Promise<unknown[]> {
    return this.#missed(this.rooms.filter((room) => rooms.includes(room)));
  }
}
