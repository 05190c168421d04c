// Several users on several transports, under two policies and beside an open namespace, in whatever
// order they come, bring credentials, renew, sign out, are revoked and go. A model that knows only
// what the verifier has said yes to says who may be whom; what is looked at is what clients received.
import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import type { Socket } from "socket.io";
import type { Auth } from "../../mod.ts";
import { createAuth } from "../../src/core/auth.ts";
import { Guard } from "../../src/core/guard.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { bindingOf } from "../../src/socketio/binding.ts";
import { gateOf } from "../../src/socketio/gate/prototype.ts";
import { install } from "../../src/socketio/install.ts";
import { findTarget } from "../../src/socketio/target.ts";
import { FakeClock } from "../core/fakes.ts";
import { runs } from "../kit/random.ts";
import { createServer } from "../kit/targets.ts";
import { FakeClient, turn } from "./fake_transport.ts";
import { isAuthenticated } from "./stories.ts";

/** The namespaces of the server's policy, that of a policy of its own, and an open one. */
const SHARED = ["/", "/chat"] as const;
const OWN = "/own";
const OPEN = "/open";
const ALL = [...SHARED, OWN, OPEN];

const USERS = ["ann", "bob", "eve"] as const;
type Name = typeof USERS[number];

interface Credentials {
  readonly user: Name;
  /** Tells two credentials of one user apart. */
  readonly token: number;
}

/** A call of a verifier, which answers when the test does. */
interface Call {
  readonly credentials: Credentials;
  readonly client: FakeClient;
  readonly policy: "server" | "own";
  readonly begunAt: number;
  readonly answer: (isRight: boolean) => void;
}

/** Somebody whom a verifier has said yes to, on a transport and under a policy. */
interface Grant {
  readonly user: Name;
  readonly begunAt: number;
  readonly until: number;
}

const who = fc.nat(2);
const as = fc.constantFrom<Name>(...USERS);
const token = fc.nat(1);
const step = fc.oneof(
  weigh(8, { type: fc.constant("connect" as const), who, at: fc.constantFrom(...ALL) }),
  weigh(9, { type: fc.constant("bring" as const), who, at: fc.constantFrom(...ALL), as, token }),
  weigh(8, {
    type: fc.constant("submit" as const),
    who,
    at: fc.constantFrom(...SHARED, OWN),
    as,
    token,
  }),
  weigh(18, {
    type: fc.constant("answer" as const),
    index: fc.constantFrom(0, 0, 0, 1, 2),
    isRight: fc.constantFrom(true, true, true, true, false),
  }),
  weigh(3, { type: fc.constant("sign out" as const), who, at: fc.constantFrom(...SHARED, OWN) }),
  weigh(2, { type: fc.constant("revoke" as const), as }),
  weigh(3, { type: fc.constant("leave" as const), who, at: fc.constantFrom(...ALL) }),
  weigh(1, { type: fc.constant("break" as const), who }),
  weigh(3, { type: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 400 }) }),
  weigh(2, { type: fc.constant("hold" as const), at: fc.constantFrom(...SHARED) }),
  weigh(3, { type: fc.constant("release" as const), refuse: fc.boolean() }),
);

function weigh<T>(
  weight: number,
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
): { weight: number; arbitrary: fc.Arbitrary<T> } {
  return { weight, arbitrary: fc.record(model) as fc.Arbitrary<T> };
}

const LIFETIME = 1500;

