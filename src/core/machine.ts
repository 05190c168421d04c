/**
 * The protocol's state machine: one per client connection and policy, whatever
 * the number of namespaces. It is pure: it knows no socket, no timer and no
 * clock, and returns what is to be done as a list of effects.
 *
 * ```text
 *            joined               accepted
 *   idle ───────────▶ pending ─────────────▶ authenticated ──┐ refresh: accepted,
 *    ▲ ▲               │  ▲ ▲                   │      │  ▲   │ or refused without
 *    │ │ refused (some │  │ │  signed out       │      │  └───┘ a verdict
 *    │ │ attempts left)└──┘ └───────────────────┘      │
 *    │ │               │   (with new sockets)          │
 *    │ │               │ deadline, revoked, ended      │ refused by a verdict, another
 *    │ └───────────────┼───────────────────────────────┘ user, expired, revoked, ended, left
 *    │                 │ refused (last)
 *    └─── closing ◀────┘
 *    closed
 * ```
 *
 * - A socket goes through this once, one way: pending, authenticated, over.
 *   Whatever leads back here ends the sockets of before.
 * - An attempt runs in `pending` and in `authenticated` alike; only one at a
 *   time. An answer that names another attempt than the one in flight is late
 *   and does nothing.
 * - Credentials that come with a CONNECT (`isBrought`) on a connection that is authenticated end
 *   nothing there: only that namespace is refused.
 * - Where there is somebody to be let in first, an attempt is `verified` before it is `accepted`.
 * - A client that is refused is told at once, and closed a while later (`closing`): one that
 *   connects again whenever it is disconnected would not pause otherwise. What it sends
 *   meanwhile is dropped.
 * - `idle` does not mean that the transport is gone: another policy may still
 *   use it. That is why it counts failures too: once the attempts of the
 *   transport are used up, every further one is refused.
 *
 * What the table at the end does not list does nothing.
 *
 * @module
 */
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import { isTarget, limit, type RevocationTarget, sameUser, subjectOf } from "./session.ts";
import type { Event, Previous, Rules, State, Transition } from "./states.ts";

export type * from "./states.ts";

type Phase = State["phase"];
type In<P extends Phase> = Extract<State, { phase: P }>;
type Engaged = In<"pending"> | In<"authenticated">;
type On<T extends Event["type"]> = Extract<Event, { type: T }>;
type Table = {
  [P in Phase]: {
    [T in Event["type"]]?: (state: In<P>, event: On<T>, rules: Rules) => Transition;
  };
};

/** The state of a connection that no socket has joined yet. */
export const initial: State = { phase: "idle", failures: 0 };

/** Computes what `event` does to a connection in `state`. */
export function transition(state: State, event: Event, rules: Rules): Transition {
  const row = table[state.phase][event.type] as
    | ((state: State, event: Event, rules: Rules) => Transition)
    | undefined;
  return row?.(state, event, rules) ?? stay(state);
}

function stay(state: State): Transition {
  return { state, effects: [] };
}

function pend(failures: number, ms: number, previous?: Previous): Transition {
  return {
    state: { phase: "pending", attempt: 0, failures, errors: 0, previous },
    effects: [{ type: "start_deadline", ms }],
  };
}

/** Credentials are the first thing that comes: those of a handshake. */
function pendAndBegin(failures: number, event: On<"credentials">, rules: Rules): Transition {
  const { state, effects } = pend(failures, rules.timeout, event.previous);
  return {
    state: { ...state, attempt: event.attempt } as In<"pending">,
    effects: [...effects, { type: "verify" }],
  };
}

/** Whether a recovered socket belongs to another user than the connection does. */
function isForeign(state: Engaged, { previous }: On<"joined"> | On<"credentials">): boolean {
  const current = state.phase === "pending" ? state.previous : state.session;
  return Boolean(current && previous && !sameUser(current, previous));
}

function join(state: Engaged, event: On<"joined">): Transition {
  if (isForeign(state, event)) return end(state.failures, unauthorized("subject_mismatch"));
  const { previous } = event;
  return state.phase === "pending"
    ? stay({ ...state, previous: state.previous ?? previous })
    : { state, effects: [{ type: "admit_joined" }] };
}

