// What each event does in each state, all of them.
import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { UnauthorizedError } from "../../src/client/errors.ts";
import {
  type Details,
  type Event,
  initial,
  type Rules,
  type State,
  transition,
} from "../../src/client/machine.ts";
import { type Code, unauthorized } from "../../src/protocol.ts";
import { runs } from "../kit/random.ts";

const rules: Rules = { refreshMargin: 30_000, credentialsTimeout: 5_000, timeout: 35_000 };
const NOW = 1_000_000;
/** What is left to chance: half of the longest delay. */
const random = 0.5;

const refused = (code: Code, more = {}) =>
  new UnauthorizedError({ ...unauthorized(code), ...more });
const own = (code: string) => new UnauthorizedError({ code, message: code, reconnect: true });

const session: State = {
  ...initial,
  name: "authenticated",
  due: NOW + 1,
  failures: 3,
  since: NOW - 60_000,
  endsAt: NOW + 30_000,
  expiresAt: 5_000,
};

/** One state of each kind that is told apart. */
const states = {
  connecting: initial,
  "connecting, asking": { ...initial, credentials: "asked", due: NOW },
  "connecting, ready": { ...initial, credentials: "ready" },
  asking: { ...initial, name: "authenticating", credentials: "asked", due: NOW },
  introduced: { ...initial, name: "authenticating", credentials: "ready", due: NOW },
  sent: { ...initial, name: "authenticating", credentials: "sent", due: NOW },
  "sent, renewing": { ...initial, name: "authenticating", credentials: "sent", renews: true },
  "met a challenge": { ...initial, name: "authenticating", credentials: "taken", due: NOW },
  challenged: { ...initial, name: "challenged", credentials: "taken" },
  authenticated: session,
  "authenticated, due": { ...session, due: NOW },
  "authenticated just now": { ...session, since: NOW - 1 },
  "refreshing, asking": { ...session, credentials: "asked", due: NOW },
  "refreshing, sent": { ...session, credentials: "sent", due: NOW },
  waiting: { ...initial, name: "waiting", due: NOW, failures: 1 },
  "waiting for connect()": { ...initial, name: "waiting" },
  stopped: { ...initial, name: "stopped" },
} satisfies Record<string, State>;

type Occurrence = { [T in keyof Details]: [type: T, detail?: Details[T]] }[keyof Details];

const events = {
  opened: ["opened"],
  connected: ["connected", false],
  "connected, introduced": ["connected", true],
  answered: ["answered"],
  authenticated: ["authenticated", {}],
  "authenticated for an hour": ["authenticated", { expiresIn: 3_600_000, expiresAt: 6_000 }],
  "authenticated for a second": ["authenticated", { expiresIn: 1_000, expiresAt: 6_000 }],
  "authenticated as long as before": ["authenticated", { expiresIn: 1_000, expiresAt: 5_000 }],
  "authenticated for less than before": ["authenticated", { expiresIn: 8_000, expiresAt: 4_000 }],
  "accepted for a while": ["accepted", { expiresIn: 8_000, expiresAt: 4_000 }],
  "authenticated for no time": ["authenticated", { expiresIn: 0, expiresAt: 6_000 }],
  challenged: ["challenged"],
  "refused for good": ["refused", refused("authentication_failed")],
  "refused for now": ["refused", refused("server_busy", { retryAfter: 700 })],
  expired: ["refused", refused("expired")],
  "expired when it came": ["refused", refused("expired", { reconnect: false })],
  "no credentials": ["refused", own("credentials_failed")],
  kept: ["kept", refused("server_error")],
  "kept, and no better next time": ["kept", refused("subject_mismatch")],
  disconnected: ["disconnected", undefined],
  "disconnected for good": ["disconnected", own("disconnected")],
  due: ["due"],
  refresh: ["refresh"],
  stop: ["stop"],
} satisfies Record<string, Occurrence>;

function happen([type, detail]: Occurrence, now = NOW, chance = random): Event {
  return { type, detail, now, random: chance } as Event;
}

/** A state in words: its name, its credentials, when it is due from now on, and its failures. */
function describeState({ name, credentials, due, failures }: State): string {
  const wait = due === Infinity ? "" : ` in ${due - NOW}`;
  return `${name}, ${credentials}${wait}${failures ? `, ${failures} failed` : ""}`;
}

