import { isDuration } from "../../core/checks.ts";
import type { Revocation } from "../../core/interface.ts";

/** The last time that a Date can be. */
const LAST_DATE = 8.64e15;

/** What time it is on one node, for a policy. */
export interface TimeMessage {
  readonly policy: string;
  /** By the time of the cluster. */
  readonly time: number;
}

/** One node has revoked sessions under a policy. */
export type RevocationMessage = Revocation & TimeMessage;

// The other node may run another version.

/** Whether a message says what time it is. */
export function isTime(message: unknown): message is TimeMessage {
  const { policy, time } = Object(message);
  return typeof policy === "string" && isDate(time);
}

/** Whether a message is a revocation. */
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

/** Whether it can be epoch milliseconds. */
function isDate(time: unknown): boolean {
  return typeof time === "number" && Math.abs(time) <= LAST_DATE;
}

function isStamp(stamp: unknown): boolean {
  const { time, connection } = Object(stamp);
  return isDate(time) && typeof connection === "string";
}

/**
 * How many characters a message may have: PostgreSQL takes 8000 bytes, and each
 * may take three.
 */
const CAPACITY = 2000;

/** Puts as many messages together as one of an adapter may carry. */
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
