import type { Notices } from "./notices.ts";
import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";
import { createSession, type RevocationTarget, type Session } from "./session.ts";
import { type Admission, AMBIGUOUS, defaultId } from "./users.ts";

type IdName = "userId" | "sessionId";

/** Whether there were sessions on this node with an id of a kind, and without one. */
interface Seen {
  with: boolean;
  without: boolean;
}

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
    const session = createSession(
      {
        userId: policy.userId?.(user) ?? facts.userId ?? this.#defaultId(user, socket),
        sessionId: policy.sessionId?.(user) ?? facts.sessionId,
        expiresAt: policy.expiresAt?.(user) ?? facts.expiresAt,
      },
      user,
      now,
    );
    for (const name of ["userId", "sessionId"] as const) {
      this.#seen[name][session[name] === undefined ? "without" : "with"] = true;
    }
    return session;
  }

  #defaultId(user: unknown, socket: S): unknown {
    if (this.#policy.userId) return undefined;
    const id = defaultId(user);
    if (id !== AMBIGUOUS) return id;
    this.#notices.once(
      "several identities",
      "A user has several of sub, uid and _id, which differ. Without the option userId(user), " +
        "which says what identifies a user, this one cannot be told from others.",
      { during: "userId", socket },
    );
    return undefined;
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