const ASKS_FIRST = "connecting, asked in 5000";
const ASKS = "authenticating, asked in 5000";
const SENDS = "authenticating, sent in 35000";
const ENDS = {
  "refused for good": "stopped, none",
  "refused for now": "waiting, none in 1200, 1 failed",
  expired: "waiting, none in 500, 1 failed",
  "expired when it came": "waiting, none in 500, 1 failed",
  "no credentials": "waiting, none in 500, 1 failed",
  disconnected: "connecting, none",
  "disconnected for good": "waiting, none",
  stop: "stopped, none",
};
/** Socket.IO hands over nothing before the namespace is connected; if it did, no harm is done. */
const CHALLENGED = { challenged: "challenged, taken" };
const DECLINED = {
  kept: "waiting, none in 500, 1 failed",
  "kept, and no better next time": "waiting, none in 500, 1 failed",
};
const BEGINS = { opened: ASKS_FIRST, connected: ASKS, "connected, introduced": ASKS };
const ENTERS = {
  authenticated: "authenticated, none",
  "authenticated for an hour": "authenticated, none in 3570000",
  "authenticated for a second": "authenticated, none in 500",
  "authenticated as long as before": "authenticated, none in 500",
  "authenticated for less than before": "authenticated, none in 4000",
  "authenticated for no time": "authenticated, none in 0",
};
/** Of a session that has failed three times before it was held: the next failure is the first. */
const GOES_ON = {
  ...ENDS,
  ...BEGINS,
  ...ENTERS,
  "authenticated as long as before": "authenticated, none in 1000",
  "authenticated for no time": "authenticated, none in 100",
  "no credentials": "authenticated, none in 4000, 4 failed",
  challenged: "authenticated, taken, 3 failed",
  opened: ASKS_FIRST,
  connected: "authenticating, asked in 5000, 3 failed",
  "connected, introduced": "authenticating, asked in 5000, 3 failed",
};

/** The server has shortened the session: it is renewed somewhere in the first half of what is left. */
const SHORTENED = { "authenticated for less than before": "authenticated, none in 2000" };

const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  connecting: { ...ENDS, ...BEGINS, ...ENTERS, ...CHALLENGED },
  "connecting, asking": {
    ...ENDS,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    answered: "connecting, ready",
    due: "waiting, none in 500, 1 failed",
  },
  "connecting, ready": {
    ...ENDS,
    ...ENTERS,
    ...CHALLENGED,
    opened: ASKS_FIRST,
    connected: SENDS,
    "connected, introduced": "authenticating, ready in 200",
  },
  asking: {
    ...ENDS,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    answered: SENDS,
    due: "waiting, none in 500, 1 failed",
  },
  introduced: {
    ...ENDS,
    ...ENTERS,
    opened: ASKS_FIRST,
    connected: SENDS,
    "connected, introduced": "authenticating, ready in 200",
    ...CHALLENGED,
    due: SENDS,
  },
  sent: {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    due: "waiting, none in 500, 1 failed",
  },
  "sent, renewing": {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    expired: "stopped, none",
    "expired when it came": "stopped, none",
  },
  "met a challenge": {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    answered: "authenticating, taken in 35000",
    due: "waiting, none in 500, 1 failed",
  },
  challenged: {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    answered: "authenticating, taken in 35000",
  },
  authenticated: {
    ...GOES_ON,
    ...SHORTENED,
    refresh: "authenticated, asked in 5000, 3 failed",
  },
  "authenticated, due": {
    ...GOES_ON,
    ...SHORTENED,
    refresh: "authenticated, asked in 5000, 3 failed",
    due: "authenticated, asked in 5000, 3 failed",
  },
  "authenticated just now": {
    ...GOES_ON,
    ...SHORTENED,
    refresh: "authenticated, asked in 5000, 3 failed",
    opened: "connecting, asked in 5000, 3 failed",
    "refused for good": "stopped, none, 3 failed",
    "refused for now": "waiting, none in 4700, 4 failed",
    expired: "waiting, none in 4000, 4 failed",
    "expired when it came": "waiting, none in 4000, 4 failed",
    disconnected: "connecting, none, 3 failed",
    "disconnected for good": "waiting, none, 3 failed",
    stop: "stopped, none, 3 failed",
  },
  "refreshing, asking": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, asked in 0, 3 failed",
    answered: "authenticated, sent in 35000, 3 failed",
    due: "authenticated, none in 4000, 4 failed",
  },
  "refreshing, sent": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, sent in 0, 3 failed",
    "accepted for a while": "authenticated, none in 4000",
    kept: "authenticated, none in 4000, 4 failed",
    "kept, and no better next time": "authenticated, none, 3 failed",
    due: "waiting, none in 500, 1 failed",
  },
  waiting: {
    disconnected: "connecting, none, 1 failed",
    "disconnected for good": "waiting, none, 1 failed",
    opened: "connecting, asked in 5000, 1 failed",
    connected: "authenticating, asked in 5000, 1 failed",
    "connected, introduced": "authenticating, asked in 5000, 1 failed",
    due: "connecting, none, 1 failed",
    stop: "stopped, none, 1 failed",
  },
  "waiting for connect()": {
    ...BEGINS,
    disconnected: "connecting, none",
    "disconnected for good": "waiting, none",
    stop: "stopped, none",
  },
  stopped: {},
};

