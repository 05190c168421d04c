import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import {
  type Event,
  initial,
  type Previous,
  type Rules,
  type State,
  transition,
} from "../../src/core/machine.ts";
import { unauthorized } from "../../src/protocol.ts";
import type { Session } from "../../src/core/session.ts";
import { runs } from "../kit/random.ts";

const rules: Rules = { timeout: 1000, attempts: 2, grace: 500 };
const refusal = unauthorized("authentication_failed");
const type = <T extends Event["type"]>(type: T) => fc.constant(type);

const session = fc.constantFrom<Session<string>>(
  { user: "ada", userId: "1", authenticatedAt: 0 },
  { user: "ada", userId: "1", authenticatedAt: 0, expiresAt: 9000 },
  { user: "eve", userId: "2", authenticatedAt: 0 },
);
const attempt = fc.constantFrom(1, 2, 3);
const maybe = fc.option(session, { nil: undefined, freq: 2 });
const isBrought = fc.boolean();
const time = fc.constantFrom(1, 2, 3);

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: type("joined"), previous: maybe }),
  {
    weight: 3,
    arbitrary: fc.record({ type: type("credentials"), attempt, previous: maybe, isBrought }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: type("accepted"),
      attempt,
      session,
      since: time,
      stamp: time,
      isBrought,
    }),
  },
  fc.record({ type: type("verified"), attempt, session, since: time, stamp: time, isBrought }),
  fc.record({ type: type("forbidden"), attempt, refusal: fc.constant(refusal), isBrought }),
  fc.record({
    type: type("refused"),
    attempt,
    refusal: fc.constantFrom(refusal, unauthorized("server_error")),
    isVerdict: fc.boolean(),
    isAsked: fc.boolean(),
    isBrought,
  }),
  fc.record({ type: type("abandoned"), attempt }),
  fc.record({ type: fc.constantFrom("challenged" as const, "answered" as const), attempt }),
  fc.record({
    type: type("revoked"),
    isMeant: fc.constantFrom("1", "2").map((id) => ({ userId }: Previous) => userId === id),
    refusal: fc.constant(refusal),
  }),
  fc.record({
    type: type("limited"),
    isMeant: fc.constantFrom("1", "2").map((id) => ({ userId }: Previous) => userId === id),
    until: time,
    at: fc.constantFrom(100, 9999),
  }),
  fc.constantFrom<Event>(
    { type: "deadline", refusal, isAsked: true },
    { type: "failed" },
    { type: "expired" },
    { type: "signed_out" },
    { type: "ended", refusal },
    { type: "rejected", refusal },
    { type: "closed" },
    { type: "deserted" },
    { type: "gone" },
  ),
);

describe("the machine, whatever happens in whatever order", () => {
  it("keeps its invariants", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60, size: "max" }), (sequence) => {
        let state: State = initial;
        let open = false;
        for (const event of sequence) {
          const before = state;
          const next = transition(state, event, rules);
          state = next.state;
          const types = next.effects.map(({ type }) => type);

          // The gate opens only on an acceptance that names the attempt in flight.
          if (types.includes("admit")) {
            assert(
              event.type === "accepted" && "attempt" in before && before.attempt === event.attempt,
            );
          }
          // Authenticated means: admitted, and nothing has ended or replaced the sockets since.
          if (types.includes("admit")) open = true;
          if (types.includes("tell")) open = false;
          if (event.type === "gone" || event.type === "deserted") open = false;
          assertEquals(state.phase === "authenticated", open);
          // Whoever is not authenticated, nor idle, has a deadline: entering
          // `pending` from anywhere else starts one.
          if (state.phase === "pending" && before.phase !== "pending") {
            assert(types.includes("start_deadline"));
          }
          // Leaving for `idle` or `closing` stops the attempt; nothing but the close is due then.
          if (before.phase === "pending" || before.phase === "authenticated") {
            if (state.phase === "idle") assert(types.includes("stop_timer"));
            if (state.phase === "closing") assert(types.includes("start_closing"));
            if (state.phase === "idle" || state.phase === "closing") {
              assert(types.includes("abort"));
            }
          }
          // A client that is being closed is closed, or goes; nothing else becomes of it.
          if (before.phase === "closing" && event.type !== "gone") {
            assertEquals(state.phase === "idle", types.includes("close"));
          }
          // What comes with a CONNECT ends no session.
          if (before.phase === "authenticated" && "isBrought" in event && event.isBrought) {
            assertEquals(state.phase, "authenticated");
          }
          // A limit never makes a session longer, and ends none by itself.
          if (event.type === "limited" && "session" in before) {
            assert("session" in state);
            const { expiresAt: end = Infinity } = state.session;
            assert(end <= (before.session.expiresAt ?? Infinity));
          }
          // Another user never comes in on somebody else's session.
          if (before.phase === "authenticated" && state.phase === "authenticated") {
            assertEquals(before.session.userId, state.session.userId);
          }
          // A recovered connection belongs to one user.
          if (
            before.phase === "pending" && before.previous && state.phase === "authenticated"
          ) {
            assertEquals(state.session.userId, before.previous.userId);
          }
          // Nothing happens without an effect, but for recovery being remembered.
          if (types.length === 0) assertEquals(state.phase, before.phase);
        }
      }),
      runs(),
    );
  });
});
