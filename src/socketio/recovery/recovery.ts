/**
 * Connection state recovery, made safe. On its own, Socket.IO hands rooms and
 * missed packets to whoever knows a `pid`, before anybody is asked. Here the
 * adapter's two methods for it are taken over, in every namespace: only sessions
 * of users who are signed in and have an id are kept, under keys that no client
 * can name; and what is kept goes to the same user, after they have signed in
 * again, once.
 *
 * @module
 */
import { callHook } from "../../core/contain.ts";
import type { Guard } from "../../core/guard.ts";
import { guardOf } from "../claims.ts";
import { gateOf } from "../gate/prototype.ts";
import type { RawAdapter, RawClient, RawNamespace, RawSession, RawSocket } from "../internals.ts";
import { setAway } from "./away.ts";
import { beginOf, laterOf, watchReading } from "./begin.ts";
import { isKept, isMeantFor, keep, type Kept, previousOf } from "./kept.ts";
import type { Recovered } from "./recovered.ts";
import { withinLimit } from "./within.ts";

/** What keys begin with in the store, and what no client is listened to that begins its own so. */
const PREFIX = "socketio-auth:";

const safe = new WeakSet<RawAdapter>();

/** Sessions that have been restored: adapters that keep them as they are do not forget them. */
const spent = new WeakSet<Kept>();

/** What has been restored: Socket.IO puts it on the new socket, as its `data`. */
const restored = new WeakSet<object>();

/** Takes over the recovery of a namespace's adapter, if recovery is on. */
export function makeRecoverySafe(nsp: RawNamespace): void {
  const { adapter } = nsp;
  if (!nsp.server.opts.connectionStateRecovery || safe.has(adapter)) return;
  safe.add(adapter);
  watchReading(adapter);
  const { persistSession, restoreSession } = adapter;
  const persist = (session: RawSession) => persistSession.call(adapter, session);
  const restore = (pid: string, offset: string) => restoreSession.call(adapter, pid, offset);

  adapter.persistSession = (session) => {
    const guard = guardOf(nsp);
    if (guard) return persistGuarded(nsp, guard, session, persist);
    return persist(session);
  };

  adapter.restoreSession = async (pid, offset) => {
    const guard = guardOf(nsp);
    // Also where there is no gate: the store is one for all namespaces.
    if (!guard) return pid.startsWith(PREFIX) ? null : await restore(pid, offset);
    try {
      return await withinLimit(() => restoreGuarded(nsp, guard, pid, offset, { persist, restore }));
    } catch (error) {
      // Some adapters say so, in words, if there is nothing to restore.
      if (error instanceof Error) guard.policy.report(error, { during: "recovery" });
      return null;
    }
  };
}

/** What a new socket is owed, if it was recovered. Its data comes with the sign-in. */
export function takeRecovered(socket: RawSocket): Recovered | undefined {
  const { data } = socket;
  if (!restored.has(Object(data))) return undefined;
  socket.data = {};
  return data as Recovered;
}

/** The adapter's own methods. */
interface Store {
  persist(session: RawSession): unknown;
  restore(pid: string, offset: string): Promise<RawSession | null> | null;
}

function persistGuarded(
  nsp: RawNamespace,
  guard: Guard<unknown, RawClient>,
  session: RawSession,
  persist: Store["persist"],
): void {
  const socket = nsp.sockets.get(session.sid);
  const gate = socket && gateOf(socket);
  if (!gate) return;
  const { recovered } = gate.waiting ?? {};
  if (recovered && !gate.isAdmitted) {
    recovered.keepAgain();
    return gate.sendHeld();
  }
  const kept = keep(gate, nsp.name, beginOf(socket), session.data);
  if (!kept) return;
  const pid = keyOf(nsp, session.pid);
  // Whatever a store does costs the recovery, and nothing else.
  const context = { during: "recovery", socket };
  callHook(guard.policy, context, () => persist({ ...session, pid, data: kept }));
  setAway(socket);
}

async function restoreGuarded(
  nsp: RawNamespace,
  guard: Guard<unknown, RawClient>,
  pid: string,
  offset: string,
  { persist, restore }: Store,
): Promise<RawSession | null> {
  const key = keyOf(nsp, pid);
  const session = await restore(key, offset);
  if (!session || !isKept(session)) return null;
  const { sid, rooms, data: kept } = session;
  if (spent.has(kept) || !isMeantFor(kept, nsp.name, guard)) return null;
  spent.add(kept);
  const previous = previousOf(kept, guard);
  if (!guard.mayRecover(kept.node, previous)) return null;
  const from = laterOf(nsp.adapter, offset, kept.begin);
  if (from === undefined) return null;
  const recovered: Recovered = {
    ...{ previous, rooms, offset: from, begin: kept.begin, data: kept.data },
    keepAgain() {
      const again = { sid, pid: key, rooms, data: { ...kept } };
      callHook(guard.policy, { during: "recovery" }, () => persist(again));
    },
    async missed(current) {
      const heard = rooms.filter((room) => current.includes(room));
      try {
        // Some adapters have forgotten it by now, to restore it only once.
        await persist({ sid, pid: key, rooms: heard, data: kept });
        const { missedPackets } = await restore(key, from) ?? {};
        if (Array.isArray(missedPackets) && missedPackets.every(Array.isArray)) {
          return missedPackets;
        }
        throw new Error("The adapter has not kept it.");
      } catch (cause) {
        throw new Error("What was sent since a connection was lost is not known.", { cause });
      }
    },
  };
  restored.add(recovered);
  return { sid, pid, rooms: [], missedPackets: [], data: recovered };
}

/** Two namespaces never share one: what is restored says for which it is. */
function keyOf({ name }: RawNamespace, pid: string): string {
  return `${PREFIX}${name}:${pid}`;
}
