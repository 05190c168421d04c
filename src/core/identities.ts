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

/** Who the users of one guard are, and whether they can be told apart. */
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
   * The session of a user who is admitted `now`.
   *
   * @throws if the options of the application do, or find what cannot be used
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

  /** A user without an id would have to be told apart now. */
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
   * Looks at a revocation that has been carried out.
   *
   * @throws {TypeError} if no session here has ever had such an id, and there was one without
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
