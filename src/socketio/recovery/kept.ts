/**
 * The record that is kept of a lost connection, in the place of `socket.data`. Of the user it has
 * ids only. Other programs and other versions may write to the store, so that records are checked
 * when they come back.
 *
 * @module
 */
import type { Guard } from "../../core/guard.ts";
import { type Session, type Subject, subjectOf } from "../../core/session.ts";
import type { Previous } from "../../core/states.ts";
import type { RawClient, RawSession } from "../internals.ts";

/** The record, in the place of `socket.data` in a session of the adapter. */
export interface Kept {
  /** The namespace that the record is for: all namespaces may share one store. */
  readonly namespace: string;
  readonly policy: string;
  /** The node that has kept it, and when the session began by that node's monotonic clock. */
  readonly node: string;
  readonly since: number;
  /** When the sign-in began, by the time of the cluster. */
  readonly stamp: number;
  /** Where the session began, in the adapter's terms. */
  readonly begin: string;
  /** When the connection was lost, in epoch milliseconds, and how old the session was then. */
  readonly lostAt: number;
  readonly age: number;
  readonly subject: Subject;
  /** The id of the client connection, for a revocation that spares it. */
  readonly connection: string;
  /** The application's `socket.data`. */
  readonly data: unknown;
}

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

/** Returns the record of a socket, or `undefined` if its user is not known or not signed in. */
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

/** Returns whether a session of the adapter has a complete record. */
export function isKept(session: RawSession): session is RawSession & { readonly data: Kept } {
  const { sid, rooms, data } = session;
  const { namespace, policy, node, since, stamp, begin, lostAt, age, ...others } = Object(data);
  const { userId, sessionId } = Object(others.subject);
  if (!Array.isArray(rooms)) return false;
  const texts = [sid, namespace, policy, node, begin, others.connection, userId, sessionId ?? ""];
  return [...texts, ...rooms].every((text) => typeof text === "string") &&
    [since, stamp, lostAt, age].every(Number.isFinite);
}

/** Returns whether a record is for this namespace and policy, and not too old. */
export function isMeantFor(
  kept: Kept,
  namespace: string,
  guard: Guard<unknown, RawClient>,
): boolean {
  const age = Math.abs(guard.clock.now() - kept.lostAt);
  return kept.namespace === namespace && kept.policy === guard.name && age <= guard.retention;
}

/**
 * Returns whose session it was, and when it began by this node's monotonic clock. The clock of
 * another node tells nothing: its session counts as lost for the longest possible time.
 */
export function previousOf(
  kept: Kept,
  { node, clock, retention }: Guard<unknown, RawClient>,
): Previous {
  const since = kept.node === node ? kept.since : clock.monotonic() - retention - kept.age;
  const { connection, stamp } = kept;
  return { ...subjectOf(kept.subject), connection, since, stamp };
}
