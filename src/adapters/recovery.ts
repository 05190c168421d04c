/**
 * Connection state recovery, made safe. On its own, Socket.IO hands rooms and
 * missed packets to whoever knows a `pid`, before anybody is asked. Here the
 * adapter's two methods for it are taken over: only sessions of users who are
 * signed in and have an id are kept, under keys of their own; and what is
 * kept goes to the same user, after they have signed in again, once.
 *
 * @module
 */
import { type Subject, subjectOf } from "../core/session.ts";
import type { Previous } from "../core/states.ts";
import { guardOf } from "./claims.ts";
import type { Gate } from "./gate.ts";
import type { Guard } from "./guard.ts";
import type { RawAdapter, RawNamespace, RawSession, RawSocket } from "./internals.ts";
import { gateOf } from "./slot.ts";

/** What stands in the place of `socket.data` in a session that is kept. */
interface Kept {
  /** Where it is good: all namespaces may share one store. */
  readonly namespace: string;
  readonly policy: string;
  /** Which node has kept it, and when the session began by that node's clock. */
  readonly node: string;
  readonly since: number;
  readonly subject: Subject;
  /** The id of the client connection, for a revocation that spares it. */
  readonly connection: string;
  /** The application's own. */
  readonly data: unknown;
}

const safe = new WeakSet<RawAdapter>();

/** Sessions that have been restored: adapters that keep them as they are do not forget them. */
const spent = new WeakSet<Kept>();

/** A lost connection that has come back, and what it is owed. */
export class Recovery {
  /** Whose it was. */
  readonly previous: Previous;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The application's `socket.data`. */
  readonly data: unknown;
  readonly #missed: unknown[];
  readonly #missedSince: (rooms: string[]) => Promise<unknown[] | undefined>;

  constructor(
    previous: Previous,
    kept: Kept,
    { rooms, missedPackets }: RawSession,
    missedSince: (rooms: string[]) => Promise<unknown[] | undefined>,
  ) {
    this.previous = previous;
    this.rooms = rooms;
    this.data = kept.data;
    this.#missed = missedPackets ?? [];
    this.#missedSince = missedSince;
  }

  /**
   * What was sent since the connection was lost, and also while the client was
   * signing in, to those of its rooms that it is still in.
   */
  async missed(rooms: readonly string[], onError: (error: unknown) => void): Promise<unknown[]> {
    try {
      const missed = await this.#missedSince(this.rooms.filter((room) => rooms.includes(room)));
      if (missed) return missed;
    } catch (error) {
      onError(error);
    }
    return this.#missed;
  }
}

/** Takes over the recovery of a namespace's adapter, if recovery is on. */
export function makeRecoverySafe(nsp: RawNamespace): void {
  const { adapter } = nsp;
  if (!nsp.server.opts.connectionStateRecovery || safe.has(adapter)) return;
  safe.add(adapter);
  const { persistSession, restoreSession } = adapter;
  // Away from namespaces without a gate: what they keep is worth nothing here.
  const keyOf = (pid: string) => `socketio-auth:${nsp.name}:${pid}`;

  adapter.persistSession = (session) => {
    const socket = nsp.sockets.get(session.sid);
    const gate = socket && gateOf(socket);
    const kept = gate && keep(gate, nsp, session.data);
    if (!kept) return;
    return persistSession.call(adapter, { ...session, pid: keyOf(session.pid), data: kept });
  };

  adapter.restoreSession = async (pid, offset) => {
    const session = await restoreSession.call(adapter, keyOf(pid), offset);
    const kept = session?.data as Kept | undefined;
    const guard = guardOf(nsp);
    if (!session || !kept || !guard || spent.has(kept) || !isMeantFor(kept, nsp, guard)) {
      return null;
    }
    spent.add(kept);
    const previous = previousOf(kept, guard);
    if (!guard.mayRecover(kept.node, previous)) return null;
    async function missedSince(rooms: string[]): Promise<unknown[] | undefined> {
      // Some adapters have forgotten it by now, to restore it only once.
      await persistSession.call(adapter, { ...session!, rooms });
      const again = await restoreSession.call(adapter, keyOf(pid), offset);
      return again?.missedPackets;
    }
    const recovery = new Recovery(previous, kept, session, missedSince);
    // Socket.IO puts `data` on the socket, where `takeRecovery` finds it.
    return { sid: session.sid, pid, rooms: [], missedPackets: [], data: recovery };
  };
}

/** What a new socket is owed, if it was recovered. */
export function takeRecovery(socket: RawSocket): Recovery | undefined {
  const { data } = socket;
  if (!(data instanceof Recovery)) return undefined;
  socket.data = data.data;
  return data;
}

/** What to keep of a socket; nothing if its user is not known, or not signed in. */
function keep(gate: Gate<unknown>, { name }: RawNamespace, data: unknown): Kept | undefined {
  const { host, session } = gate;
  if (!gate.isAdmitted || session?.userId === undefined) return undefined;
  return {
    namespace: name,
    policy: host.name,
    node: host.node,
    since: gate.since,
    subject: subjectOf(session),
    connection: gate.connectionId,
    data,
  };
}

/** All namespaces and policies may share one store. */
function isMeantFor(kept: Kept, nsp: RawNamespace, guard: Guard<unknown>): boolean {
  return kept.namespace === nsp.name && kept.policy === guard.name;
}

/** Whose it was; when it began only by the clock of this node, others say nothing here. */
function previousOf({ node, since, subject, connection }: Kept, guard: Guard<unknown>): Previous {
  return { ...subject, connection, since: node === guard.node ? since : -Infinity };
}
