import { assertEquals, describe, it } from "#testing";
import {
  type Effect,
  type Event,
  initial,
  type Rules,
  type State,
  type Transition,
  transition,
} from "../../src/core/machine.ts";
import { unauthorized } from "../../src/protocol.ts";
import { endOf, type Session } from "../../src/core/session.ts";

const rules: Rules = { timeout: 1000, attempts: 2, grace: 500 };
const ada: Session<string> = { user: "ada", userId: "1", authenticatedAt: 0 };
const eve: Session<string> = { user: "eve", userId: "2", authenticatedAt: 0 };
const mortal: Session<string> = { ...ada, expiresAt: 9000 };
const failed = unauthorized("authentication_failed");
const error = unauthorized("server_error");
const forbidden = unauthorized("forbidden");
const revoked = unauthorized("revoked");
const isBrought = true;

/** One state of each kind that the table tells apart. */
const states = {
  idle: initial,
  pending: { phase: "pending", attempt: 0, failures: 0, errors: 0 },
  verifying: { phase: "pending", attempt: 7, failures: 0, errors: 0 },
  "on the last attempt": { phase: "pending", attempt: 7, failures: 1, errors: 0 },
  recovering: {
    phase: "pending",
    attempt: 0,
    failures: 0,
    errors: 0,
    previous: { userId: "1", since: 100, stamp: 1 },
  },
  "recovering one of old": { phase: "pending", attempt: 0, failures: 0, errors: 0, previous: ada },
  "verifying in recovery": {
    phase: "pending",
    attempt: 7,
    failures: 0,
    errors: 0,
    previous: { userId: "1", since: 100, stamp: 1 },
  },
  authenticated: {
    phase: "authenticated",
    attempt: 0,
    failures: 0,
    session: ada,
    since: 100,
    stamp: 1,
  },
  refreshing: {
    phase: "authenticated",
    attempt: 7,
    failures: 0,
    session: ada,
    since: 100,
    stamp: 1,
  },
  "authenticated without an id": {
    phase: "authenticated",
    attempt: 0,
    failures: 0,
    session: { user: true, authenticatedAt: 0 },
    since: 100,
    stamp: 1,
  },
  "idle, attempts left": { phase: "idle", failures: 1 },
  "idle for good": { phase: "idle", failures: 2 },
  "after an error": { phase: "pending", attempt: 7, failures: 0, errors: 1 },
  "used up by one who left": { phase: "pending", attempt: 0, failures: 2, errors: 0 },
  "to be let in": {
    phase: "pending",
    attempt: 7,
    failures: 0,
    errors: 0,
    verified: { session: ada, since: 100, stamp: 1 },
  },
  "signed in, attempts used up": {
    phase: "authenticated",
    attempt: 0,
    failures: 2,
    session: ada,
    since: 100,
    stamp: 1,
  },
  closing: { phase: "closing", failures: 2 },
} satisfies Record<string, State>;

