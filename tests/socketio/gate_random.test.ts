import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import type { Socket } from "socket.io";
import { Guard } from "../../src/core/guard.ts";
import { bindingOf } from "../../src/socketio/binding.ts";
import { install } from "../../src/socketio/install.ts";
import { gateOf } from "../../src/socketio/gate/prototype.ts";
import { findTarget } from "../../src/socketio/target.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { runs } from "../kit/random.ts";
import {
  type AuthenticateOption,
  AuthError,
  type Callback,
  type VerifyContext,
  type VerifyOption,
} from "../../mod.ts";
import { FakeClock } from "../core/fakes.ts";
import { createServer } from "../kit/targets.ts";
import { FakeClient, turn } from "./fake_transport.ts";
import { check, checkStats, isAuthenticated, sentTo, type Story, troubleOf } from "./stories.ts";

const NAMESPACES = ["/", "/a", "/b"];
const LIMIT = { events: 4, bytes: 1000 };

/** A call of the verifier, which says yes or no when the test does. */
interface Call {
  /** As its credentials say. */
  readonly id: number;
  readonly answer: Callback<User>;
  /** Only `verify` has it. */
  readonly challenge?: VerifyContext["challenge"];
  isAnswered: boolean;
  isAccepted: boolean;
}

interface Credentials {
  readonly id: number;
}

interface User {
  readonly name: string;
  readonly lifetime: number;
}

const at = fc.constantFrom("/", "/", ...NAMESPACES);
const step = fc.oneof(
  weigh(4, { type: fc.constant("connect" as const), at, credentials: fc.boolean() }),
  weigh(6, { type: fc.constant("credentials" as const), at, ack: fc.boolean() }),
  weigh(12, {
    type: fc.constant("answer" as const),
    /** The last attempt, or one before it. */
    index: fc.constantFrom(0, 0, 0, 1, 2),
    how: fc.constantFrom(
      "yes",
      "yes",
      "yes",
      "for a moment",
      "for a moment",
      "no",
      "error",
      "twice",
    ),
    name: fc.constantFrom("ada", "ada", "ada", "eve"),
  }),
  weigh(3, { type: fc.constant("challenge" as const), ms: fc.integer({ min: 1, max: 300 }) }),
  weigh(3, { type: fc.constant("response" as const), at }),
  weigh(4, { type: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 300 }) }),
  weigh(6, { type: fc.constant("emit" as const), at, volatile: fc.boolean() }),
  weigh(4, { type: fc.constant("broadcast" as const), at, room: fc.boolean() }),
  weigh(4, { type: fc.constant("event" as const), at }),
  weigh(3, { type: fc.constant("join" as const), at }),
  weigh(2, { type: fc.constant("leave" as const), at }),
  weigh(3, { type: fc.constant("sign out" as const), at }),
  weigh(2, { type: fc.constant("revoke" as const) }),
  weigh(3, { type: fc.constant("ask" as const), at }),
  // Somebody uses what they have kept of a socket that is over.
  weigh(6, {
    type: fc.constant("haunt" as const),
    index: fc.nat(3),
    how: fc.constantFrom("emit", "bound emit", "join", "bound join", "acknowledge"),
  }),
  weigh(1, { type: fc.constant("break" as const) }),
);

const allSteps = fc.array(step, { maxLength: 60, size: "max" });
const verifiers = fc.constantFrom("authenticate" as const, "verify" as const);

function weigh<T>(
  weight: number,
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
): { weight: number; arbitrary: fc.Arbitrary<T> } {
  return { weight, arbitrary: fc.record(model) as fc.Arbitrary<T> };
}

/** A verifier that answers when the test does: at that very moment, or with a promise. */
function verifierOf(
  name: "authenticate" | "verify",
  attempts: Call[],
): AuthenticateOption<Socket, User, Credentials> | VerifyOption<Socket, User, Credentials> {
  const begun = { isAnswered: false, isAccepted: false };
  if (name === "authenticate") {
    return {
      authenticate: (_socket, { id }, answer) => attempts.push({ id, answer, ...begun }),
    };
  }
  return {
    verify(_socket, { id }, { challenge }) {
      const { promise, resolve, reject } = Promise.withResolvers<Parameters<Callback<User>>[1]>();
      const answer: Callback<User> = (error, user) => error ? reject(error) : resolve(user);
      attempts.push({ id, answer, challenge, ...begun });
      return promise;
    },
  };
}

