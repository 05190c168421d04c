/**
 * The protocol's state machine: one per client connection and policy, whatever
 * the number of namespaces. It is pure: it knows no socket, no timer and no
 * clock, and returns what is to be done as a list of effects.
 *
 * ```text
 *                 joined                   accepted
 *   new ──────────────────────▶ pending ─────────────▶ authenticated ──┐ refresh:
 *                                │  ▲ ▲                 │  │  │  ▲      │ accepted,
 *                refused (some   │  │ │  signed_out     │  │  │  └──────┘ same user
 *                attempts left)  └──┘ └─────────────────┘  │  │
 *                                │    ▲  expired (grace)   │  │
 *                                │    └────────────────────┘  │
 *               refused (last),  │                            │ refused, another user,
 *               deadline, ended, ▼                            ▼ expired (no grace),
 *               another user    closed ◀──────────────────────  ended, gone
 *                                 │ joined: pending again, or refused for good once
 *                                 └ the attempts of this transport are used up
 * ```
 *
 * - An attempt runs in `pending` and in `authenticated` alike; only one at a
 *   time. An answer that names another attempt than the one in flight is late
 *   and does nothing.
 * - `pending` after a session has ended in grace, or on a recovered
 *   connection, remembers that session in `previous`: only its user may come
 *   back.
 * - Closed does not mean that the transport is gone: another policy may still
 *   use it. That is why `closed` counts failures too.
 *
 * What the table at the end does not list does nothing.
 *
 * @module
 */
import { type Unauthorized, unauthorized } from "./protocol.ts";
import { sameSubject, type Session, type Subject } from "./session.ts";
import type { Event, Rules, State, Transition } from "./states.ts";

export type * from "./states.ts";

type Phase = State["phase"];
type In<P extends Phase> = Extract<State, { phase: P }>;
type On<T extends Event["type"]> = Extract<Event, { type: T }>;
type Table = {
  [P in Phase]: {
    [T in Event["type"]]?: (state: In<P>, event: On<T>, rules: Rules) => Transition;
  };
};

/** The state of a connection that no socket has joined yet. */
export const initial: State = { phase: "new" };

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

function pend(failures: number, ms: number, previous?: Subject): Transition {
  return {
    state: { phase: "pending", attempt: 0, failures, previous, overdue: "timeout" },
    effects: [{ type: "start_deadline", ms }],
  };
}

/** A socket has joined; recovered ones must all be the same user's. */
function join(state: In<"pending"> | In<"authenticated">, event: On<"joined">): Transition {
  const { previous } = event;
  const current = state.phase === "pending" ? state.previous : state.session;
  if (current && previous && !sameSubject(current, previous)) {
    return end(state.failures, unauthorized("subject_mismatch"));
  }
  return state.phase === "pending"
    ? stay({ ...state, previous: current ?? previous })
    : { state, effects: [{ type: "admit_joined", session: state.session }] };
}

function vanish(failures: number): Transition {
  return {
    state: { phase: "closed", failures },
    effects: [{ type: "stop_timer" }, { type: "abort" }],
  };
}

function end(failures: number, refusal: Unauthorized): Transition {
  return {
    state: { phase: "closed", failures },
    effects: [{ type: "stop_timer" }, { type: "abort", refusal }, { type: "end", refusal }],
  };
}

/** Signing out: the rooms are left, and any user may sign in next. */
function signOut(failures: number, rules: Rules): Transition {
  const { state, effects } = pend(failures, rules.timeout);
  const refusal = unauthorized("signed_out");
  return {
    state,
    effects: [{ type: "abort", refusal }, ...effects, { type: "shut", refusal, keepRooms: false }],
  };
}

function begin(state: In<"pending"> | In<"authenticated">, event: On<"credentials">): Transition {
  if (state.attempt) return { state, effects: [{ type: "decline" }] };
  return { state: { ...state, attempt: event.attempt }, effects: [{ type: "verify" }] };
}

