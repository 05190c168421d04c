import { assertEquals, describe, it } from "#testing";
import {
  type Effect,
  type Event,
  initial,
  type Rules,
  type State,
  transition,
} from "../../src/core/machine.ts";
import { unauthorized } from "../../src/protocol.ts";
import type { Session } from "../../src/core/session.ts";

const rules: Rules = { timeout: 1000, attempts: 2, grace: 500 };
const ada: Session<string> = { user: "ada", userId: "1", authenticatedAt: 0 };
const eve: Session<string> = { user: "eve", userId: "2", authenticatedAt: 0 };
const mortal: Session<string> = { ...ada, expiresAt: 9000 };
const failed = unauthorized("authentication_failed");

/** One state of each kind that the table tells apart. */
const states = {
  idle: initial,
  pending: { phase: "pending", attempt: 0, failures: 0 },
  verifying: { phase: "pending", attempt: 7, failures: 0 },
  "on the last attempt": { phase: "pending", attempt: 7, failures: 1 },
  recovering: { phase: "pending", attempt: 0, failures: 0, previous: { userId: "1", since: 100 } },
  "recovering one of old": { phase: "pending", attempt: 0, failures: 0, previous: ada },
  "verifying in recovery": {
    phase: "pending",
    attempt: 7,
    failures: 0,
    previous: { userId: "1", since: 100 },
  },
  authenticated: { phase: "authenticated", attempt: 0, failures: 0, session: ada, since: 100 },
  refreshing: { phase: "authenticated", attempt: 7, failures: 0, session: ada, since: 100 },
  "authenticated without an id": {
    phase: "authenticated",
    attempt: 0,
    failures: 0,
    session: { user: true, authenticatedAt: 0 },
    since: 100,
  },
  "idle, attempts left": { phase: "idle", failures: 1 },
  "idle for good": { phase: "idle", failures: 2 },
} satisfies Record<string, State>;

const events = {
  joined: { type: "joined" },
  recovered: { type: "joined", previous: ada },
  "recovered as another": { type: "joined", previous: eve },
  credentials: { type: "credentials", attempt: 8 },
  "credentials as another": { type: "credentials", attempt: 8, previous: eve },
  accepted: { type: "accepted", attempt: 7, session: ada, since: 200 },
  "accepted until 9000": { type: "accepted", attempt: 7, session: mortal, since: 200 },
  "accepted as another": { type: "accepted", attempt: 7, session: eve, since: 200 },
  "accepted late": { type: "accepted", attempt: 6, session: ada, since: 200 },
  refused: { type: "refused", attempt: 7, refusal: failed },
  "refused late": { type: "refused", attempt: 6, refusal: failed },
  abandoned: { type: "abandoned", attempt: 7, byClient: true },
  "cut short": { type: "abandoned", attempt: 7, byClient: false },
  challenged: { type: "challenged", attempt: 7 },
  answered: { type: "answered", attempt: 7 },
  deadline: { type: "deadline", refusal: unauthorized("timeout") },
  expired: { type: "expired" },
  signed_out: { type: "signed_out" },
  revoked: { type: "revoked", target: { userId: "1" }, at: 300 },
  "another revoked": { type: "revoked", target: { userId: "2" }, at: 300 },
  "revoked before": { type: "revoked", target: { userId: "1" }, at: 99 },
  ended: { type: "ended", refusal: unauthorized("server_error") },
  deserted: { type: "deserted" },
  gone: { type: "gone" },
} satisfies Record<string, Event>;

