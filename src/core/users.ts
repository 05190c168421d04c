/**
 * The users that a verifier may answer with, their ids, and the sessions that come of them.
 *
 * @module
 */
import { isFunction, isObject, isPlainObject, isText } from "./checks.ts";
import { isError } from "./errors.ts";
import type { Notices } from "./notices.ts";
import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";
import { asTime, type RevocationTarget, type Session } from "./session.ts";

/** An id of a user or a session. An object with `toHexString()` is an ObjectId of MongoDB. */
export type Id = string | number | bigint | { toHexString(): string };

/** Facts of one session that are not in the user. */
export interface SessionFacts {
  /** The user's stable id. The option `userId` takes precedence. */
  readonly userId?: Id | null | undefined;
  /** The session's own stable id. The option `sessionId` takes precedence. */
  readonly sessionId?: Id | null | undefined;
  /** When the session ends, as in the option `expiresAt`, which takes precedence. */
  readonly expiresAt?: Date | number | null | undefined;
}

const FACTS: ReadonlySet<string> = new Set<keyof SessionFacts>([
  "userId",
  "sessionId",
  "expiresAt",
]);

/**
 * A user with facts of this session, created by {@linkcode admit}.
 *
 * @typeParam User the user
 */
export class Admission<User> {
  /** The user. */
  readonly user: User;
  /** The facts of the session. */
  readonly facts: SessionFacts;

  /** Creates an admission; call {@linkcode admit} instead. */
  constructor(user: User, facts: SessionFacts) {
    this.user = user;
    this.facts = facts;
  }
}

/**
 * Adds facts of this session to a user, for `verify` to return or for `authenticate` to call back
 * with. An option of the same name takes precedence if it returns a value for the user.
 *
 * @typeParam User the user
 * @param user the user; a falsy value refuses the attempt
 * @param facts the id of the session or the user, or the end of the session
 * @returns the answer for the verifier
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

/** The types of values that are their own id. */
const TYPES_OF_IDS: readonly string[] = ["string", "number", "bigint"];

/** Returns why a truthy answer cannot be a user, or `undefined` if it can. */
export function objectionToUser(answer: unknown): string | undefined {
  if (answer === true || TYPES_OF_IDS.includes(typeof answer)) return undefined;
  if (!isObject(answer)) return `a ${typeof answer}`;
  const { then } = answer as { then?: unknown };
  if (typeof then === "function") return "a promise or a query: await it";
  if (isPlainObject(answer)) return undefined;
  if (Array.isArray(answer)) return "an array: of rows, take the one that is the user";
  if (isError(answer)) return "an error: throw it";
  if (answer instanceof Admission) return "what admit has made already: admit the user itself";
  const kind = Object.prototype.toString.call(answer).slice("[object ".length, -1);
  if (kind === "Response") return "a Response: look at its status, and take what it carries";
  if (BOXED.has(kind)) return `a boxed ${kind}`;
  return undefined;
}

const BOXED: ReadonlySet<string> = new Set(["Boolean", "Number", "String", "BigInt", "Symbol"]);

/** Returns whether an answer is truthy and can be a user. The answer may throw when it is read. */
export function couldBeUser(answer: unknown): boolean {
  try {
    return Boolean(answer) && objectionToUser(answer) === undefined;
  } catch {
    return false;
  }
}

/** Members that may be the id of a user without `id`. */
const OTHER_IDS = ["sub", "uid", "_id"] as const;

/** Returned for a user with several different ids. */
const AMBIGUOUS: unique symbol = Symbol("ambiguous");

/**
 * Returns the id of a user without the option `userId`: its `id`, or the only one of `sub`, `uid`
 * and `_id`. A user that is text or a number is its own id.
 */
function defaultId(user: unknown): unknown {
  if (!isObject(user)) return user === true ? undefined : user;
  const fields = user as Record<string, unknown>;
  if (canBeId(fields.id)) return fields.id;
  const others = OTHER_IDS.map((name) => fields[name]).filter(canBeId);
  const different = new Map(others.map((id) => [asText(id), id]));
  return different.size > 1 ? AMBIGUOUS : others[0];
}

