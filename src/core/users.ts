/**
 * What a verifier may answer: who counts as a user, and who it is.
 *
 * @module
 */
import { isFunction, isObject, isText } from "./checks.ts";
import { isError } from "./errors.ts";

/** What identifies a user or a session. An object with `toHexString()` is an ObjectId of MongoDB. */
export type Id = string | number | bigint | { toHexString(): string };

/** Facts of one session that are not in the user. */
export interface SessionFacts {
  /** The user's stable id. The option `userId` goes before it. */
  readonly userId?: Id | null | undefined;
  /** The session's own stable id. The option `sessionId` goes before it. */
  readonly sessionId?: Id | null | undefined;
  /** When the session ends. The option `expiresAt` goes before it. */
  readonly expiresAt?: Date | number | null | undefined;
}

const FACTS: ReadonlySet<string> = new Set<keyof SessionFacts>([
  "userId",
  "sessionId",
  "expiresAt",
]);

/**
 * A user with facts of this session, as {@linkcode admit} makes it.
 *
 * @typeParam User the user
 */
export class Admission<User> {
  /** The user. */
  readonly user: User;
  /** What else is known of the session. */
  readonly facts: SessionFacts;

  /** Use {@linkcode admit}. */
  constructor(user: User, facts: SessionFacts) {
    this.user = user;
    this.facts = facts;
  }
}

/**
 * Adds facts of this session to a user, for `verify` to return or for `authenticate` to call
 * back with. An option of the same name goes before a fact, where it finds something for that
 * user.
 *
 * @param user the user; a falsy one refuses the attempt as ever
 * @param facts what is known of the session besides
 * @throws {TypeError} if `facts` is no object, or has another property
 *
 * @example
 * ```ts
 * socketioAuth(io, {
 *   async verify(_socket, { token }) {
 *     const { session, user } = await sessions.find(token);
 *     return admit(user, { sessionId: session.id, expiresAt: session.expiresAt });
 *   },
 * });
 * ```
 */
export function admit<User>(user: User, facts: SessionFacts = {}): Admission<User> {
  if (!isObject(facts)) throw new TypeError("Cannot admit: the facts must be an object.");
  for (const name of Object.keys(facts)) {
    if (FACTS.has(name)) continue;
    throw new TypeError(
      `Cannot admit: there is no fact "${name}". The facts are ${[...FACTS].join(", ")}.`,
    );
  }
  return new Admission(user, facts);
}

/** Why a truthy answer cannot be a user; nothing if it can. */
export function objectionToUser(answer: unknown): string | undefined {
  if (answer === true || isText(answer) || typeof answer === "bigint") return undefined;
  if (typeof answer === "number") return undefined;
  if (!isObject(answer)) return `a ${typeof answer}`;
  if (Array.isArray(answer)) return "an array: of rows, take the one that is the user";
  if (isFunction((answer as { then?: unknown }).then)) return "a promise or a query: await it";
  if (isError(answer)) return "an error: throw it";
  if (answer instanceof Admission) return "what admit has made already: admit the user itself";
  const kind = Object.prototype.toString.call(answer).slice("[object ".length, -1);
  if (kind === "Response") return "a Response: look at its status, and take what it carries";
  if (BOXED.has(kind)) return `a boxed ${kind}`;
  return undefined;
}

const BOXED: ReadonlySet<string> = new Set(["Boolean", "Number", "String", "BigInt", "Symbol"]);

/** Whether an answer is truthy, and can be a user. It may be anything, also something that throws. */
export function couldBeUser(answer: unknown): boolean {
  try {
    return Boolean(answer) && objectionToUser(answer) === undefined;
  } catch {
    return false;
  }
}

/** Where a user may have an id, if it has no `id`. */
const OTHER_IDS = ["sub", "uid", "_id"] as const;

/** Several ids, of which none is more likely than another. */
export const AMBIGUOUS: unique symbol = Symbol("ambiguous");

/**
 * The id that a user has without an option `userId`: its `id`, or the only one of `sub`, `uid`
 * and `_id`; a user that is text or a number is its own.
 */
export function defaultId(user: unknown): unknown {
  if (!isObject(user)) return user === true ? undefined : user;
  const fields = user as Record<string, unknown>;
  if (canBeId(fields.id)) return fields.id;
  const others = OTHER_IDS.map((name) => fields[name]).filter(canBeId);
  const different = new Map(others.map((id) => [asText(id), id]));
  return different.size > 1 ? AMBIGUOUS : others[0];
}

function canBeId(value: unknown): value is Id {
  return ["string", "number", "bigint"].includes(typeof value) || hasHexString(value);
}

function hasHexString(value: unknown): value is { toHexString(): string } {
  return isObject(value) && isFunction((value as { toHexString?: unknown }).toHexString);
}

function asText(id: Id): unknown {
  return hasHexString(id) ? id.toHexString() : `${id}`;
}

/**
 * Reads an id. Ids of databases are often numbers; as text they compare the same on every
 * node. What any number of users would share is no id.
 *
 * @throws {TypeError} if it cannot be one
 */
export function asId(name: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === "bigint" || Number.isFinite(id)) return `${id}`;
  const text = hasHexString(id) ? id.toHexString() : id;
  if (isText(text)) return text;
  const given = typeof id === "number" || id === "" ? JSON.stringify(`${id}`) : typeof id;
  throw new TypeError(
    `${name} must be text that is not empty, a finite number, a bigint, an object with ` +
      `toHexString() or nothing, not ${given}.`,
  );
}