/** What each event does in each state: the phase it leads to, and the effects. */
const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  idle: {
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
    credentials: "pending: start_deadline 1000, verify",
    "credentials as another": "pending: start_deadline 1000, verify",
    ended: "idle: stop_timer, abort, end server_error",
  },
  pending: {
    "credentials as another": "pending: verify",
    credentials: "pending: verify",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  verifying: {
    "credentials as another": "pending: decline",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    refused: "pending: resume_deadline, refuse authentication_failed",
    abandoned: "pending: resume_deadline, refuse authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  "on the last attempt": {
    "credentials as another": "pending: decline",
    abandoned: "idle: stop_timer, abort, end authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    refused: "idle: stop_timer, abort, end authentication_failed",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  recovering: {
    "credentials as another": "idle: decline, stop_timer, abort, end subject_mismatch",
    revoked: "idle: stop_timer, abort, end revoked",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    credentials: "pending: verify",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  "recovering one of old": {
    "credentials as another": "idle: decline, stop_timer, abort, end subject_mismatch",
    revoked: "idle: stop_timer, abort, end revoked",
    "revoked before": "idle: stop_timer, abort, end revoked",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    credentials: "pending: verify",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  "verifying in recovery": {
    "credentials as another": "pending: decline",
    revoked: "idle: stop_timer, abort, end revoked",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9500, admit",
    "accepted as another": "idle: stop_timer, abort, end subject_mismatch",
    refused: "pending: resume_deadline, refuse authentication_failed",
    abandoned: "pending: resume_deadline, refuse authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "idle: stop_timer, abort, end timeout",
    ended: "idle: stop_timer, abort, end server_error",
    gone: "idle: stop_timer, abort",
  },
  authenticated: {
    "credentials as another": "idle: decline, stop_timer, abort, end subject_mismatch",
    revoked: "idle: stop_timer, abort, end revoked",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    credentials: "authenticated: verify",
    expired: "idle: stop_timer, abort, end expired",
    signed_out: "pending: abort, start_deadline 1000, replace signed_out",
    ended: "idle: stop_timer, abort, end server_error",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  refreshing: {
    "credentials as another": "authenticated: decline",
    revoked: "idle: stop_timer, abort, end revoked",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    abandoned: "authenticated: abort, resume_deadline",
    "cut short": "authenticated: abort, resume_deadline",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    credentials: "authenticated: decline",
    accepted: "authenticated: stop_timer, refresh",
    "accepted until 9000": "authenticated: start_expiry 9500, refresh",
    "accepted as another": "idle: stop_timer, abort, end subject_mismatch",
    refused: "idle: stop_timer, abort, end authentication_failed",
    expired: "idle: stop_timer, abort, end expired",
    signed_out: "pending: abort, start_deadline 1000, replace signed_out",
    ended: "idle: stop_timer, abort, end server_error",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  "authenticated without an id": {
    "credentials as another": "authenticated: decline",
    "recovered as another": "idle: stop_timer, abort, end subject_mismatch",
    joined: "authenticated: admit_joined",
    recovered: "idle: stop_timer, abort, end subject_mismatch",
    credentials: "authenticated: decline",
    expired: "idle: stop_timer, abort, end expired",
    signed_out: "pending: abort, start_deadline 1000, replace signed_out",
    ended: "idle: stop_timer, abort, end server_error",
    deserted: "idle: stop_timer, abort",
    gone: "idle: stop_timer, abort",
  },
  "idle, attempts left": {
    ended: "idle: stop_timer, abort, end server_error",
    credentials: "pending: start_deadline 1000, verify",
    "credentials as another": "pending: start_deadline 1000, verify",
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
  },
  "idle for good": {
    ended: "idle: stop_timer, abort, end server_error",
    credentials: "idle: decline, stop_timer, abort, end too_many_attempts",
    "credentials as another": "idle: decline, stop_timer, abort, end too_many_attempts",
    joined: "idle: stop_timer, abort, end too_many_attempts",
    recovered: "idle: stop_timer, abort, end too_many_attempts",
    "recovered as another": "idle: stop_timer, abort, end too_many_attempts",
  },
};

function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "start_deadline":
      return `start_deadline ${effect.ms}`;
    case "start_expiry":
      return `start_expiry ${effect.at}`;
    case "refuse":
    case "replace":
    case "end":
      return `${effect.type} ${effect.refusal.code}`;
    default:
      return effect.type;
  }
}

describe("the machine", () => {
  for (const [stateName, state] of Object.entries(states)) {
    for (const [eventName, event] of Object.entries(events)) {
      const expected = table[stateName as keyof typeof states][eventName as keyof typeof events];
      it(`${stateName} + ${eventName}: ${expected ?? "nothing"}`, () => {
        const next = transition(state, event, rules);
        const effects = next.effects.map(describeEffect).join(", ");
        if (expected) assertEquals(`${next.state.phase}: ${effects}`, expected);
        else assertEquals([next.state.phase, effects], [state.phase, ""]);
      });
    }
  }
});
