import { isDuration } from "../../core/checks.ts";
import type { Revocation } from "../../core/interface.ts";

/** The latest time that a Date can be. */
const LAST_DATE = 8.64e15;

/** The time of one node, for a policy. */
export interface TimeMessage {
  readonly policy: string;
  /** In epoch milliseconds, by the time of the cluster. */
  readonly time: number;
}

/** A revocation under a policy, as one node tells the others. */
export type RevocationMessage = Revocation & TimeMessage;

// Checks every message: the other node may run another version.

export function isTime(message: unknown): message is TimeMessage {
  const { policy, time } = Object(message);
  return typeof policy === "string" && isDate(time);
}

export function isRevocation(message: unknown): message is RevocationMessage {
  const { id, target, age, within, olderThan, reconnect, ...others } = Object(message);
  const { userId, sessionId } = Object(target);
  const texts = [others.except, others.exceptSession, others.message];
  return isTime(message) && typeof id === "string" && isDuration(age) &&
    (typeof userId === "string" || typeof sessionId === "string") &&
    texts.every((text) => text === undefined || typeof text === "string") &&
    (within === undefined || isDuration(within)) &&
    (olderThan === undefined || within === undefined && isStamp(olderThan)) &&
    (reconnect === undefined || typeof reconnect === "boolean");
}

function isDate(time: unknown): boolean {
  return typeof time === "number" && Math.abs(time) <= LAST_DATE;
}

function isStamp(stamp: unknown): boolean {
  const { time, connection } = Object(stamp);
  return isDate(time) && typeof connection === "string";
}

/**
 * How many characters a message may have: PostgreSQL allows 8000 bytes, and a character may take
 * three.
 */
const CAPACITY = 2000;

/** Groups messages so that each group fits into one message of an adapter. */
export function pack(messages: readonly RevocationMessage[]): RevocationMessage[][] {
  const packs: RevocationMessage[][] = [];
  let room = 0;
  for (const message of messages) {
    const { length } = JSON.stringify(message);
    room -= length;
    if (room < 0) {
      packs.push([]);
      room = CAPACITY - length;
    }
    packs.at(-1)!.push(message);
  }
  return packs;
}
