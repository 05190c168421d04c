// What each event does in each state, all of them.
import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { UnauthorizedError } from "../../src/client/errors.ts";
import {
  type Details,
  type Event,
  initial,
  isTrying,
  type Rules,
  type State,
  transition,
} from "../../src/client/machine.ts";
import { type Code, unauthorized } from "../../src/protocol.ts";
import { runs } from "../kit/random.ts";

const rules: Rules = {
  refreshMargin: 30_000,
  credentialsTimeout: 5_000,
  timeout: 35_000,
  source: "object",
};
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
  queued: { ...initial, name: "authenticating", credentials: "queued", due: NOW },
  "queued, to connect": { ...initial, credentials: "queued", due: NOW },
  "queued, to refresh": { ...session, credentials: "queued", due: NOW },
  "met a challenge": { ...initial, name: "authenticating", credentials: "taken", due: NOW },
  challenged: { ...initial, name: "challenged", credentials: "taken" },
  authenticated: session,
  "authenticated, due": { ...session, due: NOW },
  "authenticated just now": { ...session, since: NOW - 1 },
  "refreshing, asking": { ...session, credentials: "asked", due: NOW },
  "refreshing, sent": { ...session, credentials: "sent", due: NOW },
  "refreshing, challenged": { ...session, credentials: "taken", due: NOW },
  waiting: { ...initial, name: "waiting", due: NOW, failures: 1 },
  "waiting, asking": { ...initial, name: "waiting", credentials: "asked", due: NOW },
  "waiting for connect()": { ...initial, name: "waiting" },
  stopped: { ...initial, name: "stopped" },
} satisfies Record<string, State>;

type Occurrence = { [T in keyof Details]: [type: T, detail?: Details[T]] }[keyof Details];

const events = {
  opened: ["opened"],
  connected: ["connected", false],
  "connected, introduced": ["connected", true],
  answered: ["answered", false],
  "answered the same": ["answered", true],
  authenticated: ["authenticated", {}],
  "authenticated for an hour": ["authenticated", { expiresIn: 3_600_000, expiresAt: 6_000 }],
  "authenticated for a second": ["authenticated", { expiresIn: 1_000, expiresAt: 6_000 }],
  "authenticated as long as before": ["authenticated", { expiresIn: 1_000, expiresAt: 5_000 }],
  "authenticated for less than before": ["authenticated", { expiresIn: 8_000, expiresAt: 4_000 }],
  "authenticated for no time": ["authenticated", { expiresIn: 0, expiresAt: 6_000 }],
  challenged: ["challenged", false],
  met: ["challenged", true],
  "refused for good": ["refused", refused("authentication_failed")],
  "refused for now": ["refused", refused("server_busy", { retryAfter: 700 })],
  expired: ["refused", refused("expired")],
  "expired when it came": ["refused", refused("expired", { reconnect: false })],
  "no credentials": ["failed", own("credentials_failed")],
  "no challenge": [
    "failed",
    refused("server_error", { reconnect: false, code: "challenge_failed" }),
  ],
  kept: ["kept", refused("server_error")],
  "kept, and no better next time": ["kept", refused("subject_mismatch")],
  disconnected: ["lost"],
  "disconnected for good": ["ended", own("disconnected")],
  unreachable: ["lost", own("connect_error")],
  left: ["left", own("disconnected")],
  due: ["due"],
  refresh: ["refresh"],
  stop: ["stop"],
} satisfies Record<string, Occurrence>;

/** The state after something has happened. */
function happen(
  state: State,
  occurrence: Occurrence,
  { now = NOW, chance = random, isTurn = true, ...more } = {} as Circumstances,
): State {
  return transition(state, occurrence as Event, { ...rules, ...more }, isTurn, now, chance);
}

interface Circumstances extends Partial<Rules> {
  readonly now?: number;
  readonly chance?: number;
  readonly isTurn?: boolean;
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
  "refused for now": "waiting, none in 2300, 1 failed",
  expired: "waiting, none in 1600, 1 failed",
  "expired when it came": "stopped, none",
  "no credentials": "waiting, none in 500, 1 failed",
  "no challenge": "stopped, none",
  disconnected: "connecting, none",
  "disconnected for good": "waiting, none",
  unreachable: "connecting, none",
  left: "waiting, none",
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
  "authenticated for no time": "authenticated, none in 100",
};
/** Of a session that has failed three times before it was held: the next failure is the first. */
const GOES_ON = {
  ...ENDS,
  ...BEGINS,
  ...ENTERS,
  "authenticated as long as before": "authenticated, none in 1000",
  "no credentials": "authenticated, none in 4000, 4 failed",
  challenged: "authenticated, taken, 3 failed",
  opened: ASKS_FIRST,
  connected: "authenticating, asked in 5000, 3 failed",
  "connected, introduced": "authenticating, asked in 5000, 3 failed",
};

/** The server has shortened the session: it is renewed somewhere in the first half of what is left. */
const SHORTENED = { "authenticated for less than before": "authenticated, none in 2000" };

const ANSWERED = (text: string) => ({ answered: text, "answered the same": text });

