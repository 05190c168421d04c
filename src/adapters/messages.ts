import type { Revocation } from "../core/revocations.ts";
import type { Subject } from "../core/session.ts";

/** One node has revoked sessions under a policy. */
export interface RevocationMessage extends Revocation {
  readonly policy: string;
}

/** One node asks the others whether a session was revoked that another node has kept. */
export interface Question {
  readonly id: string;
  readonly policy: string;
  /** Who has kept it. */
  readonly keeper: string;
  readonly subject: Subject;
  /** When it began, by the clock of that node; `-Infinity` if unknown, which JSON makes `null`. */
  readonly since: number | null;
}

/** The answer to a question. */
export interface Reply {
  readonly id: string;
  readonly verdict: Verdict;
}

/** What is known of a session that was kept; "good" and "revoked" are certain. */
export type Verdict = "good" | "revoked" | "unknown";

// The other node may run another version.

/** Whether a message is a revocation. */
export function isRevocation(message: unknown): message is RevocationMessage {
  const { policy, id, target, age } = Object(message);
  const { userId, sessionId } = Object(target);
  return typeof policy === "string" && typeof id === "string" && Number.isFinite(age) &&
    (typeof userId === "string" || typeof sessionId === "string");
}

/** Whether a message is a question. */
export function isQuestion(message: unknown): message is Question {
  const { id, policy, keeper, subject, since } = Object(message);
  return [id, policy, keeper].every((text) => typeof text === "string") &&
    typeof subject === "object" && subject !== null &&
    (since === null || typeof since === "number");
}

/** Whether a message is a reply. */
export function isReply(message: unknown): message is Reply {
  const { id, verdict } = Object(message);
  return typeof id === "string" && (verdict === "good" || verdict === "revoked");
}
