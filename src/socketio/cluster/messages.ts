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
  return typeof policy === "string" && typeof id === "string" && Number.isFinite(age) &&
    (except === undefined || typeof except === "string") &&
    (typeof userId === "string" || typeof sessionId === "string");
}
