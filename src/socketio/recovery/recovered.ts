import type { Previous } from "../../core/states.ts";

/** A lost connection that has come back. */
export interface Recovered {
  /** Whose it was. */
  readonly previous: Previous;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The last packet that the client has seen, as the adapter names it. */
  readonly offset: string;
  /** The application's `socket.data`. */
  readonly data: unknown;
  /** Keeps it once more, as it was: a client that is lost again is no worse off than before. */
  keepAgain(): void;
  /**
   * What was sent since the connection was lost to those of its rooms that it is
   * still in. Rejects if that is not known any more.
   */
  missed(current: readonly string[]): Promise<unknown[]>;
}
