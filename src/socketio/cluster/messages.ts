import { isDuration } from "../../core/checks.ts";
import type { Revocation } from "../../core/interface.ts";

/** One node has revoked sessions under a policy. */
export interface RevocationMessage extends Revocation {
  readonly policy: string;
}

// The other node may run another version.

/** Whether a message is a revocation. */
export function isRevocation(message: unknown): message is RevocationMessage {
  const { policy, id, target, age, except } = Object(message);
  const { userId, sessionId } = Object(target);
  return typeof policy === "string" && typeof id === "string" && isDuration(age) &&
    (except === undefined || typeof except === "string") &&
    (typeof userId === "string" || typeof sessionId === "string");
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
