/**
 * The state machine of the protocol: one for each client connection and policy, for all its
 * namespaces. The machine is pure: it uses no socket, timer or clock, and returns effects.
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
 * - A socket goes through this once, one way: pending, authenticated, over. A way back ends all
 *   sockets.
 * - An attempt runs in `pending` and in `authenticated`, one at a time. An answer to any other
 *   attempt is late and has no effect.
 * - Credentials of a CONNECT (`isBrought`) end nothing on a connection that is authenticated: only
 *   that namespace is refused.
 * - If sockets have to be let in first, an attempt is `verified` before it is `accepted`.
 * - A client that is refused is told at once, and closed a while later (`closing`): a client that
 *   always reconnects would not pause otherwise. Its packets are dropped meanwhile.
 * - In `idle` the transport may still be in use, by another policy. Failures are therefore counted
 *   there, too: once the attempts of the transport are used up, every further one is refused.
 *
 * Events that the table at the end does not list have no effect.
 *
 * @module
 */
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import {
  isTarget,
  limit,
  type RevocationTarget,
  sameUser,
  type Subject,
  subjectOf,
} from "./session.ts";
import type { Begun, Event, Previous, Rules, State, Transition } from "./states.ts";

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

export const initial: State = { phase: "idle", failures: 0 };

/** Returns the next state for an event, and the effects. */
export function transition(state: State, event: Event, rules: Rules): Transition {
  const row = table[state.phase][event.type] as
    | ((state: State, event: Event, rules: Rules) => Transition)
    | undefined;
  return row?.(state, event, rules) ?? stay(state);
}

function stay(state: State): Transition {
  return { state, effects: [] };
}

/** How most connections begin. Shared, because many may be pending at once. */
const fresh: In<"pending"> = { phase: "pending", attempt: 0, failures: 0, errors: 0 };

function pend(failures: number, ms: number, previous?: Previous): Transition {
  const state = failures === 0 && !previous ? fresh : { ...fresh, failures, previous };
  return { state, effects: [{ type: "start_deadline", ms }] };
}

/** Begins with the credentials of a CONNECT. */
function pendAndBegin(failures: number, event: On<"credentials">, rules: Rules): Transition {
  const { attempt, previous } = event;
  return {
    state: { ...fresh, failures, previous, attempt },
    effects: [{ type: "start_deadline", ms: rules.timeout }, { type: "verify" }],
  };
}

/** Returns whether a session is another user's than the connection, as far as both are known. */
function isForeign(state: Engaged, session: Subject | undefined): boolean {
  const current = state.phase === "pending" ? state.previous : state.session;
  return Boolean(current && session && !sameUser(current, session));
}

