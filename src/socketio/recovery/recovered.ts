import { isObject } from "../../core/checks.ts";
import type { Previous } from "../../core/states.ts";
import type { RawSocket } from "../internals.ts";
import { noteBegin } from "./begin.ts";

/** A lost connection that has come back. */
export interface Recovered {
  /** Whose it was. */
  readonly previous: Previous;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The last packet that the client has seen, as the adapter names it, of those of its session. */
  readonly offset: string;
  /** Where its session began, in the adapter's terms. */
  readonly begin: string;
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

/** A socket signs in: it gets the data of a lost one back, but for what it has been given since. */
export function giveBack(socket: RawSocket, recovered: Recovered | undefined): void {
  if (!socket.nsp.server.opts.connectionStateRecovery) return;
  noteBegin(socket, recovered?.begin);
  if (!recovered) return;
  const { data } = socket;
  const isMerged = isObject(data) && isObject(recovered.data);
  socket.data = isMerged ? Object.assign(data, { ...recovered.data, ...data }) : recovered.data;
}