/** Tells the client why, and closes it at once. */
function end(failures: number, refusal: Unauthorized): Transition {
  return {
    state: { phase: "idle", failures },
    effects: [
      { type: "stop_timer" },
      { type: "abort", refusal },
      { type: "tell", refusal },
      { type: "close" },
    ],
  };
}

/** Tells a client that is refused why, and closes it later. */
function close(failures: number, refusal: Unauthorized): Transition {
  return {
    state: { phase: "closing", failures },
    effects: [
      { type: "abort", refusal },
      { type: "tell", refusal },
      { type: "start_closing" },
    ],
  };
}

/** Refuses a client: a session that there is ends at once. */
function refuse({ phase, failures }: State, refusal: Unauthorized): Transition {
  return phase === "authenticated" ? end(failures, refusal) : close(failures, refusal);
}

/** Refuses credentials that nobody has looked at, and with them the client. */
function turnAway(before: State, refusal: Unauthorized): Transition {
  const { state, effects } = refuse(before, refusal);
  return { state, effects: [{ type: "decline", refusal }, ...effects] };
}

function signOut(failures: number, rules: Rules): Transition {
  const { state, effects } = pend(failures, rules.timeout);
  const refusal = unauthorized("signed_out");
  return {
    state,
    effects: [
      { type: "abort", refusal },
      ...effects,
      { type: "tell", refusal },
      { type: "replace" },
    ],
  };
}

/** Sends credentials back, and changes nothing. */
function decline(state: Engaged, refusal: Declined): Transition {
  return { state, effects: [{ type: "decline", refusal }] };
}

/** Refuses what came with a CONNECT; the session goes on. */
function keepOut(state: In<"authenticated">, refusal: Unauthorized, failures = 0): Transition {
  return {
    state: { ...withoutAttempt(state), failures: state.failures + failures },
    effects: [{ type: "abort", refusal }],
  };
}

/** Refuses a user whose credentials are good. */
function turnDown(
  state: Engaged,
  { isBrought }: { readonly isBrought?: boolean },
  refusal: Unauthorized,
): Transition {
  if (state.phase === "pending") return close(state.failures, refusal);
  return isBrought ? keepOut(state, refusal) : end(state.failures, refusal);
}

/** Credentials come with a CONNECT, and somebody is signed in. */
function bring(state: In<"authenticated">, event: On<"credentials">, rules: Rules): Transition {
  const { attempt } = event;
  if (state.attempt) return decline(state, unauthorized("attempt_in_progress"));
  if (isUsedUp(state, rules)) return decline(state, unauthorized("too_many_attempts"));
  if (state.session.userId === undefined || isForeign(state, event)) {
    return decline(state, { ...unauthorized("subject_mismatch"), kept: true });
  }
  return { state: { ...state, attempt }, effects: [{ type: "verify" }] };
}

function renew(state: In<"authenticated">, event: On<"credentials">, rules: Rules): Transition {
  if (event.isBrought) return bring(state, event, rules);
  // Nobody could tell whether it is the same user.
  if (state.session.userId === undefined) {
    return decline(state, { ...unauthorized("subject_mismatch"), kept: true });
  }
  return begin(state, event, rules);
}

function begin(state: Engaged, event: On<"credentials">, rules: Rules): Transition {
  const { attempt, previous } = event;
  if (state.attempt) return decline(state, unauthorized("attempt_in_progress"));
  if (isForeign(state, event)) return turnAway(state, unauthorized("subject_mismatch"));
  if (state.phase === "authenticated") {
    return { state: { ...state, attempt }, effects: [{ type: "verify" }] };
  }
  if (isUsedUp(state, rules)) return turnAway(state, unauthorized("too_many_attempts"));
  return {
    state: { ...state, attempt, previous: state.previous ?? previous },
    effects: [{ type: "verify" }],
  };
}

/** Turns down an attempt that has led to another user than the connection belongs to. */
function turnDownOthers(
  state: Engaged,
  event: On<"verified"> | On<"accepted">,
): Transition | undefined {
  const current = state.phase === "pending" ? state.previous : state.session;
  const isOther = current && !sameUser(current, event.session);
  return isOther ? turnDown(state, event, unauthorized("subject_mismatch")) : undefined;
}