const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  connecting: { ...ENDS, ...BEGINS, ...ENTERS, ...CHALLENGED },
  "connecting, asking": {
    ...ENDS,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    ...ANSWERED("connecting, ready"),
    due: "waiting, asked",
  },
  "connecting, ready": {
    ...ENDS,
    ...ENTERS,
    ...DECLINED,
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
    ...ANSWERED(SENDS),
    due: "waiting, asked",
  },
  introduced: {
    ...ENDS,
    ...ENTERS,
    ...DECLINED,
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
  queued: { ...ENDS, ...BEGINS, ...ENTERS, ...CHALLENGED, due: SENDS },
  "queued, to connect": {
    ...ENDS,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    due: "connecting, ready",
  },
  "queued, to refresh": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, queued in 0, 3 failed",
    due: "authenticated, asked in 5000, 3 failed",
  },
  "met a challenge": {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    ...CHALLENGED,
    met: "authenticating, taken in 35000",
    due: "waiting, none in 500, 1 failed",
  },
  challenged: {
    ...ENDS,
    ...DECLINED,
    ...BEGINS,
    ...ENTERS,
    met: "authenticating, taken in 35000",
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
    "refused for now": "waiting, none in 5800, 4 failed",
    expired: "waiting, none in 5100, 4 failed",
    "expired when it came": "stopped, none, 3 failed",
    "no challenge": "stopped, none, 3 failed",
    disconnected: "connecting, none, 3 failed",
    "disconnected for good": "waiting, none, 3 failed",
    unreachable: "connecting, none, 3 failed",
    left: "waiting, none, 3 failed",
    stop: "stopped, none, 3 failed",
  },
  "refreshing, asking": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, asked in 0, 3 failed",
    ...ANSWERED("authenticated, sent in 35000, 3 failed"),
    due: "authenticated, asked, 3 failed",
  },
  "refreshing, sent": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, sent in 0, 3 failed",
    kept: "authenticated, none in 4000, 4 failed",
    "kept, and no better next time": "authenticated, none, 3 failed",
    due: "waiting, none in 500, 1 failed",
  },
  "refreshing, challenged": {
    ...GOES_ON,
    "authenticated for less than before": "authenticated, taken in 0, 3 failed",
    met: "authenticated, taken in 35000, 3 failed",
    kept: "authenticated, none in 4000, 4 failed",
    "kept, and no better next time": "authenticated, none, 3 failed",
    due: "waiting, none in 500, 1 failed",
  },
  waiting: {
    // The server has closed.
    disconnected: "waiting, none in 0, 1 failed",
    "disconnected for good": "waiting, none in 0, 1 failed",
    unreachable: "waiting, none in 0, 1 failed",
    left: "waiting, none, 1 failed",
    opened: "connecting, asked in 5000, 1 failed",
    connected: "authenticating, asked in 5000, 1 failed",
    "connected, introduced": "authenticating, asked in 5000, 1 failed",
    due: "connecting, none, 1 failed",
    stop: "stopped, none, 1 failed",
  },
  "waiting, asking": {
    ...BEGINS,
    ...ANSWERED("waiting, none in 1100"),
    "no credentials": "waiting, none in 500, 1 failed",
    "no challenge": "stopped, none",
    due: "waiting, asked",
    disconnected: "waiting, asked in 0",
    "disconnected for good": "waiting, asked in 0",
    unreachable: "waiting, asked in 0",
    left: "waiting, none",
    stop: "stopped, none",
  },
  "waiting for connect()": {
    ...BEGINS,
    left: "waiting, none",
    stop: "stopped, none",
  },
  stopped: {},
};

/**
 * A socket that is disconnected hears nothing of the server, nothing is due that never is, and
 * nothing is answered that was not asked.
 */
function isPossible(state: State, [type, detail]: Occurrence, now = NOW): boolean {
  const { name, credentials, due } = state;
  switch (type) {
    case "challenged":
      return detail ? credentials === "taken" : name !== "waiting";
    case "authenticated":
    case "refused":
      return name !== "waiting";
    case "failed":
      return name !== "waiting" || credentials === "asked";
    case "answered":
      return credentials === "asked";
    case "kept":
      return isTrying(state);
    case "due":
      return due <= now;
  }
  return true;
}

describe("the client's machine", () => {
  for (const [state, row] of Object.entries(table)) {
    for (const [event, occurrence] of Object.entries(events)) {
      const before: State = states[state as keyof typeof states];
      const expected = row[event as keyof typeof events];
      if (!isPossible(before, occurrence as Occurrence)) continue;
      it(`${state}: ${event}`, () => {
        const after = happen(before, occurrence as Occurrence);
        if (expected) assertEquals(describeState(after), expected);
        else assertEquals(after, before);
      });
    }
  }
});