function canBeId(value: unknown): value is Id {
  return TYPES_OF_IDS.includes(typeof value) || hasHexString(value);
}

function hasHexString(value: unknown): value is { toHexString(): string } {
  return isObject(value) && isFunction((value as { toHexString?: unknown }).toHexString);
}

function asText(id: Id): unknown {
  return hasHexString(id) ? id.toHexString() : `${id}`;
}

/**
 * Reads an id, as text: ids of databases are often numbers, and have to be equal on every node.
 * Values that many users would share are no ids.
 *
 * @throws {TypeError} if the value cannot be an id
 */
export function asId(name: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === "string" && id !== "") return id;
  if (typeof id === "bigint" || Number.isFinite(id)) return `${id}`;
  const text = hasHexString(id) ? id.toHexString() : undefined;
  if (isText(text)) return text;
  const given = typeof id === "number" || id === "" ? JSON.stringify(`${id}`) : typeof id;
  throw new TypeError(
    `${name} must be text that is not empty, a finite number, a bigint, an object with ` +
      `toHexString() or nothing, not ${given}.`,
  );
}

type IdName = "userId" | "sessionId";

/** Whether there were sessions on this node with an id of a kind, and without one. */
interface Seen {
  with: boolean;
  without: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Creates the sessions under one policy, and notes which ids their users have had. */
export class Identities<S> {
  readonly #policy: Policy<S>;
  readonly #notices: Notices<S>;
  readonly #seen: Record<IdName, Seen> = {
    userId: { with: false, without: false },
    sessionId: { with: false, without: false },
  };

  constructor(policy: Policy<S>, notices: Notices<S>) {
    this.#policy = policy;
    this.#notices = notices;
  }

  /**
   * Creates the session of a user who is admitted `now`.
   *
   * @throws if an option of the application throws, or finds a value that cannot be used
   */
  sessionOf({ user, facts }: Admission<unknown>, now: number, socket: S): Session<unknown> {
    const policy = this.#policy;
    let id = policy.userId ? policy.userId(user) ?? facts.userId : facts.userId ?? defaultId(user);
    if (id === AMBIGUOUS) {
      id = undefined;
      this.#notices.once(
        "several identities",
        "A user has several of sub, uid and _id, which differ. Without the option userId(user), " +
          "which says what identifies a user, this one cannot be told from others.",
        { during: "userId", socket },
      );
    }
    const userId = asId("userId", id);
    const sessionId = asId("sessionId", policy.sessionId?.(user) ?? facts.sessionId);
    const end = policy.expiresAt?.(user) ?? facts.expiresAt ?? undefined;
    // Each member that is added later would cost the session a further object.
    const session: Mutable<Session<unknown>> = userId === undefined
      ? { user, authenticatedAt: now }
      : { user, userId, authenticatedAt: now };
    if (sessionId !== undefined) session.sessionId = sessionId;
    if (end !== undefined && end !== Infinity) session.expiresAt = asTime(end);
    this.#seen.userId[userId === undefined ? "without" : "with"] = true;
    this.#seen.sessionId[sessionId === undefined ? "without" : "with"] = true;
    return session;
  }

  /** Reports once that a user has no id where one is needed. */
  miss(what: string, context: Omit<ErrorContext<S>, "during"> = {}): void {
    if (this.#policy.userId) return;
    this.#notices.once(
      "no identity",
      `A user has no id, and so ${what}. Give the option userId(user), which says what ` +
        "identifies a user; by default it is user.id, or else user.sub, user.uid or user._id.",
      { during: "userId", ...context },
    );
  }

  /**
   * Checks a revocation after it was carried out.
   *
   * @throws {TypeError} if there were sessions on this node, and none has ever had such an id
   */
  checkRevoked(target: RevocationTarget): void {
    const name = "userId" in target ? "userId" : "sessionId";
    const seen = this.#seen[name];
    if (name === "userId" && seen.without) this.miss("cannot be found by revoke({ userId })");
    if (seen.with || !seen.without) return;
    throw new TypeError(
      `No session on this node was found by ${name}: none has ever had one. Give the option ` +
        `${name}(user), or have the verifier answer with admit(user, { ${name} }). ` +
        "On other nodes the revocation was carried out.",
    );
  }
}
