import { isObject } from "../../core/checks.ts";
import type { Previous } from "../../core/states.ts";
import type { RawSocket } from "../internals.ts";
import { noteBegin } from "./begin.ts";

/** A lost connection that has come back. */
export interface Recovered {
  /** The lost session. */
  readonly previous: Previous;
  readonly rooms: readonly string[];
  /** The last packet of its session that the client has seen, as the adapter names it. */
  readonly offset: string;
  /** Where its session began, in the adapter's terms. */
  readonly begin: string;
  readonly data: unknown;
  /** Keeps the connection once more: a client that is lost again is no worse off than before. */
  keepAgain(): void;
  /**
   * Returns the packets that were sent, since the connection was lost, to those rooms that the
   * socket is still in. Rejects if they are not known any more.
   */
  missed(current: readonly string[]): Promise<unknown[]>;
}

/** Gives the data of a lost connection back to a socket that signs in. Newer members win. */
export function giveBack(socket: RawSocket, recovered: Recovered | undefined): void {
  if (!socket.nsp.server.opts.connectionStateRecovery) return;
  noteBegin(socket, recovered?.begin);
  if (!recovered) return;
  const { data } = socket;
  const isMerged = isObject(data) && isObject(recovered.data);
  socket.data = isMerged ? Object.assign(data, { ...recovered.data, ...data }) : recovered.data;
}