describe("the client's machine, beside others on the connection", () => {
  const to = (state: State, event: keyof typeof events, circumstances: Circumstances) =>
    describeState(happen(state, events[event] as Occurrence, circumstances));

  it("waits for its turn with credentials, and to ask for them for a refresh", () => {
    const isTurn = false;
    assertEquals([
      to(states["connecting, asking"], "answered", { isTurn }),
      to(states.asking, "answered", { isTurn }),
      to(states.queued, "due", { isTurn }),
      to(states["authenticated, due"], "due", { isTurn }),
      to(states.authenticated, "refresh", { isTurn }),
      to(states["refreshing, asking"], "answered", { isTurn }),
    ], [
      "connecting, queued in 50",
      "authenticating, queued in 50",
      "authenticating, queued in 50",
      "authenticated, queued in 50, 3 failed",
      "authenticated, queued in 50, 3 failed",
      "authenticated, sent in 35000, 3 failed",
    ]);
  });
});

describe("the client's machine, after credentials that may have been stale", () => {
  const end = (state: State, source: Rules["source"], event = events["refused for good"]) =>
    happen(state, event as Occurrence, { source });

  it("asks a function once more, and tries what it brings if that differs", () => {
    const asking = end(states.sent, "function");
    assertEquals(describeState(asking), "waiting, asked in 5000");
    assertEquals(end(asking, "function", events.answered as never).name, "waiting");
    assertEquals(end(asking, "function", events["answered the same"] as never).name, "stopped");
    const second = { ...states.sent, isSecond: true };
    assertEquals(end(second, "function").name, "stopped");
  });

  it("asks a function only where it was asked for this", () => {
    assertEquals(end(states.authenticated, "function").name, "stopped");
    assertEquals(end(states["refreshing, sent"], "function").name, "waiting");
    assertEquals(end(states.sent, "object").name, "stopped");
    const expired = events["expired when it came"];
    assertEquals(end(states.sent, "function", expired as never).name, "stopped");
  });

  it("connects once more for a refresh without credentials, and never for a sign-in", () => {
    const waiting = end(states["refreshing, sent"], "undefined");
    assertEquals(describeState(waiting), "waiting, none in 1100");
    const closed = end(waiting, "undefined", events.disconnected as never);
    assertEquals(describeState(closed), "waiting, none in 0");
    assertEquals(
      end({ ...states["refreshing, sent"], isSecond: true }, "undefined").name,
      "stopped",
    );
    assertEquals(end(states.sent, "undefined").name, "stopped");
  });
});

/** Anything at all, and some time later. */
const anything = fc.record({
  occurrence: fc.constantFrom<Occurrence>(...Object.values(events) as Occurrence[]),
  after: fc.constantFrom(0, 1, 200, 5_000, 35_000, 3_600_000),
  circumstances: fc.record({
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    isTurn: fc.boolean(),
  }),
});

describe("the client's machine, whatever happens in whatever order", () => {
  it("keeps its invariants", () => {
    const everything = fc.record({
      source: fc.constantFrom<Rules["source"]>("undefined", "object", "function"),
      happenings: fc.array(anything, { maxLength: 60, size: "max" }),
    });
    fc.assert(
      fc.property(everything, ({ source, happenings }) => {
        let state = initial;
        let now = NOW;
        let seconds = 0;
        for (const { occurrence, after, circumstances } of happenings) {
          now += after;
          const before = state;
          const [type, detail] = occurrence;
          if (!isPossible(before, occurrence, now)) continue;
          state = happen(before, occurrence, { now, source, ...circumstances });

          // Only the server lets a client in, and nothing brings back one that has stopped.
          if (state.name === "authenticated" && before.name !== "authenticated") {
            assertEquals(type, "authenticated");
          }
          if (before.name === "stopped") assertEquals(state, before);
          // The client waits for ever only for what it has told of: a function that is late.
          if (state.credentials === "asked" && state.due === Infinity) {
            assertEquals(state.error?.code, "credentials_failed");
          }
          if (state.name === "authenticating") assert(state.due <= now + 35_000);
          // Credentials go out in the client's turn only.
          const isSending = isTrying(state) && state.credentials !== before.credentials;
          if (isSending && type === "due" && before.credentials === "queued") {
            assert(circumstances.isTurn);
          }
          // A client that comes back does so neither too early nor much too late.
          if (state !== before && type === "refused" && state.due < Infinity) {
            const { retryAfter = 0, reconnect } = detail as UnauthorizedError;
            if (reconnect) assert(state.due >= now + retryAfter);
            assert(state.due <= now + retryAfter + 32_000);
          }
          // Without the server's word, a client tries once more, until it is in.
          const isFinal = type === "refused" && !(detail as UnauthorizedError).reconnect;
          if (state.name === "authenticated") seconds = 0;
          if (isFinal && state !== before && state.name === "waiting") seconds++;
          assert(seconds <= 1);
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
      happen(initial, events["no credentials"] as Occurrence, { chance }).due - NOW
    );
    assertEquals(delays, [0, 250, 500, 999]);
  });

  it("waits twice as long each time, half a minute at most", () => {
    let state = initial;
    const delays = Array.from({ length: 8 }, () => {
      state = happen(state, events["no credentials"] as Occurrence, { chance: 1 });
      const { due } = state;
      state = { ...state, name: "connecting" };
      return (due - NOW) / 1000;
    });
    assertEquals(delays, [1, 2, 4, 8, 16, 30, 30, 30]);
  });
});