function setUp() {
  const io = createServer();
  const clock = new FakeClock();
  const calls: Call[] = [];
  /** The credentials that a socket has brought with its CONNECT. */
  const brought = new Map<Socket, Name | undefined>();
  /** What the application was told of each socket, which must never change. */
  const met = new Map<Socket, Name>();
  /** Middleware that has not gone on. */
  const held: ((error?: Error) => void)[] = [];
  const holding = new Set<string>();
  const guard = (target: object, name: "server" | "own", options: object) => {
    const policy = resolvePolicy({
      verify: (socket: Socket, credentials: Credentials) =>
        new Promise<unknown>((resolve) => {
          const client = socket.client as unknown as FakeClient;
          const answer = (isRight: boolean) => resolve(isRight && { id: credentials.user });
          calls.push({ credentials, client, policy: name, begunAt: clock.monotonic(), answer });
        }),
      expiresAt: () => clock.now() + LIFETIME,
      attempts: 3,
      timeout: 1000,
      handshake: true,
      onError: () => {},
      ...options,
    } as never) as Policy<unknown>;
    const place = findTarget(target as never);
    const guard = new Guard(policy, bindingOf(place, clock));
    install(place, guard);
    return createAuth(guard, gateOf as never) as unknown as Auth<{ id: Name }>;
  };
  for (const name of ALL) {
    const nsp = io.of(name);
    // deno-lint-ignore no-explicit-any -- where socket.io makes sockets is private
    const inside = nsp as any;
    const create: (...args: unknown[]) => Promise<Socket> = inside._createSocket;
    inside._createSocket = async (client: unknown, auth: Partial<Credentials>) => {
      const { user } = auth;
      const socket = await create.call(nsp, client, auth);
      brought.set(socket, user);
      return socket;
    };
    nsp.use((_socket, next) => {
      if (holding.delete(name)) held.push(next);
      else next();
    });
  }
  // Of the own policy the credentials come from wherever a function finds them.
  const own = guard(io.of(OWN), "own", {
    handshake: ({ auth }: { auth: object }) => auth,
    authorize: () => Promise.resolve(true),
  });
  const server = guard(io, "server", { open: OPEN });
  const authOf = (name: string) => name === OWN ? own : server;
  for (const name of [...SHARED, OWN]) {
    io.of(name).on("connection", (socket) => {
      const { id } = authOf(name).user(socket);
      met.set(socket, id);
      socket.join(`user:${id}`);
    });
  }
  return { io, clock, calls, brought, met, held, holding, authOf };
}

/** What a model knows of a transport under a policy: who it may be, and nobody else. */
class Model {
  readonly #grants = new Map<FakeClient, Record<"server" | "own", Grant[]>>();
  /** Attempts that began before are worth nothing: of a user, or on a transport. */
  readonly #revokedAt = new Map<Name, number>();
  readonly worthless = new Set<Call>();

  of(client: FakeClient, policy: "server" | "own"): Grant[] {
    const grants = this.#grants.get(client) ?? { server: [], own: [] };
    this.#grants.set(client, grants);
    return grants[policy];
  }

  add({ credentials: { user }, client, policy, begunAt }: Call, now: number): void {
    this.of(client, policy).push({ user, begunAt, until: now + LIFETIME });
  }

  forget(client: FakeClient, policy: "server" | "own"): void {
    this.of(client, policy).length = 0;
  }

  revoke(user: Name, at: number): void {
    this.#revokedAt.set(user, at);
  }

