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
import type { Guard } from "../core/guard.ts";
import type { Gate } from "./gate/gate.ts";
import { setAway } from "./gate/away.ts";
import { Recovered } from "./gate/recovered.ts";
import type { RawAdapter, RawClient, RawNamespace, RawSocket } from "./internals.ts";
import { gateOf } from "./gate/slot.ts";

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
    setAway(socket!);
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
    const recovered = new Recovered(previous, kept.data, session, missedSince);
    // Socket.IO puts `data` on the socket, where `takeRecovered` finds it.
    return { sid: session.sid, pid, rooms: [], missedPackets: [], data: recovered };
  };
}

/** What a new socket is owed, if it was recovered. */
export function takeRecovered(socket: RawSocket): Recovered | undefined {
  const { data } = socket;
  if (!(data instanceof Recovered)) return undefined;
  socket.data = data.data;
  return data;
}

/** What to keep of a socket; nothing if its user is not known, or not signed in. */
function keep(gate: Gate<unknown>, { name }: RawNamespace, data: unknown): Kept | undefined {
  const { guard, session } = gate;
  if (!gate.isAdmitted || session?.userId === undefined) return undefined;
  return {
    namespace: name,
    policy: guard.name,
    node: guard.node,
    since: gate.since,
    subject: subjectOf(session),
    connection: gate.connection.id,
    data,
  };
}

/** All namespaces and policies may share one store. */
function isMeantFor(kept: Kept, nsp: RawNamespace, guard: Guard<unknown, RawClient>): boolean {
  return kept.namespace === nsp.name && kept.policy === guard.name;
}

/** Whose it was; when it began only by the clock of this node, others say nothing here. */
function previousOf(
  { node, since, subject, connection }: Kept,
  guard: Guard<unknown, RawClient>,
): Previous {
  return { ...subject, connection, since: node === guard.node ? since : -Infinity };
}
