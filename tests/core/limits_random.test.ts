import { assert, assertEquals, describe, it } from "#testing";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { resolvePolicy } from "../../src/core/policy.ts";
import { runs } from "../kit/random.ts";
import { Client } from "./client.ts";
import { FakeGuard } from "./fakes.ts";

const TICK = 50;
const LIMITS = { timeout: 1000, attempts: 2, maxPending: 2 };

/** What can happen to a client; `ticks` is how long something takes. */
const actions: Record<string, (client: Client, ticks: number) => unknown> = {
  join: (client) => client.join(),
  handshake: (client) => client.handshake(),
  submit: (client) => client.submit(),
  challenge: ({ attempts }, ticks) =>
    attempts.at(-1)?.challenge("code?", { timeout: ticks * TICK }).catch(() => {}),
  answer: ({ connected }) => connected.forEach((peer) => peer.answer?.("code")),
  accept: ({ attempts }) => attempts.at(-1)?.answer("ada"),
  refuse: ({ attempts }) => attempts.at(-1)?.answer(),
  leave: (client) => client.leave(),
  lose: (client) => client.lose(),
};

const step = fc.record({
  who: fc.constantFrom(0, 0, 0, 1, 2),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant("submit") },
    { weight: 5, arbitrary: fc.constant("refuse") },
    { weight: 4, arbitrary: fc.constantFrom("wait", "challenge") },
    { weight: 16, arbitrary: fc.constantFrom(...Object.keys(actions)) },
  ),
  ticks: fc.integer({ min: 1, max: 9 }),
});

function setUp() {
  let current: Client;
  const policy = resolvePolicy<string, unknown, unknown>({
    ...LIMITS,
    handshake: true,
    verify: (_socket, _credentials, { challenge }) =>
      new Promise((answer) => current.attempts.push({ challenge, answer })),
    onError: () => {},
  });
  const guard = new FakeGuard(policy);
  const clients = [0, 1, 2].map(() => new Client(guard));
  return { guard, clients, isNext: (client: Client) => current = client };
}

describe("the limits, whatever comes in whatever order", () => {
  it("hold, and nothing is left behind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const { guard, clients, isNext } = setUp();
        /** How much of its deadline a client has used up, in milliseconds. */
        const used = new Map<Client, number>(clients.map((client) => [client, 0]));
        for (const { who, what, ticks } of steps) {
          const client = clients[who]!;
          isNext(client);
          if (client.isOver) {
            client.lose();
            clients[who] = new Client(guard);
            used.set(clients[who], 0);
          } else if (what === "wait") {
            for (let i = 0; i < ticks; i++) {
              // Time runs for those who are neither signed in nor being asked.
              const running = clients.filter((it) => it.isPending && !it.isAsked);
              for (const client of running) used.set(client, used.get(client)! + TICK);
              guard.clock.advance(TICK);
            }
          } else {
            const { sessions } = client;
            actions[what]!(client, ticks);
            // A deadline of its own for whoever comes after a session.
            if (client.sessions > sessions) used.set(client, 0);
          }
          // A socket is connected a moment after its handshake.
          await setImmediate();

          checkPlaces(guard, clients);
          for (const client of clients) checkClient(client, used.get(client)!);
        }
        for (const client of clients) client.lose();
        guard.clock.advance(2000); // what was refused is closed, and what was closed is dropped
        const { pending, authenticated } = guard.journal.stats;
        assertEquals([pending, authenticated, guard.clock.pending], [0, 0, 0]);
      }),
      runs(2000),
    );
  });
});

function checkPlaces({ journal }: FakeGuard, clients: readonly Client[]): void {
  const connected = clients.flatMap((client) => client.connected);
  const authenticated = connected.filter(({ session }) => session).length;
  const outside = clients.filter((client) => !client.isOver)
    .reduce((sum, { atTheDoor, refused }) => sum + atTheDoor.size + refused.size, 0);
  const { stats } = journal;
  const pending = connected.length - authenticated + outside;
  assertEquals([stats.pending, stats.authenticated], [pending, authenticated]);
  // Whatever the number of sockets; a client that has left them all has its place until it is cut.
  assert(stats.pendingConnections <= LIMITS.maxPending);
  assert(stats.pendingConnections >= clients.filter((client) => client.isPending).length);
}

function checkClient({ isPending, peers, outcomes }: Client, used: number): void {
  // It is cut when its time is up, neither later nor earlier.
  if (isPending) assert(used < LIMITS.timeout);
  const isTimedOut = peers.some(({ done }) => done.includes("unauthorized timeout"));
  if (isTimedOut) assertEquals(used, LIMITS.timeout);
  const failures = outcomes.filter((it) => !it.ok && it.code === "authentication_error");
  assert(failures.length <= LIMITS.attempts);
}