  /** Whether somebody may be this user now. */
  allows(client: FakeClient, policy: "server" | "own", user: Name, now: number): boolean {
    return this.of(client, policy).some((grant) =>
      grant.user === user && now < grant.until &&
      grant.begunAt > (this.#revokedAt.get(user) ?? -1)
    );
  }
}

describe("each client, whatever comes in whatever order", () => {
  it("receives what is meant for the user it has signed in as, while it is", async () => {
    let letters = 0;
    let strangers = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 70, size: "max" }), async (steps) => {
        const { io, clock, calls, brought, met, held, holding, authOf } = setUp();
        const clients = [0, 1, 2].map(() => new FakeClient(io));
        const model = new Model();
        const policyOf = (name: string) => name === OWN ? "own" as const : "server" as const;
        const socketOf = (client: FakeClient, at: string) =>
          [...io.of(at).sockets.values()].find((it) => it.client === client as unknown);
        let n = 0;

        for (const next of steps) {
          // Two things never happen at the same moment.
          clock.advance(1);
          for (const [i, client] of clients.entries()) {
            if (client.conn.readyState !== "open") clients[i] = new FakeClient(io);
          }
          const client = "who" in next ? clients[next.who]! : undefined;
          if (next.type === "connect" && !socketOf(client!, next.at)) {
            await client!.connect(next.at);
          } else if (next.type === "bring" && !socketOf(client!, next.at)) {
            await client!.connect(next.at, { user: next.as, token: next.token });
          } else if (next.type === "submit") {
            const credentials = { user: next.as, token: next.token };
            client!.receive(next.at, ["authentication", credentials]);
          } else if (next.type === "answer") {
            const [call] = calls.splice(-1 - next.index, 1);
            if (call && next.isRight && !model.worthless.has(call)) {
              model.add(call, clock.now());
            }
            call?.answer(next.isRight);
          } else if (next.type === "sign out") {
            const socket = socketOf(client!, next.at);
            if (socket && isAuthenticated(socket)) {
              authOf(next.at).deauthenticate(socket);
              const policy = policyOf(next.at);
              model.forget(client!, policy);
              for (const call of calls) {
                if (call.client === client && call.policy === policy) model.worthless.add(call);
              }
            }
          } else if (next.type === "revoke") {
            model.revoke(next.as, clock.monotonic());
            await Promise.all(
              [authOf("/"), authOf(OWN)].map((auth) =>
                auth.revoke({ userId: next.as }).catch(() => {})
              ),
            );
          } else if (next.type === "leave") client!.leave(next.at);
          else if (next.type === "break") client!.break("transport close");
          else if (next.type === "advance") clock.advance(next.ms);
          else if (next.type === "hold") holding.add(next.at);
          else if (next.type === "release") {
            held.shift()?.(next.refuse ? new Error("closed") : undefined);
          }
          for (let i = 0; i < 3; i++) await turn();

          const now = clock.now();
          const guarded = [...SHARED, OWN].flatMap((at) => [...io.of(at).sockets.values()]);
          const signedIn = guarded.filter(isAuthenticated);
          for (const socket of signedIn) {
            const at = socket.nsp.name;
            const { id } = authOf(at).user(socket);
            const client = socket.client as unknown as FakeClient;
            // The verifier has said yes to this user, on this transport, and nothing has ended it.
            assert(model.allows(client, policyOf(at), id, now), `${at} is ${id}`);
            // A socket object belongs to one user for ever.
            assertEquals(met.get(socket) ?? id, id);
            // Whoever has brought credentials is their user, or nobody.
            const own = brought.get(socket);
            if (own !== undefined) assertEquals(own, id);
          }
          for (const client of clients) {
            for (const policy of ["server", "own"] as const) {
              const users = signedIn.filter((it) =>
                it.client === client as unknown && policyOf(it.nsp.name) === policy
              ).map((it) => authOf(it.nsp.name).user(it).id);
              assert(new Set(users).size <= 1);
              // Without a socket there is no session, but for one that is on its way in.
              if (users.length === 0 && held.length === 0) model.forget(client, policy);
            }
          }

          // To everybody, and to each user in person: who gets it is who is signed in as them.
          n++;
          for (const at of ALL) {
            io.of(at).emit("news", n);
            for (const user of USERS) io.of(at).to(`user:${user}`).emit("letter", n, user);
          }
          for (const client of clients) {
            for (const at of ALL) {
              const received = (client.sent.get(at) ?? []).filter(([, it]) => it === n);
              const socket = socketOf(client, at);
              const isIn = socket !== undefined && (at === OPEN || isAuthenticated(socket));
              const user = isIn && at !== OPEN ? authOf(at).user(socket).id : undefined;
              assertEquals(received, [
                ...isIn ? [["news", n]] : [],
                ...user ? [["letter", n, user]] : [],
              ]);
              if (user) letters++;
              if (socket && !isIn) strangers++;
            }
          }
        }
      }),
      runs(150),
    );
    // It was not a desert.
    assert(letters > 500 && strangers > 500, `${letters} letters, ${strangers} strangers`);
  });
});