const events = {
  joined: { type: "joined" },
  recovered: { type: "joined", previous: ada },
  "recovered as another": { type: "joined", previous: eve },
  credentials: { type: "credentials", attempt: 8 },
  "credentials as another": { type: "credentials", attempt: 8, previous: eve },
  "credentials with CONNECT": { type: "credentials", attempt: 8, isBrought: true },
  verified: { type: "verified", attempt: 7, session: ada, since: 200, stamp: 2 },
  "verified late": { type: "verified", attempt: 6, session: ada, since: 200, stamp: 2 },
  "verified as another": { type: "verified", attempt: 7, session: eve, since: 200, stamp: 2 },
  forbidden: { type: "forbidden", attempt: 7, refusal: forbidden },
  "forbidden late": { type: "forbidden", attempt: 6, refusal: forbidden },
  accepted: { type: "accepted", attempt: 7, session: ada, since: 200, stamp: 2 },
  "accepted until 9000": { type: "accepted", attempt: 7, session: mortal, since: 200, stamp: 2 },
  "accepted as another": { type: "accepted", attempt: 7, session: eve, since: 200, stamp: 2 },
  "accepted late": { type: "accepted", attempt: 6, session: ada, since: 200, stamp: 2 },
  "CONNECT accepted": {
    type: "accepted",
    attempt: 7,
    session: ada,
    since: 200,
    stamp: 2,
    isBrought,
  },
  "CONNECT accepted as another": {
    type: "accepted",
    attempt: 7,
    session: eve,
    since: 200,
    stamp: 2,
    isBrought,
  },
  "CONNECT verified as another": {
    type: "verified",
    attempt: 7,
    session: eve,
    since: 200,
    stamp: 2,
    isBrought,
  },
  "CONNECT forbidden": { type: "forbidden", attempt: 7, refusal: forbidden, isBrought },
  "CONNECT refused": {
    type: "refused",
    attempt: 7,
    refusal: failed,
    isVerdict: true,
    isAsked: true,
    isBrought,
  },
  refused: { type: "refused", attempt: 7, refusal: failed, isVerdict: true, isAsked: true },
  "refused late": { type: "refused", attempt: 6, refusal: failed, isVerdict: true, isAsked: true },
  failing: { type: "refused", attempt: 7, refusal: error, isVerdict: false, isAsked: true },
  abandoned: { type: "abandoned", attempt: 7 },
  failed: { type: "failed" },
  challenged: { type: "challenged", attempt: 7 },
  answered: { type: "answered", attempt: 7 },
  deadline: { type: "deadline", refusal: unauthorized("timeout"), isAsked: false },
  expired: { type: "expired" },
  signed_out: { type: "signed_out" },
  revoked: { type: "revoked", isMeant: ({ userId }) => userId === "1", refusal: revoked },
  "another revoked": { type: "revoked", isMeant: ({ userId }) => userId === "2", refusal: revoked },
  "revoked before": {
    type: "revoked",
    isMeant: ({ userId, since = 0 }) => userId === "1" && since < 100,
    refusal: revoked,
  },
  "revoked by an older one": {
    type: "revoked",
    isMeant: ({ userId, stamp = 0 }) => userId === "1" && stamp < 1,
    refusal: revoked,
  },
  limited: { type: "limited", isMeant: ({ userId }) => userId === "1", until: 1, at: 5000 },
  "another limited": {
    type: "limited",
    isMeant: ({ userId }) => userId === "2",
    until: 1,
    at: 5000,
  },
  ended: { type: "ended", refusal: error },
  rejected: { type: "rejected", refusal: error },
  closed: { type: "closed" },
  deserted: { type: "deserted" },
  gone: { type: "gone" },
} satisfies Record<string, Event>;

type Row = Partial<Record<keyof typeof events, string>>;

/** While the last attempt is verified that is left, be it after failures or after errors. */
const verifyingAtLast: Row = {
  "credentials with CONNECT": "pending: decline",
  verified: "pending: let_in",
  "verified as another": "pending: let_in",
  forbidden: "closing: abort, tell forbidden, start_closing",
  "CONNECT accepted": "authenticated: stop_timer, admit",
  "CONNECT accepted as another": "authenticated: stop_timer, admit",
  "CONNECT verified as another": "pending: let_in",
  "CONNECT forbidden": "closing: abort, tell forbidden, start_closing",
  "CONNECT refused": "closing (a failure): abort, tell authentication_failed, start_closing",
  credentials: "pending: decline",
  "credentials as another": "pending: decline",
  accepted: "authenticated: stop_timer, admit",
  "accepted until 9000": "authenticated: start_expiry 9500, admit",
  "accepted as another": "authenticated: stop_timer, admit",
  refused: "closing (a failure): abort, tell authentication_failed, start_closing",
  failing: "closing: abort, tell server_error, start_closing",
  abandoned: "pending: abort, resume_deadline",
  failed: "pending (a failure): ",
  challenged: "pending: pause_deadline",
  answered: "pending: resume_deadline",
  deadline: "idle: stop_timer, abort, tell timeout, close",
  ended: "idle: stop_timer, abort, tell server_error, close",
  rejected: "closing: abort, tell server_error, start_closing",
  gone: "idle: stop_timer, abort",
};

