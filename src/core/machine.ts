/**
 * The protocol's state machine: one per client connection and policy, whatever
 * the number of namespaces. It is pure: it knows no socket, no timer and no
 * clock, and returns what is to be done as a list of effects.
 *
 * ```text
 *            joined               accepted
 *   idle ───────────▶ pending ─────────────▶ authenticated ──┐ refresh:
 *    ▲                 │  ▲ ▲                   │      │  ▲   │ accepted,
 *    │   refused (some │  │ │  signed out       │      │  └───┘ same user
 *    │  attempts left) └──┘ └───────────────────┘      │
 *    │                 │   (with new sockets)          │
 *    │ refused (last), │                               │ refused, another user,
 *    │ deadline, ended │                               │ expired, revoked, ended, left
 *    └─────────────────┴───────────────────────────────┘
 * ```
 *
 * - A socket goes through this once, one way: pending, authenticated, over.
 *   Whatever leads back here ends the sockets of before.
 * - An attempt runs in `pending` and in `authenticated` alike; only one at a
 *   time. An answer that names another attempt than the one in flight is late
 *   and does nothing.
 * - `idle` does not mean that the transport is gone: another policy may still
 *   use it. That is why it counts failures too: once the attempts of the
 *   transport are used up, whoever joins is refused for good.
 *
 * What the table at the end does not list does nothing.
 *
 * @module
 */
import { type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import { isTarget, sameUser } from "./session.ts";
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
    state: { phase: "pending", attempt: 0, failures, previous },
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

function end(failures: number, refusal: Unauthorized): Transition {
  return {
    state: { phase: "idle", failures },
    effects: [{ type: "stop_timer" }, { type: "abort", refusal }, { type: "end", refusal }],
  };
}

/** Ends the connection over credentials that nobody has looked at. */
function turnAway(failures: number, refusal: Unauthorized): Transition {
  const { state, effects } = end(failures, refusal);
  return { state, effects: [{ type: "decline", refusal }, ...effects] };
}

function signOut(failures: number, rules: Rules): Transition {
  const { state, effects } = pend(failures, rules.timeout);
  const refusal = unauthorized("signed_out");
  return {
    state,
    effects: [{ type: "abort", refusal }, ...effects, { type: "replace", refusal }],
  };
}

/** Sends credentials back, and changes nothing. */
function decline(state: Engaged, refusal: Declined): Transition {
  return { state, effects: [{ type: "decline", refusal }] };
}

function begin(state: Engaged, event: On<"credentials">): Transition {
  if (state.attempt) return decline(state, unauthorized("attempt_in_progress"));
  if (isForeign(state, event)) return turnAway(state.failures, unauthorized("subject_mismatch"));
  const { attempt, previous } = event;
  return {
    state: state.phase === "pending"
      ? { ...state, attempt, previous: state.previous ?? previous }
      : { ...state, attempt },
    effects: [{ type: "verify" }],
  };
}

function accept(state: Engaged, event: On<"accepted">, rules: Rules): Transition {
  if (event.attempt !== state.attempt) return stay(state);
  const current = state.phase === "pending" ? state.previous : state.session;
  if (current && !sameUser(current, event.session)) {
    return end(state.failures, unauthorized("subject_mismatch"));
  }
  const { session, since } = event;
  return {
    state: { phase: "authenticated", attempt: 0, failures: state.failures, session, since },
    effects: [
      session.expiresAt === undefined
        ? { type: "stop_timer" }
        : { type: "start_expiry", at: session.expiresAt + rules.grace },
      { type: state.phase === "pending" ? "admit" : "refresh", session },
    ],
  };
}

/** The attempt in flight is over without an answer. */
function drop(state: Engaged, event: On<"abandoned">): Transition {
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

/** A session that began after its user was revoked is a new one, and welcome. */
function revoke(state: Engaged, { target, at }: On<"revoked">): Transition {
  const current = state.phase === "pending" ? state.previous : state.session;
  const since = state.phase === "pending" ? state.previous?.since : state.since;
  const isMeant = current && isTarget(target, current) && (since ?? -Infinity) <= at;
  return isMeant ? end(state.failures, unauthorized("revoked")) : stay(state);
}

function becomeIdle(failures: number): Transition {
  return {
    state: { phase: "idle", failures },
    effects: [{ type: "stop_timer" }, { type: "abort" }],
  };
}

const table: Table = {
  idle: {
    joined: (state, event, rules) =>
      state.failures < rules.attempts
        ? pend(state.failures, rules.timeout, event.previous)
        : end(state.failures, unauthorized("too_many_attempts")),
    credentials: (state, event, rules) =>
      state.failures < rules.attempts
        ? pendAndBegin(state.failures, event, rules)
        : turnAway(state.failures, unauthorized("too_many_attempts")),
    // A socket that is not welcome may come to a connection that is over already.
    ended: (state, event) => end(state.failures, event.refusal),
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
    deadline: (state, event) => end(state.failures + (state.attempt ? 1 : 0), event.refusal),
    revoked: revoke,
    ended: (state, event) => end(state.failures + 1, event.refusal),
    gone: (state) => becomeIdle(state.failures),
  },

  authenticated: {
    joined: join,
    // Nobody could tell whether it is the same user.
    credentials: (state, event) =>
      state.session.userId === undefined
        ? decline(state, { ...unauthorized("subject_mismatch"), kept: true })
        : begin(state, event),
    accepted: accept,
    refused: (state, event) =>
      event.attempt === state.attempt ? end(state.failures + 1, event.refusal) : stay(state),
    abandoned: drop,
    expired: (state) => end(state.failures, unauthorized("expired")),
    signed_out: (state, _event, rules) => signOut(state.failures, rules),
    revoked: revoke,
    ended: (state, event) => end(state.failures, event.refusal),
    // A session does not outlive its sockets: whoever comes back signs in.
    deserted: (state) => becomeIdle(state.failures),
    gone: (state) => becomeIdle(state.failures),
  },
};