/** A socket that is disconnected hears nothing of the server, and nothing is due that never is. */
function isPossible({ name, due }: State, event: keyof typeof events): boolean {
  const isOfServer = /^(auth|chall|refused|expired|no cred)/.test(event);
  return !(name === "waiting" && isOfServer) && !(event === "due" && due > NOW);
}

describe("the client's machine", () => {
  for (const [state, row] of Object.entries(table)) {
    for (const [event, occurrence] of Object.entries(events)) {
      const before: State = states[state as keyof typeof states];
      const expected = row[event as keyof typeof events];
      if (!isPossible(before, event as keyof typeof events)) continue;
      it(`${state}: ${event}`, () => {
        const after = transition(before, happen(occurrence as Occurrence), rules);
        if (expected) assertEquals(describeState(after), expected);
        else assertEquals(after, before);
      });
    }
  }
});

/** Anything at all, and some time later. */
const anything = fc.record({
  occurrence: fc.constantFrom<Occurrence>(...Object.values(events) as Occurrence[]),
  after: fc.constantFrom(0, 1, 200, 5_000, 35_000, 3_600_000),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe("the client's machine, whatever happens in whatever order", () => {
  it("keeps its invariants", () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60, size: "max" }), (happenings) => {
        let state = initial;
        let now = NOW;
        let expired = 0;
        for (const { occurrence, after, chance } of happenings) {
          now += after;
          const before = state;
          const [type, detail] = occurrence;
          const isOfServer = ["authenticated", "challenged", "refused"].includes(type);
          if (before.name === "waiting" && isOfServer) continue;
          if (type === "due" && before.due > now) continue;
          state = transition(before, happen(occurrence, now, chance), rules);

          // Only the server lets a client in, and nobody brings back one that has stopped.
          if (state.name === "authenticated" && before.name !== "authenticated") {
            assertEquals(type, "authenticated");
          }
          if (before.name === "stopped") assertEquals(state, before);
          // Nothing waits for ever that the client itself can do something about.
          if (state.credentials === "asked") assert(state.due <= now + 5_000);
          if (state.name === "authenticating") assert(state.due <= now + 35_000);
          // Whoever comes back does so neither too early nor much too late.
          if (state !== before && type === "refused" && state.name === "waiting") {
            const { retryAfter = 0 } = detail as UnauthorizedError;
            assert(state.due >= now + retryAfter);
            assert(state.due <= now + retryAfter + 30_000);
          }
          // A session that has expired is renewed once.
          const isExpired = type === "refused" && (detail as UnauthorizedError).code === "expired";
          if (state.name === "authenticated") expired = 0;
          if (isExpired && state !== before) expired++;
          assert(expired <= (state.name === "stopped" ? 2 : 1));
          // An error is told as long as it matters.
          if (state.name === "stopped") assert(state.error !== undefined);
          if (type === "authenticated") {
            assertEquals(state.error, state === before ? before.error : undefined);
          }
        }
      }),
      runs(),
    );
  });

  it("spreads those who come back over the whole delay", () => {
    const delays = [0, 0.25, 0.5, 0.999].map((chance) =>
      transition(initial, happen(events["no credentials"] as Occurrence, NOW, chance), rules).due -
      NOW
    );
    assertEquals(delays, [0, 250, 500, 999]);
  });

  it("waits twice as long each time, half a minute at most", () => {
    let state = initial;
    const delays = Array.from({ length: 8 }, () => {
      state = transition(state, happen(events["no credentials"] as Occurrence, NOW, 1), rules);
      const { due } = state;
      state = { ...state, name: "connecting" };
      return (due - NOW) / 1000;
    });
    assertEquals(delays, [1, 2, 4, 8, 16, 30, 30, 30]);
  });
});