/** What each event does in each state: the phase it leads to, what it counts, and the effects. */
const table: Record<keyof typeof states, Row> = {
  idle: {
    "credentials with CONNECT": "pending: start_deadline 1000, verify",
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
    credentials: "pending: start_deadline 1000, verify",
    "credentials as another": "pending: start_deadline 1000, verify",
    failed: "idle (a failure): ",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
  },
  pending: {
    "credentials with CONNECT": "pending: verify",
    credentials: "pending: verify",
    "credentials as another": "pending: verify",
    failed: "pending (a failure): ",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  verifying: {
    "credentials with CONNECT": "pending: decline",
    verified: "pending: let_in",
    "verified as another": "pending: let_in",
    forbidden: "closing: abort, tell forbidden, start_closing",
    "CONNECT accepted": "authenticated: stop_timer, admit",
    "CONNECT accepted as another": "authenticated: stop_timer, admit",
    "CONNECT verified as another": "pending: let_in",
    "CONNECT forbidden": "closing: abort, tell forbidden, start_closing",
    "CONNECT refused":
      "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    credentials: "pending: decline",
    "credentials as another": "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    refused: "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    failing: "pending (an error): resume_deadline, abort, tell_sender server_error",
    abandoned: "pending: abort, resume_deadline",
    failed: "pending (a failure): ",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  "on the last attempt": verifyingAtLast,
  recovering: {
    "credentials with CONNECT": "pending: verify",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "pending: verify",
    "credentials as another": "closing: decline, abort, tell subject_mismatch, start_closing",
    failed: "pending (a failure): ",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  "recovering one of old": {
    "revoked by an older one": "idle: stop_timer, abort, tell revoked, close",
    "credentials with CONNECT": "pending: verify",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "pending: verify",
    "credentials as another": "closing: decline, abort, tell subject_mismatch, start_closing",
    failed: "pending (a failure): ",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    "revoked before": "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  "verifying in recovery": {
    "credentials with CONNECT": "pending: decline",
    verified: "pending: let_in",
    "verified as another": "closing: abort, tell subject_mismatch, start_closing",
    forbidden: "closing: abort, tell forbidden, start_closing",
    "CONNECT accepted": "authenticated: stop_timer, admit",
    "CONNECT accepted as another": "closing: abort, tell subject_mismatch, start_closing",
    "CONNECT verified as another": "closing: abort, tell subject_mismatch, start_closing",
    "CONNECT forbidden": "closing: abort, tell forbidden, start_closing",
    "CONNECT refused":
      "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "pending: decline",
    "credentials as another": "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "closing: abort, tell subject_mismatch, start_closing",
    refused: "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    failing: "pending (an error): resume_deadline, abort, tell_sender server_error",
    abandoned: "pending: abort, resume_deadline",
    failed: "pending (a failure): ",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  authenticated: {
    limited: "authenticated: start_expiry 5000, tell_end",
    "credentials with CONNECT": "authenticated: verify",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "authenticated: verify",
    "credentials as another": "idle: decline, stop_timer, abort, tell subject_mismatch, close",
    failed: "authenticated (a failure): ",
    expired: "idle: stop_timer, abort, tell expired, close",
    signed_out: "pending: abort, start_deadline 1000, tell signed_out, replace",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  refreshing: {
    limited: "authenticated: start_expiry 5000, tell_end",
    "credentials with CONNECT": "authenticated: decline",
    verified: "authenticated: let_in",
    "verified as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    forbidden: "idle: stop_timer, abort, tell forbidden, close",
    "CONNECT accepted": "authenticated: stop_timer, refresh",
    "CONNECT accepted as another": "authenticated: abort",
    "CONNECT verified as another": "authenticated: abort",
    "CONNECT forbidden": "authenticated: abort",
    "CONNECT refused": "authenticated (a failure): abort",
    deserted: "pending: start_deadline 1000",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "authenticated: decline",
    "credentials as another": "authenticated: decline",
    accepted: "authenticated: stop_timer, refresh",
    "accepted until 9000": "authenticated: start_expiry 9500, refresh",
    "accepted as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    refused: "idle (a failure): stop_timer, abort, tell authentication_failed, close",
    failing: "authenticated: abort, kept",
    abandoned: "authenticated: abort, resume_deadline",
    failed: "authenticated (a failure): ",
    expired: "idle: stop_timer, abort, tell expired, close",
    signed_out: "pending: abort, start_deadline 1000, tell signed_out, replace",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  "authenticated without an id": {
    "credentials with CONNECT": "authenticated: decline",
    joined: "authenticated: admit_joined",
    recovered: "idle: stop_timer, abort, tell subject_mismatch, close",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "authenticated: decline",
    "credentials as another": "authenticated: decline",
    failed: "authenticated (a failure): ",
    expired: "idle: stop_timer, abort, tell expired, close",
    signed_out: "pending: abort, start_deadline 1000, tell signed_out, replace",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  "to be let in": {
    credentials: "pending: decline",
    "credentials as another": "pending: decline",
    "credentials with CONNECT": "pending: decline",
    verified: "pending: let_in",
    "verified as another": "pending: let_in",
    forbidden: "closing: abort, tell forbidden, start_closing",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    "CONNECT accepted": "authenticated: stop_timer, admit",
    "CONNECT accepted as another": "authenticated: stop_timer, admit",
    "CONNECT verified as another": "pending: let_in",
    "CONNECT forbidden": "closing: abort, tell forbidden, start_closing",
    "CONNECT refused":
      "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    refused: "pending (a failure): resume_deadline, abort, tell_sender authentication_failed",
    failing: "pending (an error): resume_deadline, abort, tell_sender server_error",
    abandoned: "pending: abort, resume_deadline",
    failed: "pending (a failure): ",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  "signed in, attempts used up": {
    limited: "authenticated: start_expiry 5000, tell_end",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    "recovered as another": "idle: stop_timer, abort, tell subject_mismatch, close",
    credentials: "authenticated: verify",
    "credentials as another": "idle: decline, stop_timer, abort, tell subject_mismatch, close",
    "credentials with CONNECT": "authenticated: decline",
    failed: "authenticated (a failure): ",
    expired: "idle: stop_timer, abort, tell expired, close",
    signed_out: "pending: abort, start_deadline 1000, tell signed_out, replace",
    revoked: "idle: stop_timer, abort, tell revoked, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  "idle, attempts left": {
    "credentials with CONNECT": "pending: start_deadline 1000, verify",
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
    credentials: "pending: start_deadline 1000, verify",
    "credentials as another": "pending: start_deadline 1000, verify",
    failed: "idle (a failure): ",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
  },
  "idle for good": {
    "credentials with CONNECT": "closing: decline, abort, tell too_many_attempts, start_closing",
    joined: "closing: abort, tell too_many_attempts, start_closing",
    recovered: "closing: abort, tell too_many_attempts, start_closing",
    "recovered as another": "closing: abort, tell too_many_attempts, start_closing",
    credentials: "closing: decline, abort, tell too_many_attempts, start_closing",
    "credentials as another": "closing: decline, abort, tell too_many_attempts, start_closing",
    failed: "idle (a failure): ",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
  },
  "after an error": verifyingAtLast,
  "used up by one who left": {
    "credentials with CONNECT": "closing: decline, abort, tell too_many_attempts, start_closing",
    credentials: "closing: decline, abort, tell too_many_attempts, start_closing",
    "credentials as another": "closing: decline, abort, tell too_many_attempts, start_closing",
    failed: "pending (a failure): ",
    deadline: "idle: stop_timer, abort, tell timeout, close",
    ended: "idle: stop_timer, abort, tell server_error, close",
    rejected: "closing: abort, tell server_error, start_closing",
    gone: "idle: stop_timer, abort",
  },
  closing: {
    joined: "closing: silence_joined",
    recovered: "closing: silence_joined",
    "recovered as another": "closing: silence_joined",
    failed: "closing (a failure): ",
    ended: "idle: stop_timer, close",
    closed: "idle: close",
    gone: "idle: stop_timer, abort",
  },
};

function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "start_deadline":
      return `start_deadline ${effect.ms}`;
    case "start_expiry":
      return `start_expiry ${endOf(effect.session, rules.grace)}`;
    case "abort":
      return effect.refusal?.kept ? "abort, kept" : "abort";
    case "tell":
    case "tell_sender":
      return `${effect.type} ${effect.refusal.code}`;
    default:
      return effect.type;
  }
}

/** The phase that an event leads to, what it counts, and the effects; nothing if it does nothing. */
function describeTransition(before: State, { state, effects }: Transition): string | undefined {
  const failed = state.failures > before.failures ? " (a failure)" : "";
  const erred = "errors" in state && "errors" in before && state.errors > before.errors
    ? " (an error)"
    : "";
  if (state.phase === before.phase && effects.length === 0 && !failed) return undefined;
  return `${state.phase}${failed}${erred}: ${effects.map(describeEffect).join(", ")}`;
}

describe("the machine", () => {
  for (const [stateName, state] of Object.entries(states)) {
    for (const [eventName, event] of Object.entries(events)) {
      const expected = table[stateName as keyof typeof states][eventName as keyof typeof events];
      it(`${stateName} + ${eventName}: ${expected ?? "nothing"}`, () => {
        assertEquals(describeTransition(state, transition(state, event, rules)), expected);
      });
    }
  }

  it("counts no failure where the server looked at nothing", () => {
    const failures = (code: "server_error" | "server_busy" | "timeout", isAsked: boolean) => {
      const refusal = unauthorized(code);
      const event: Event = { type: "refused", attempt: 7, refusal, isVerdict: false, isAsked };
      return transition(states.verifying, event, rules).state.failures;
    };
    assertEquals(failures("server_error", true), 0);
    assertEquals(failures("server_busy", true), 0);
    assertEquals(failures("timeout", false), 0);
    assertEquals(failures("timeout", true), 1);
    const deadline: Event = { type: "deadline", refusal: unauthorized("timeout"), isAsked: true };
    assertEquals(transition(states.verifying, deadline, rules).state.failures, 1);
  });
});
