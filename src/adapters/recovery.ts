/**
 * Connection state recovery, made safe. On its own, Socket.IO hands rooms and
 * missed packets to whoever knows a `pid`, before anybody is asked. Here the
 * adapter's two methods for it are taken over: only sessions of users who are
 * signed in and have an id are kept, under keys of their own; and what is
 * kept goes to the same user, after they have signed in again, once.
 *
 * @module
 */
import { type Session, type Subject, subjectOf } from "../core/session.ts";
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
  /** Only if it may be resumed. */
  readonly session?: Session<unknown>;
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
  /** The session, if it goes on as it is. */
  readonly resumable: Session<unknown> | undefined;
  /** The rooms it was in. */
  readonly rooms: readonly string[];
  /** The application's `socket.data`. */
  readonly data: unknown;
  readonly #missed: unknown[];
  readonly #missedSince: (rooms: string[]) => Promise<unknown[] | undefined>;

  constructor(
    previous: Previous,
    resumable: Session<unknown> | undefined,
    kept: Kept,
    { rooms, missedPackets }: RawSession,
    missedSince: (rooms: string[]) => Promise<unknown[] | undefined>,
  ) {
    this.previous = previous;
    this.resumable = resumable;
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
    const verdict = await guard.judge(kept.node, kept.subject, kept.since);
    if (verdict === "revoked") return null;
    async function missedSince(rooms: string[]): Promise<unknown[] | undefined> {
      // Some adapters have forgotten it by now, to restore it only once.
      await persistSession.call(adapter, { ...session!, rooms });
      const again = await restoreSession.call(adapter, keyOf(pid), offset);
      return again?.missedPackets;
    }
    const previous = { ...kept.subject, since: sinceOf(kept, guard) };
    const mayResume = guard.policy.recovery === "resume" && verdict === "good";
    const resumable = mayResume ? kept.session : undefined;
    const recovery = new Recovery(previous, resumable, kept, session, missedSince);
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
    ...host.policy.recovery === "resume" && { session },
    data,
  };
}

/** All namespaces and policies may share one store. */
function isMeantFor(kept: Kept, nsp: RawNamespace, guard: Guard<unknown>): boolean {
  return kept.namespace === nsp.name && kept.policy === guard.name;
}

/** When a session began, by the clock of this node; clocks of others say nothing here. */
function sinceOf({ node, since }: Kept, guard: Guard<unknown>): number {
  return node === guard.node ? since : -Infinity;
}