/** The user may have none of the namespaces. */
function forbid(state: Engaged, event: On<"forbidden">): Transition {
  return event.attempt === state.attempt ? turnDown(state, event, event.refusal) : stay(state);
}

function letIn(state: Engaged, event: On<"verified">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  const refused = turnDownOthers(state, event);
  if (refused) return refused;
  const { since, stamp } = event;
  const verified = { ...subjectOf(event.session), since, stamp };
  return { state: { ...state, verified }, effects: [{ type: "let_in" }] };
}

function accept(state: Engaged, event: On<"accepted">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  const refused = turnDownOthers(state, event);
  if (refused) return refused;
  const { session, since } = event;
  // A refresh is of the same sign-in.
  const { stamp } = state.phase === "authenticated" ? state : event;
  return {
    state: { phase: "authenticated", attempt: 0, failures: state.failures, session, since, stamp },
    effects: [
      session.expiresAt === undefined ? { type: "stop_timer" } : { type: "start_expiry", session },
      { type: state.phase === "pending" ? "admit" : "refresh", session },
    ],
  };
}

function withoutAttempt<S extends Engaged>(state: S): S {
  return { ...state, attempt: 0, verified: undefined };
}

/** The attempt in flight is over without an answer. */
function drop(state: Engaged, event: On<"abandoned">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  return {
    state: withoutAttempt(state),
    effects: [{ type: "abort" }, { type: "resume_deadline" }],
  };
}

/** Whether the attempts of the transport are used up. */
function isUsedUp({ failures }: State, rules: Rules): boolean {
  return failures >= rules.attempts;
}

/**
 * 1 for a refusal that counts against the attempts of the transport: not for those of the server,
 * nor for a deadline or a throttle that has kept the verifier from being asked.
 */
function failuresIn({ code }: Unauthorized, isAsked: boolean): 0 | 1 {
  if (code === "server_error" || code === "server_busy") return 0;
  return (code === "timeout" || code === "too_many_attempts") && !isAsked ? 0 : 1;
}

function fail(state: In<"pending">, event: On<"refused">, rules: Rules): Transition {
  const { refusal } = event;
  if (event.attempt !== state.attempt) return stay(state);
  const failed = failuresIn(refusal, event.isAsked);
  const failures = state.failures + failed;
  const errors = state.errors + 1 - failed;
  if (failures + errors >= rules.attempts) return close(failures, refusal);
  return {
    state: { ...withoutAttempt(state), failures, errors },
    // The verifier may have failed with a challenge still open.
    effects: [
      { type: "resume_deadline" },
      { type: "abort", refusal },
      { type: "tell_sender", refusal },
    ],
  };
}

/** A refresh that fails without a verdict on its credentials leaves the session as it is. */
function failRefresh(state: In<"authenticated">, event: On<"refused">): Transition {
  const { refusal } = event;
  if (event.attempt !== state.attempt) return stay(state);
  if (event.isBrought) return keepOut(state, refusal, failuresIn(refusal, event.isAsked));
  if (event.isVerdict) return end(state.failures + 1, refusal);
  return {
    state: withoutAttempt(state),
    effects: [{ type: "abort", refusal: { ...refusal, reconnect: false, kept: true } }],
  };
}

/** Whether a target is one that a connection belongs to, or is about to. */
export function isAbout(state: State, target: RevocationTarget): boolean {
  if (state.phase === "authenticated") return isTarget(target, state.session);
  if (state.phase !== "pending") return false;
  return [state.previous, state.verified].some((whose) => whose && isTarget(target, whose));
}

/** Whether a connection belongs to those who are meant, or is about to. */
function isMeant(state: Engaged, { isMeant }: On<"revoked"> | On<"limited">): boolean {
  if (state.phase === "pending") {
    return [state.previous, state.verified].some((whose) => whose && isMeant(whose));
  }
  const { session, since, stamp } = state;
  return isMeant({ ...subjectOf(session), since, stamp });
}

