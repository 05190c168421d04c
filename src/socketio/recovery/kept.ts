/**
 * What is kept of a connection that was lost, in the place of `socket.data`: of
 * the user no more than ids. It lies in a store that others may write to, and
 * nodes of other versions; so what comes back is looked at.
 *
 * @module
 */
import type { Guard } from "../../core/guard.ts";
import { type Session, type Subject, subjectOf } from "../../core/session.ts";
import type { Previous } from "../../core/states.ts";
import type { RawClient, RawSession } from "../internals.ts";

/** What stands in the place of `socket.data` in a session that is kept. */
export interface Kept {
  /** Where it is good: all namespaces may share one store. */
  readonly namespace: string;
  readonly policy: string;
  /** Which node has kept it, and when the session began by that node's monotonic clock. */
  readonly node: string;
  readonly since: number;
  /** When its sign-in began, by the time of the cluster. */
  readonly stamp: number;
  /** Where the session began, in the adapter's terms. */
  readonly begin: string;
  /** When it was lost, in epoch milliseconds; and how old the session was then. */
  readonly lostAt: number;
  readonly age: number;
  readonly subject: Subject;
  /** The id of the client connection, for a revocation that spares it. */
  readonly connection: string;
  /** The application's own. */
  readonly data: unknown;
}

/** The gate of a socket that is lost. */
interface Lost {
  readonly socket: unknown;
  readonly guard: Guard<unknown, RawClient>;
  readonly isAdmitted: boolean;
  readonly session: Session<unknown> | undefined;
  readonly connection: {
    readonly id: string;
    readonly since: number;
    readonly stamp: number | undefined;
  };
}

/** What to keep of a socket; nothing if its user is not known, or not signed in. */
export function keep(
  gate: Lost,
  namespace: string,
  begin: string | undefined,
  data: unknown,
): Kept | undefined {
  const { guard, session } = gate;
  if (!gate.isAdmitted || !session || begin === undefined) return undefined;
  if (session.userId === undefined) {
    guard.identities.miss("its lost connection is not recovered", { socket: gate.socket });
    return undefined;
  }
  const { id, since, stamp = 0 } = gate.connection;
  return {
    namespace,
    policy: guard.name,
    node: guard.node,
    since,
    stamp,
    begin,
    lostAt: guard.clock.now(),
    age: guard.clock.monotonic() - since,
    subject: subjectOf(session),
    connection: id,
    data,
  };
}

/** Whether a session is one that was kept, and complete. */
export function isKept(session: RawSession): session is RawSession & { readonly data: Kept } {
  const { sid, rooms, data } = session;
  const { namespace, policy, node, since, stamp, begin, lostAt, age, ...others } = Object(data);
  const { userId, sessionId } = Object(others.subject);
  if (!Array.isArray(rooms)) return false;
  const texts = [sid, namespace, policy, node, begin, others.connection, userId, sessionId ?? ""];
  return [...texts, ...rooms].every((text) => typeof text === "string") &&
    [since, stamp, lostAt, age].every(Number.isFinite);
}

/** Whether it was kept for this namespace and policy, and not longer ago than it may be. */
export function isMeantFor(
  kept: Kept,
  namespace: string,
  guard: Guard<unknown, RawClient>,
): boolean {
  const age = Math.abs(guard.clock.now() - kept.lostAt);
  return kept.namespace === namespace && kept.policy === guard.name && age <= guard.retention;
}

/**
 * Whose it was, and when the session began by this node's monotonic clock. Another node's clock says
 * nothing about that: its session counts as lost for as long as one may be.
 */
export function previousOf(
  kept: Kept,
  { node, clock, retention }: Guard<unknown, RawClient>,
): Previous {
  const since = kept.node === node ? kept.since : clock.monotonic() - retention - kept.age;
  const { connection, stamp } = kept;
  return { ...subjectOf(kept.subject), connection, since, stamp };
}
