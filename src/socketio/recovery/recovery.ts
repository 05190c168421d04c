/**
 * Makes connection state recovery safe. On its own, Socket.IO hands rooms and missed packets to any
 * client that knows a `pid`, before authentication. Here, the two methods of the adapter are
 * replaced in every namespace. Only sessions of users who are signed in and have an id are kept,
 * under keys that no client can name. What is kept goes to the same user, after the next sign-in,
 * once.
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

/** The prefix of keys in the store. A `pid` of a client that begins so is ignored. */
const PREFIX = "socketio-auth:";

const safe = new WeakSet<RawAdapter>();

/** Records that have been restored: some adapters keep a record after handing it out. */
const spent = new WeakSet<Kept>();

/** Recovered sessions, which Socket.IO puts on the new socket as its `data`. */
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
    // Also where there is no gate: all namespaces share one store.
    if (!guard) return pid.startsWith(PREFIX) ? null : await restore(pid, offset);
    try {
      return await withinLimit(() => restoreGuarded(nsp, guard, pid, offset, { persist, restore }));
    } catch (error) {
      // Some adapters reject with a text if there is nothing to restore.
      if (error instanceof Error) guard.policy.report(error, { during: "recovery" });
      return null;
    }
  };
}

/** Returns the lost connection of a recovered socket. Its data comes back with the sign-in. */
export function takeRecovered(socket: RawSocket): Recovered | undefined {
  const { data } = socket;
  if (!restored.has(Object(data))) return undefined;
  socket.data = {};
  return data as Recovered;
}

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
  // A failing store costs the recovery and nothing else.
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
        // Some adapters have deleted the record by now, to restore it only once.
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

/** Returns the key of a `pid` in the store. Each namespace has keys of its own. */
function keyOf({ name }: RawNamespace, pid: string): string {
  return `${PREFIX}${name}:${pid}`;
}
