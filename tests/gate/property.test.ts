import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { Socket } from "socket.io";
import { Guard } from "../../src/adapters/guard.ts";
import { install } from "../../src/adapters/install.ts";
import { findTarget } from "../../src/adapters/target.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { FakeClock } from "../core/fakes.ts";
import { createServer } from "../kit/targets.ts";
import { FakeClient, turn } from "./fake_transport.ts";

const NAMESPACES = ["/", "/a", "/b"];
const LIMIT = { events: 4, bytes: 1000 };
const PROTOCOL = ["authenticated", "unauthorized"];

type Answer = (error?: unknown, user?: unknown) => void;

const at = fc.constantFrom("/", "/", ...NAMESPACES);
const step = fc.oneof(
  fc.record({ type: fc.constant("connect" as const), at }),
  fc.record({ type: fc.constant("credentials" as const), at, ack: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("answer" as const),
      index: fc.nat(4),
      how: fc.constantFrom("yes", "yes", "no", "error", "twice"),
    }),
  },
  fc.record({ type: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 500 }) }),
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("emit" as const), at, volatile: fc.boolean() }),
  },
  fc.record({ type: fc.constant("broadcast" as const), at, room: fc.boolean() }),
  fc.record({ type: fc.constant("event" as const), at }),
  fc.record({ type: fc.constant("join" as const), at }),
  fc.record({ type: fc.constant("leave" as const), at }),
  fc.record({ type: fc.constant("break" as const) }),
);

/** What happened to one socket, from the first to the last. */
interface Story {
  readonly socket: Socket;
  /** Messages by number: what was sent to it, and what ought to arrive. */
  readonly due: number[];
  readonly never: number[];
  readonly events: number[];
  readonly heard: number[];
  admissions: number;
  departures: number;
}

function setUp() {
  const io = createServer();
  const clock = new FakeClock();
  const answers: Answer[] = [];
  const stories: Story[] = [];
  const storyOf = (socket: Socket) => stories.find((story) => story.socket === socket)!;
  const policy = resolvePolicy<Socket, unknown, unknown>({
    authenticate: (_socket, _credentials, attempt) => void answers.push(attempt as Answer),
    postAuthenticate: (socket) => storyOf(socket).admissions++,
    disconnect: (socket) => storyOf(socket).departures++,
    onError: () => {},
    holdLimit: LIMIT,
  });
  const place = findTarget(io);
  const guard = new Guard(policy as Policy<unknown>, clock, place);
  install(place, guard);
  const client = new FakeClient(io);
  for (const name of NAMESPACES) {
    io.of(name).on("connection", (socket) => {
      const story: Story = {
        ...{ socket, due: [], never: [], events: [], heard: [] },
        ...{ admissions: 0, departures: 0 },
      };
      stories.push(story);
      socket.on("event", (n: number) => story.heard.push(n));
    });
  }
  return { io, clock, client, answers, stories };
}

const isAuthenticated = (socket: Socket) => (socket as { auth?: boolean }).auth === true;

describe("the gate, whatever comes in whatever order", () => {
  it("keeps its promises", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const { io, clock, client, answers, stories } = setUp();
        let submitted = 0;
        let n = 0;
        const current = (name: string) =>
          stories.find(({ socket }) => socket.connected && socket.nsp.name === name);

        await client.connect("/");
        for (const next of steps) {
          if (client.conn.readyState !== "open") break;
          const story = "at" in next ? current(next.at) : undefined;
          n++;
          if (next.type === "connect") {
            if (!story) await client.connect(next.at);
          } else if (next.type === "credentials") {
            const id = next.ack ? ++submitted : undefined;
            client.receive(next.at, ["authentication", {}], id);
          } else if (next.type === "answer") {
            const user = next.how === "no" ? false : { name: "ada" };
            answers[next.index]?.(next.how === "error" ? new Error("no") : null, user);
            if (next.how === "twice") answers[next.index]?.(null, false);
          } else if (next.type === "advance") {
            clock.advance(next.ms);
          } else if (next.type === "emit" && story) {
            const target = next.volatile ? story.socket.volatile : story.socket;
            const isPending = !isAuthenticated(story.socket);
            const waiting = story.due.length - sentTo(story, client).length;
            const isLost = isPending && (next.volatile || waiting >= LIMIT.events);
            (isLost ? story.never : story.due).push(n);
            target.emit("message", n);
          } else if (next.type === "broadcast") {
            const room = next.room ? story?.socket.id : undefined;
            if (story) (isAuthenticated(story.socket) ? story.due : story.never).push(n);
            (room ? io.of(next.at).to(room) : io.of(next.at)).emit("message", n);
          } else if (next.type === "event" && story) {
            story.events.push(n);
            client.receive(next.at, ["event", n]);
          } else if (next.type === "join") {
            story?.socket.join("room");
          } else if (next.type === "leave") {
            client.leave(next.at);
          } else if (next.type === "break") {
            client.break("transport close");
          }
          await turn();
          for (const story of stories) check(story, client);
          // An attempt has one outcome at most.
          assertEquals(new Set(client.acknowledged).size, client.acknowledged.length);
        }

        // After the end no timer is left, and late answers admit nobody.
        client.break("transport close");
        clock.advance(2000);
        assertEquals(clock.pending, 0);
        const admissions = stories.map((story) => story.admissions);
        for (const answer of answers) answer(null, { name: "late" });
        assertEquals(stories.map((story) => story.admissions), admissions);
        for (const { socket, departures } of stories) {
          // Every socket is gone, once, and is in no room.
          assertEquals([socket.connected, departures, socket.rooms.size], [false, 1, 0]);
          assertEquals(socket.nsp.adapter.sids.has(socket.id), false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** The numbered messages that were sent to a socket. */
function sentTo({ socket }: Story, client: FakeClient): number[] {
  const sent = client.sent.get(socket.nsp.name) ?? [];
  return sent.filter(([event]) => event === "message").map(([, n]) => n as number);
}

function check(story: Story, client: FakeClient): void {
  const { socket, due, never, events, heard, admissions } = story;
  if (!socket.connected) return;
  const sent = client.sent.get(socket.nsp.name) ?? [];
  const names = sent.map(([event]) => event as string);
  const messages = sentTo(story, client);
  const isIn = isAuthenticated(socket);

  // Nothing goes out in front of `authenticated`, and nothing comes in.
  const others = names.findIndex((event) => !PROTOCOL.includes(event));
  if (others >= 0) assert(names.slice(0, others).includes("authenticated"));
  if (!isIn) assertEquals([messages, heard], [[], []]);
  // Once it is authenticated, all that was held has arrived, once and in order.
  if (isIn) assertEquals([messages, heard], [due, events]);
  // What was volatile, or broadcast while it was pending, never arrives.
  assert(!never.some((n) => messages.includes(n)));
  // It is in the adapter if and only if it is authenticated.
  assertEquals(socket.nsp.adapter.sids.has(socket.id), isIn);
  // One admission, one hook.
  assertEquals(admissions, isIn ? 1 : 0);
  // And nothing of the gate stays on it.
  assertEquals(Object.getPrototypeOf(socket) === Socket.prototype, isIn);
}