function revoke(state: Engaged, event: On<"revoked">): Transition {
  return isMeant(state, event) ? end(state.failures, event.refusal) : stay(state);
}

/** An attempt in flight is looked at when it is decided. */
function shorten(state: In<"authenticated">, event: On<"limited">): Transition {
  if (!isMeant(state, event)) return stay(state);
  const session = limit(state.session, event.until, event.at);
  const isNews = session.expiresAt !== state.session.expiresAt;
  return {
    state: { ...state, session },
    effects: [
      { type: "start_expiry", session },
      { type: isNews ? "tell_end" : "keep_end", session },
    ],
  };
}

/**
 * A session does not outlive its sockets: whoever comes back signs in. An attempt in flight is of
 * a socket on its way in, and goes on.
 */
function desert(state: In<"authenticated">, rules: Rules): Transition {
  if (!state.attempt) return becomeIdle(state);
  const { attempt, verified } = state;
  const { state: pending, effects } = pend(state.failures, rules.timeout);
  return { state: { ...pending as In<"pending">, attempt, verified }, effects };
}

function becomeIdle({ failures }: State): Transition {
  return {
    state: { phase: "idle", failures },
    effects: [{ type: "stop_timer" }, { type: "abort" }],
  };
}

/** The server ends the connection. */
function cut({ phase, failures }: State, { refusal }: On<"ended">): Transition {
  return end(failures + (phase === "pending" ? failuresIn(refusal, true) : 0), refusal);
}

/** The server refuses the client. */
function reject({ failures }: State, { refusal }: On<"rejected">): Transition {
  return close(failures + failuresIn(refusal, true), refusal);
}

/** The verifier has refused an attempt whose client had left. */
function count<S extends State>(state: S): Transition {
  return stay({ ...state, failures: state.failures + 1 });
}

const table: Table = {
  idle: {
    joined: (state, event, rules) =>
      isUsedUp(state, rules)
        ? close(state.failures, unauthorized("too_many_attempts"))
        : pend(state.failures, rules.timeout, event.previous),
    credentials: (state, event, rules) =>
      isUsedUp(state, rules)
        ? turnAway(state, unauthorized("too_many_attempts"))
        : pendAndBegin(state.failures, event, rules),
    failed: count,
    // A socket that is not welcome may come to a connection that is over already.
    ended: cut,
    rejected: reject,
  },

  pending: {
    joined: join,
    credentials: begin,
    verified: letIn,
    accepted: accept,
    forbidden: forbid,
    refused: fail,
    abandoned: drop,
    failed: count,
    challenged: (state, event) => ({
      state,
      effects: event.attempt === state.attempt ? [{ type: "pause_deadline" }] : [],
    }),
    answered: (state, event) => ({
      state,
      effects: event.attempt === state.attempt ? [{ type: "resume_deadline" }] : [],
    }),
    // Saying nothing is no guess, but an attempt that takes too long is one.
    deadline: (state, event) =>
      end(state.failures + failuresIn(event.refusal, event.isAsked), event.refusal),
    revoked: revoke,
    ended: cut,
    rejected: reject,
    gone: becomeIdle,
  },

  authenticated: {
    joined: join,
    credentials: renew,
    verified: letIn,
    accepted: accept,
    forbidden: forbid,
    refused: failRefresh,
    abandoned: drop,
    failed: count,
    expired: (state) => end(state.failures, unauthorized("expired")),
    signed_out: (state, _event, rules) => signOut(state.failures, rules),
    revoked: revoke,
    limited: shorten,
    ended: cut,
    rejected: reject,
    deserted: (state, _event, rules) => desert(state, rules),
    gone: becomeIdle,
  },

  closing: {
    joined: (state) => ({ state, effects: [{ type: "silence_joined" }] }),
    failed: count,
    ended: ({ failures }) => ({
      state: { phase: "idle", failures },
      effects: [{ type: "stop_timer" }, { type: "close" }],
    }),
    closed: ({ failures }) => ({
      state: { phase: "idle", failures },
      effects: [{ type: "close" }],
    }),
    gone: becomeIdle,
  },
};