function admit(failures: number, session: Session<unknown>, how: "admit" | "refresh"): Transition {
  return {
    state: { phase: "authenticated", attempt: 0, failures, session },
    effects: [
      session.expiresAt === undefined
        ? { type: "stop_timer" }
        : { type: "start_expiry", at: session.expiresAt },
      { type: how, session },
    ],
  };
}

function accept(state: In<"pending"> | In<"authenticated">, event: On<"accepted">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  const current = state.phase === "pending" ? state.previous : state.session;
  if (current && !sameSubject(current, event.session)) {
    return end(state.failures, unauthorized("subject_mismatch"));
  }
  return admit(state.failures, event.session, state.phase === "pending" ? "admit" : "refresh");
}

/** The attempt in flight is over without an answer. */
function drop(state: In<"pending"> | In<"authenticated">, event: On<"abandoned">): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  return {
    state: { ...state, attempt: 0 },
    effects: [{ type: "abort" }, { type: "resume_deadline" }],
  };
}

function fail(
  state: In<"pending">,
  attempt: number,
  refusal: Unauthorized,
  rules: Rules,
): Transition {
  if (attempt !== state.attempt) return stay(state);
  const failures = state.failures + 1;
  if (failures >= rules.attempts) return end(failures, refusal);
  return {
    state: { ...state, attempt: 0, failures },
    // The verifier may have failed with a challenge still open.
    effects: [{ type: "resume_deadline" }, { type: "refuse", refusal }],
  };
}

const table: Table = {
  new: {
    joined: (_state, event, rules) => pend(0, rules.timeout, event.previous),
    credentials: (_state, event, rules) => ({
      state: { phase: "pending", attempt: event.attempt, failures: 0, overdue: "timeout" },
      effects: [{ type: "start_deadline", ms: rules.timeout }, { type: "verify" }],
    }),
    ended: (_state, event) => end(0, event.refusal),
    gone: () => vanish(0),
  },

  pending: {
    joined: join,
    credentials: begin,
    accepted: accept,
    refused: (state, event, rules) => fail(state, event.attempt, event.refusal, rules),
    // A client that leaves in the middle has guessed; a server that closes has not.
    abandoned: (state, event, rules) =>
      event.byClient
        ? fail(state, event.attempt, unauthorized("authentication_failed"), rules)
        : drop(state, event),
    challenged: (state, event) => ({
      state,
      effects: event.attempt === state.attempt ? [{ type: "pause_deadline" }] : [],
    }),
    answered: (state, event) => ({
      state,
      effects: event.attempt === state.attempt ? [{ type: "resume_deadline" }] : [],
    }),
    // Saying nothing is no guess, but an attempt that takes too long is one.
    deadline: (state) => end(state.failures + (state.attempt ? 1 : 0), unauthorized(state.overdue)),
    signed_out: (state, _event, rules) =>
      state.previous ? signOut(state.failures, rules) : stay(state),
    ended: (state, event) => end(state.failures + 1, event.refusal),
    gone: (state) => vanish(state.failures),
  },

  authenticated: {
    joined: join,
    credentials: begin,
    accepted: accept,
    refused: (state, event) =>
      event.attempt === state.attempt ? end(state.failures + 1, event.refusal) : stay(state),
    abandoned: drop,
    expired(state, _event, rules) {
      const refusal = unauthorized("expired");
      if (rules.grace <= 0) return end(state.failures, refusal);
      return {
        state: {
          phase: "pending",
          attempt: state.attempt,
          failures: state.failures,
          previous: state.session,
          overdue: "expired",
        },
        effects: [
          { type: "start_deadline", ms: rules.grace },
          { type: "shut", refusal, keepRooms: true },
        ],
      };
    },
    signed_out: (state, _event, rules) => signOut(state.failures, rules),
    ended: (state, event) => end(state.failures, event.refusal),
    gone: (state) => vanish(state.failures),
  },

  closed: {
    joined: (state, event, rules) =>
      state.failures >= rules.attempts
        ? end(state.failures, unauthorized("too_many_attempts"))
        : pend(state.failures, rules.timeout, event.previous),
  },
};