function setUp(connection: "authenticated" | "connected", verifier: "authenticate" | "verify") {
  const io = createServer();
  const clock = new FakeClock();
  const attempts: Call[] = [];
  const stories: Story[] = [];
  /** Whose credentials the hook was given. */
  const vouchers: number[] = [];
  /** What a handler has seen that it must not see. */
  const troubles: string[] = [];
  const storyOf = (socket: Socket) => stories.find((story) => story.socket === socket)!;
  const policy = resolvePolicy<Socket, User, Credentials>({
    ...verifierOf(verifier, attempts),
    postAuthenticate(socket, { id }) {
      storyOf(socket).admissions++;
      vouchers.push(id);
    },
    disconnect: (socket) => storyOf(socket).departures++,
    onError: () => {},
    connection,
    holdLimit: LIMIT,
    handshake: true,
    userId: ({ name }) => name,
    expiresAt: ({ lifetime }) => clock.now() + lifetime,
    grace: 300,
  });
  const place = findTarget(io);
  const guard = new Guard(policy as Policy<unknown>, bindingOf(place, clock));
  install(place, guard);
  for (const name of NAMESPACES) {
    io.of(name).use((socket, next) => {
      stories.push(newStory(socket));
      next();
    });
    io.of(name).on("connection", (socket) => {
      const story = storyOf(socket);
      story.introductions++;
      const trouble = connection === "authenticated" && troubleOf(socket);
      if (trouble) troubles.push(trouble);
      socket.on("event", (n: number) => story.heard.push(n));
      socket.on("ask", (acknowledge) => story.kept.acknowledge.push(acknowledge));
    });
  }
  return { io, clock, attempts, stories, vouchers, troubles, guard };
}

function newStory(socket: Socket): Story {
  return {
    socket,
    kept: { emit: socket.emit.bind(socket), join: socket.join.bind(socket), acknowledge: [] },
    ...{ due: [], never: [], events: [], heard: [], passed: [0, 0] },
    ...{ introductions: 0, admissions: 0, departures: 0 },
  };
}

/** Whether a socket is shut for good. */
function isOver(socket: Socket): boolean {
  return gateOf(socket)?.waiting?.outwards === "over";
}

/** Uses what somebody has kept of a socket that is over. */
function haunt({ socket, kept }: Story, how: string, n: number): void {
  if (how === "emit") socket.emit("message", n);
  else if (how === "bound emit") kept.emit("message", n);
  else if (how === "join") socket.join("room");
  else if (how === "bound join") kept.join("room");
  else kept.acknowledge.pop()?.(n);
}

describe("the gate, whatever comes in whatever order", () => {
  for (const mode of ["authenticated", "connected"] as const) suite(mode);
});

