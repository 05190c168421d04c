import { assertEquals, describe, it } from "#testing";
import {
  type Effect,
  type Event,
  initial,
  type Rules,
  type State,
  transition,
} from "../../src/core/machine.ts";
import { unauthorized } from "../../src/core/protocol.ts";
import type { Session } from "../../src/core/session.ts";

const rules: Rules = { timeout: 1000, attempts: 2, grace: 500 };
const noGrace: Rules = { ...rules, grace: 0 };
const ada: Session<string> = { user: "ada", userId: "1", authenticatedAt: 0 };
const eve: Session<string> = { user: "eve", userId: "2", authenticatedAt: 0 };
const mortal: Session<string> = { ...ada, expiresAt: 9000 };
const failed = unauthorized("authentication_failed");

/** One state of each kind that the table tells apart. */
const states = {
  new: initial,
  pending: { phase: "pending", attempt: 0, failures: 0, overdue: "timeout" },
  verifying: { phase: "pending", attempt: 7, failures: 0, overdue: "timeout" },
  "on the last attempt": { phase: "pending", attempt: 7, failures: 1, overdue: "timeout" },
  recovering: { phase: "pending", attempt: 0, failures: 0, previous: ada, overdue: "timeout" },
  "in grace": {
    phase: "pending",
    attempt: 0,
    failures: 0,
    previous: { userId: "1", since: 100 },
    overdue: "expired",
  },
  "verifying in grace": {
    phase: "pending",
    attempt: 7,
    failures: 0,
    previous: { userId: "1", since: 100 },
    overdue: "expired",
  },
  authenticated: { phase: "authenticated", attempt: 0, failures: 0, session: ada, since: 100 },
  refreshing: { phase: "authenticated", attempt: 7, failures: 0, session: ada, since: 100 },
  closed: { phase: "closed", failures: 1 },
  "closed for good": { phase: "closed", failures: 2 },
} satisfies Record<string, State>;

const events = {
  joined: { type: "joined" },
  recovered: { type: "joined", previous: ada },
  "recovered as another": { type: "joined", previous: eve },
  resumed: { type: "joined", previous: ada, resumed: ada },
  "resumed until 9000": { type: "joined", previous: mortal, resumed: mortal },
  "resumed as another": { type: "joined", previous: eve, resumed: eve },
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
  deadline: { type: "deadline" },
  expired: { type: "expired" },
  signed_out: { type: "signed_out" },
  revoked: { type: "revoked", target: { userId: "1" }, at: 300 },
  "another revoked": { type: "revoked", target: { userId: "2" }, at: 300 },
  "revoked before": { type: "revoked", target: { userId: "1" }, at: 99 },
  ended: { type: "ended", refusal: unauthorized("server_error") },
  gone: { type: "gone" },
} satisfies Record<string, Event>;

