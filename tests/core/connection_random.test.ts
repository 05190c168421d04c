import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { unauthorized } from "../../src/protocol.ts";
import { runs } from "../kit/random.ts";
import { FakePeer } from "./fakes.ts";
import { setUp } from "./set_up.ts";

/** What can happen, in any order, and more of what keeps a connection alive. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("submit" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("answer" as const),
      /** The last attempt, or one before it. */
      index: fc.constantFrom(0, 0, 0, 1, 2),
      how: fc.constantFrom("yes", "yes", "yes", "no", "error"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("advance" as const),
      ms: fc.integer({ min: 1, max: 700 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("join" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("leave" as const), index: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("overflow" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("close" as const) }) },
);

describe("a connection, whatever comes in whatever order", () => {
  it("keeps its promises", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
        const world = setUp();
        const { clock, connection, answers, guard } = world;
        const peers = [world.peer];
        const outcomes: number[] = [];
        /** Which of the verifier's answers were a yes. */
        const accepted = new Set<number>();
        let isHonest = true;
        for (const next of steps) {
          if (next.type === "submit") {
            const peer = peers.find(({ connected }) => connected);
            if (!peer) continue;
            const id = outcomes.push(0) - 1;
            const index = answers.length;
            connection.authenticate(peer, {}, ({ ok }) => {
              outcomes[id]!++;
              isHonest &&= !ok || accepted.has(index);
            });
          } else if (next.type === "answer") {
            if (next.how === "yes" && answers[next.index]) accepted.add(next.index);
            answers[next.index]?.(next.how === "error" ? new Error("x") : null, next.how === "yes");
          } else if (next.type === "advance") clock.advance(next.ms);
          else if (next.type === "join" && !guard.isClosed) {
            const peer = new FakePeer(String(peers.length));
            peers.push(peer);
            connection.join(peer);
          } else if (next.type === "leave" && peers[next.index]) {
            peers[next.index]!.connected = peers[next.index]!.isOpen = false;
            connection.leave(peers[next.index]!, "left");
          } else if (next.type === "overflow") connection.end(unauthorized("too_many_events"));
          else if (next.type === "close") {
            for (const peer of peers) peer.connected = peer.isOpen = false;
            connection.close();
          }

          // Nothing is open before a verifier has said yes, nor without a session.
          for (const peer of peers) {
            if (peer.isOpen) assert(accepted.size > 0 && peer.session !== undefined);
          }
          // All sockets of a connection stand on the same side of the gate.
          const sides = peers.filter((peer) => peer.connected).map((peer) => peer.isOpen);
          assert(new Set(sides).size <= 1);
          // An attempt has one outcome at most.
          assert(outcomes.every((times) => times <= 1));
          // Nobody hears a yes that was not meant for these credentials.
          assert(isHonest);
          // A gate opens behind `authenticated`, and is told why before a disconnect.
          for (const { done } of peers) {
            const open = done.indexOf("open");
            if (open >= 0) assertEquals(done[open - 1], "authenticated");
            const disconnect = done.indexOf("disconnect");
            // A socket that comes while the connection is closing is not told again.
            if (disconnect > 0) assert(done[disconnect - 1]!.startsWith("unauthorized"));
          }
        }
        // After the end no timer is left, and late answers change nothing.
        connection.close();
        clock.advance(2000); // what was refused is closed, and what was closed is dropped
        assertEquals(clock.pending, 0);
        const before = peers.map(({ done }) => done.length);
        for (const answer of answers) answer(null, "late");
        assertEquals(peers.map(({ done }) => done.length), before);
      }),
      runs(2000),
    );
  });
});