function suite(mode: "authenticated" | "connected"): void {
  it(`keeps its promises, connection: "${mode}"`, async () => {
    await fc.assert(
      fc.asyncProperty(verifiers, allSteps, async (verifier, steps) => {
        const { io, clock, attempts, stories, vouchers, troubles, guard } = setUp(mode, verifier);
        /** What was sent by those who were over, or answered. */
        const ghosts: number[] = [];
        let client = new FakeClient(io);
        let n = 0;
        /** Attempts up to here began before a revocation. */
        let worthless = 0;
        const current = (name: string) =>
          stories.find(({ socket }) => socket.connected && socket.nsp.name === name);

        await client.connect("/");
        for (const next of steps) {
          if (client.conn.readyState !== "open") {
            client = new FakeClient(io);
            await client.connect("/");
          }
          const story = "at" in next ? current(next.at) : undefined;
          n++;
          if (next.type === "connect") {
            if (!story) await client.connect(next.at, next.credentials ? { id: n } : {});
          } else if (next.type === "credentials") {
            const before = client.acknowledged.length;
            const isFree = attempts.at(-1)?.isAnswered;
            client.receive(next.at, ["authentication", { id: n }], next.ack ? n : undefined);
            const { code } = Object(client.acknowledged[before]?.outcome);
            if (isFree) assert(code !== "attempt_in_progress");
          } else if (next.type === "answer") {
            const before = stories.filter(({ socket }) => isAuthenticated(socket));
            const index = attempts.length - 1 - next.index;
            const attempt = attempts[index];
            const lifetime = next.how === "for a moment" ? 200 : 10_000;
            const user = next.how === "no" ? false : { name: next.name, lifetime };
            const error = next.how === "error" ? new AuthError("no") : null;
            if (attempt && !attempt.isAnswered) {
              attempt.isAnswered = true;
              attempt.isAccepted = !error && user !== false;
            }
            attempt?.answer(error, user);
            if (next.how === "twice") attempt?.answer(null, false);
            if (index < worthless && next.name === "ada") {
              await turn();
              const after = stories.filter(({ socket }) => isAuthenticated(socket));
              assert(after.every((story) => before.includes(story)));
            }
          } else if (next.type === "challenge") {
            attempts.at(-1)?.challenge?.(n, { timeout: next.ms }).catch(() => {});
          } else if (next.type === "response") {
            client.respond(next.at, n);
          } else if (next.type === "advance") {
            clock.advance(next.ms);
          } else if (next.type === "emit" && story) {
            const target = next.volatile ? story.socket.volatile : story.socket;
            const isPending = !isAuthenticated(story.socket);
            // What is held is counted for all sockets of a client.
            const waiting = stories.filter(({ socket }) =>
              socket.connected && !isAuthenticated(socket)
            )
              .reduce((sum, other) => sum + other.due.length - sentTo(other).length, 0);
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
          } else if (next.type === "sign out" && story && isAuthenticated(story.socket)) {
            gateOf(story.socket)!.connection.signOut();
            // Its sockets are over, all of them, one that was refused beside them, too; new ones are
            // on their way.
            assert(!stories.some(({ socket }) => socket.connected && !isOver(socket)));
          } else if (next.type === "revoke") {
            await guard.revoke({ target: { userId: "ada" } });
            worthless = attempts.length;
            const isAda = ({ socket }: Story) => gateOf(socket)?.session?.userId === "ada";
            assert(!stories.some((story) => story.socket.connected && isAda(story)));
          } else if (next.type === "ask") {
            client.receive(next.at, ["ask"], 1000 + n);
          } else if (next.type === "haunt") {
            const over = stories.filter(({ socket }) => !socket.connected);
            const ghost = over.at(-1 - next.index);
            if (ghost) haunt(ghost, next.how, ghosts[ghosts.push(n) - 1]!);
          } else if (next.type === "break") {
            client.break("transport close");
          }
          await turn();
          for (const story of stories) check(story);
          assertEquals(troubles, []);
          // Whoever is over is silent for ever, whatever is done with what was kept of them.
          const sent = [...client.sent.values()].flat();
          assert(!sent.some(([event, n]) => event === "message" && ghosts.includes(n as number)));
          assert(!client.acknowledged.some(({ outcome }) => ghosts.includes(outcome as number)));
          checkStats(guard, stories);
          // An attempt has one outcome at most, and nobody hears a yes that is not theirs.
          const answers = client.acknowledged.filter(({ id }) => id < 1000);
          const acknowledged = answers.map(({ id }) => id);
          assertEquals(new Set(acknowledged).size, acknowledged.length);
          const isAccepted = (id: number) => attempts.some((it) => it.id === id && it.isAccepted);
          for (const { id, outcome } of answers) {
            assert(!Object(outcome).ok || isAccepted(id));
          }
          // Nor does the hook see credentials that nobody has accepted.
          assert(vouchers.every(isAccepted));
        }

        // After the end nobody is left, nor a timer, and late answers admit nobody.
        client.break("transport close");
        clock.advance(2000);
        assertEquals(clock.pending, 0);
        const { pending, authenticated } = guard.journal.stats;
        assertEquals([pending, authenticated], [0, 0]);
        const admissions = stories.map((story) => story.admissions);
        for (const { answer } of attempts) answer(null, { name: "late", lifetime: 10_000 });
        assertEquals(stories.map((story) => story.admissions), admissions);
        for (const { socket, departures } of stories) {
          // Every socket is gone, once, and is in no room.
          assertEquals([socket.connected, departures, socket.rooms.size], [false, 1, 0]);
          assertEquals(socket.nsp.adapter.sids.has(socket.id), false);
        }
      }),
      runs(700),
    );
  });
}