/** What each event does in each state: the phase it leads to, and the effects. */
const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  new: {
    resumed: "authenticated: stop_timer, admit_joined",
    "resumed until 9000": "authenticated: start_expiry 9000, admit_joined",
    "resumed as another": "authenticated: stop_timer, admit_joined",
    "credentials as another": "pending: start_deadline 1000, verify",
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
    credentials: "pending: start_deadline 1000, verify",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  pending: {
    "credentials as another": "pending: verify",
    credentials: "pending: verify",
    deadline: "closed: stop_timer, abort, end timeout",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  verifying: {
    "credentials as another": "pending: decline",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9000, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    refused: "pending: resume_deadline, refuse authentication_failed",
    abandoned: "pending: resume_deadline, refuse authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "closed: stop_timer, abort, end timeout",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  "on the last attempt": {
    "credentials as another": "pending: decline",
    abandoned: "closed: stop_timer, abort, end authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9000, admit",
    "accepted as another": "authenticated: stop_timer, admit",
    refused: "closed: stop_timer, abort, end authentication_failed",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "closed: stop_timer, abort, end timeout",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  recovering: {
    "resumed as another": "closed: stop_timer, abort, end subject_mismatch",
    "credentials as another": "closed: decline, stop_timer, abort, end subject_mismatch",
    revoked: "closed: stop_timer, abort, end revoked",
    "revoked before": "closed: stop_timer, abort, end revoked",
    "recovered as another": "closed: stop_timer, abort, end subject_mismatch",
    credentials: "pending: verify",
    deadline: "closed: stop_timer, abort, end timeout",
    signed_out: "pending: abort, start_deadline 1000, shut signed_out",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  "in grace": {
    "resumed as another": "closed: stop_timer, abort, end subject_mismatch",
    "credentials as another": "closed: decline, stop_timer, abort, end subject_mismatch",
    revoked: "closed: stop_timer, abort, end revoked",
    "recovered as another": "closed: stop_timer, abort, end subject_mismatch",
    credentials: "pending: verify",
    deadline: "closed: stop_timer, abort, end expired",
    signed_out: "pending: abort, start_deadline 1000, shut signed_out",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  "verifying in grace": {
    "resumed as another": "closed: stop_timer, abort, end subject_mismatch",
    "credentials as another": "pending: decline",
    revoked: "closed: stop_timer, abort, end revoked",
    "recovered as another": "closed: stop_timer, abort, end subject_mismatch",
    credentials: "pending: decline",
    accepted: "authenticated: stop_timer, admit",
    "accepted until 9000": "authenticated: start_expiry 9000, admit",
    "accepted as another": "closed: stop_timer, abort, end subject_mismatch",
    refused: "pending: resume_deadline, refuse authentication_failed",
    abandoned: "pending: resume_deadline, refuse authentication_failed",
    "cut short": "pending: abort, resume_deadline",
    challenged: "pending: pause_deadline",
    answered: "pending: resume_deadline",
    deadline: "closed: stop_timer, abort, end expired",
    signed_out: "pending: abort, start_deadline 1000, shut signed_out",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  authenticated: {
    resumed: "authenticated: admit_joined",
    "resumed until 9000": "authenticated: admit_joined",
    "resumed as another": "closed: stop_timer, abort, end subject_mismatch",
    "credentials as another": "closed: decline, stop_timer, abort, end subject_mismatch",
    revoked: "closed: stop_timer, abort, end revoked",
    "recovered as another": "closed: stop_timer, abort, end subject_mismatch",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    credentials: "authenticated: verify",
    expired: "pending: start_deadline 500, shut expired, keeping rooms",
    signed_out: "pending: abort, start_deadline 1000, shut signed_out",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  refreshing: {
    resumed: "authenticated: admit_joined",
    "resumed until 9000": "authenticated: admit_joined",
    "resumed as another": "closed: stop_timer, abort, end subject_mismatch",
    "credentials as another": "authenticated: decline",
    revoked: "closed: stop_timer, abort, end revoked",
    "recovered as another": "closed: stop_timer, abort, end subject_mismatch",
    abandoned: "authenticated: abort, resume_deadline",
    "cut short": "authenticated: abort, resume_deadline",
    joined: "authenticated: admit_joined",
    recovered: "authenticated: admit_joined",
    credentials: "authenticated: decline",
    accepted: "authenticated: stop_timer, refresh",
    "accepted until 9000": "authenticated: start_expiry 9000, refresh",
    "accepted as another": "closed: stop_timer, abort, end subject_mismatch",
    refused: "closed: stop_timer, abort, end authentication_failed",
    expired: "pending: start_deadline 500, shut expired, keeping rooms",
    signed_out: "pending: abort, start_deadline 1000, shut signed_out",
    ended: "closed: stop_timer, abort, end server_error",
    gone: "closed: stop_timer, abort",
  },
  closed: {
    ended: "closed: stop_timer, abort, end server_error",
    resumed: "pending: start_deadline 1000",
    "resumed until 9000": "pending: start_deadline 1000",
    "resumed as another": "pending: start_deadline 1000",
    credentials: "pending: start_deadline 1000, verify",
    "credentials as another": "pending: start_deadline 1000, verify",
    joined: "pending: start_deadline 1000",
    recovered: "pending: start_deadline 1000",
    "recovered as another": "pending: start_deadline 1000",
  },
  "closed for good": {
    ended: "closed: stop_timer, abort, end server_error",
    resumed: "closed: stop_timer, abort, end too_many_attempts",
    "resumed until 9000": "closed: stop_timer, abort, end too_many_attempts",
    "resumed as another": "closed: stop_timer, abort, end too_many_attempts",
    credentials: "closed: decline, stop_timer, abort, end too_many_attempts",
    "credentials as another": "closed: decline, stop_timer, abort, end too_many_attempts",
    joined: "closed: stop_timer, abort, end too_many_attempts",
    recovered: "closed: stop_timer, abort, end too_many_attempts",
    "recovered as another": "closed: stop_timer, abort, end too_many_attempts",
  },
};

function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "start_deadline":
      return `start_deadline ${effect.ms}`;
    case "start_expiry":
      return `start_expiry ${effect.at}`;
    case "refuse":
    case "end":
      return `${effect.type} ${effect.refusal.code}`;
    case "shut":
      return `shut ${effect.refusal.code}${effect.keepRooms ? ", keeping rooms" : ""}`;
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

  it("without grace an expired session is closed", () => {
    const { state, effects } = transition(states.refreshing, events.expired, noGrace);
    assertEquals(state.phase, "closed");
    assertEquals(effects.map(describeEffect), ["stop_timer", "abort", "end expired"]);
  });

  it("an attempt in flight at expiry goes on, and may end the grace", () => {
    const { state: grace } = transition(states.refreshing, events.expired, rules);
    assertEquals(transition(grace, events.accepted, rules).state.phase, "authenticated");
    const { effects } = transition(grace, events["accepted as another"], rules);
    assertEquals(effects.map(describeEffect).at(-1), "end subject_mismatch");
  });
});