function join(state: Engaged, event: On<"joined">): Transition {
  const { previous } = event;
  if (isForeign(state, previous)) return end(state.failures, unauthorized("subject_mismatch"));
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

/** Tells the client why, and closes it later. */
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

/** Refuses the client. A session ends at once. */
function refuse({ phase, failures }: State, refusal: Unauthorized): Transition {
  return phase === "authenticated" ? end(failures, refusal) : close(failures, refusal);
}

/** Refuses the client without an attempt. */
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

/** Refuses credentials, and changes nothing. */
function decline(state: Engaged, refusal: Declined): Transition {
  return { state, effects: [{ type: "decline", refusal }] };
}

/** Refuses credentials of a CONNECT; the session goes on. */
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

/** Takes credentials of a CONNECT while a session runs. */
function bring(state: In<"authenticated">, event: On<"credentials">, rules: Rules): Transition {
  const { attempt, previous } = event;
  if (state.attempt) return decline(state, unauthorized("attempt_in_progress"));
  if (state.failures >= rules.attempts) return decline(state, unauthorized("too_many_attempts"));
  if (state.session.userId === undefined || isForeign(state, previous)) {
    return decline(state, { ...unauthorized("subject_mismatch"), kept: true });
  }
  return { state: { ...state, attempt }, effects: [{ type: "verify" }] };
}

function renew(state: In<"authenticated">, event: On<"credentials">, rules: Rules): Transition {
  if (event.isBrought) return bring(state, event, rules);
  // Users without an id cannot be told apart.
  if (state.session.userId === undefined) {
    return decline(state, { ...unauthorized("subject_mismatch"), kept: true });
  }
  return begin(state, event, rules);
}

function begin(state: Engaged, event: On<"credentials">, rules: Rules): Transition {
  const { attempt, previous } = event;
  if (state.attempt) return decline(state, unauthorized("attempt_in_progress"));
  if (isForeign(state, previous)) return turnAway(state, unauthorized("subject_mismatch"));
  if (state.phase === "authenticated") {
    return { state: { ...state, attempt }, effects: [{ type: "verify" }] };
  }
  if (state.failures >= rules.attempts) return turnAway(state, unauthorized("too_many_attempts"));
  return {
    state: { ...state, attempt, previous: state.previous ?? previous },
    effects: [{ type: "verify" }],
  };
}

/** Refuses a user who may have none of the namespaces. */
function forbid(state: Engaged, event: On<"forbidden">): Transition {
  return event.attempt === state.attempt ? turnDown(state, event, event.refusal) : stay(state);
}

function letIn(state: Engaged, event: On<"verified">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  if (isForeign(state, event.session)) {
    return turnDown(state, event, unauthorized("subject_mismatch"));
  }
  return { state: { ...state, verified: event }, effects: [{ type: "let_in" }] };
}

function accept(state: Engaged, event: On<"accepted">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  if (isForeign(state, event.session)) {
    return turnDown(state, event, unauthorized("subject_mismatch"));
  }
  const { session, since } = event;
  // A refresh belongs to the sign-in of its session.
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

/** Ends the attempt in flight without an answer. */
function drop(state: Engaged, event: On<"abandoned">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  return {
    state: withoutAttempt(state),
    effects: [{ type: "abort" }, { type: "resume_deadline" }],
  };
}

/**
 * Returns 1 if a refusal counts against the attempts of the transport. Errors of the server do not
 * count, nor does a deadline or a throttle that ended the attempt before the verifier was asked.
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
    // The verifier may have failed while a challenge was open.
    effects: [
      { type: "resume_deadline" },
      { type: "abort", refusal },
      { type: "tell_sender", refusal },
    ],
  };
}

/** Leaves the session as it is, unless a refresh was refused for its credentials. */
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

/** Returns whether a connection belongs to a target, or is about to. */
export function isAbout(state: State, target: RevocationTarget): boolean {
  if (state.phase === "authenticated") return isTarget(target, state.session);
  if (state.phase !== "pending") return false;
  const { previous, verified } = state;
  return Boolean(
    previous && isTarget(target, previous) || verified && isTarget(target, verified.session),
  );
}

/** Returns whether a connection belongs to a session that is meant, or is about to. */
function isMeant(state: Engaged, { isMeant }: On<"revoked"> | On<"limited">): boolean {
  if (state.phase === "authenticated") return isMeant(whoseOf(state));
  const { previous, verified } = state;
  return Boolean(previous && isMeant(previous) || verified && isMeant(whoseOf(verified)));
}

function whoseOf({ session, since, stamp }: Begun): Previous {
  return { ...subjectOf(session), since, stamp };
}

function revoke(state: Engaged, event: On<"revoked">): Transition {
  return isMeant(state, event) ? end(state.failures, event.refusal) : stay(state);
}

/** Shortens the session. An attempt in flight is shortened once it is accepted. */
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

/** Ends a session without sockets. An attempt in flight, whose socket is joining, goes on. */
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

function cut({ phase, failures }: State, { refusal }: On<"ended">): Transition {
  return end(failures + (phase === "pending" ? failuresIn(refusal, true) : 0), refusal);
}

function reject({ failures }: State, { refusal }: On<"rejected">): Transition {
  return close(failures + failuresIn(refusal, true), refusal);
}

/** Counts a refusal by the verifier after the client has left. */
function count<S extends State>(state: S): Transition {
  return stay({ ...state, failures: state.failures + 1 });
}

const table: Table = {
  idle: {
    joined: (state, event, rules) =>
      state.failures >= rules.attempts
        ? close(state.failures, unauthorized("too_many_attempts"))
        : pend(state.failures, rules.timeout, event.previous),
    credentials: (state, event, rules) =>
      state.failures >= rules.attempts
        ? turnAway(state, unauthorized("too_many_attempts"))
        : pendAndBegin(state.failures, event, rules),
    failed: count,
    // A socket may be refused on a connection that is over already.
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
    // A silent client has made no guess; an attempt that took too long counts.
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
