import { assert, assertEquals, describe, it } from "#testing";
import { Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { Guard } from "../../src/core/guard.ts";
import { bindingOf } from "../../src/socketio/binding.ts";
import { findTarget } from "../../src/socketio/target.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { FakeClock } from "../core/fakes.ts";
import { type Client, connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { RawClient } from "../kit/raw.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";
import { openWorld, type User, verify, type World } from "../kit/world.ts";
import { describeRecovery } from "./recovery_suite.ts";

describeRecovery("in memory", () => {});

/** The class of socket.io's in-memory adapter that can recover, which it does not export. */
const SessionAdapter = createServer({ connectionStateRecovery: {} }).of("/").adapter
  .constructor as new (namespace: unknown) => {
    restoreSession(pid: string, offset: string): Promise<unknown>;
    persistSession(session: unknown): unknown;
  };

describe("what must not be recovered", () => {
  disposeAfterEach();

  /** A client that has signed in and seen something, and its socket. */
  async function open() {
    const world = await openWorld(engineOnly[0]!, {
      userId: (user: User) => user.name,
      disconnect: (socket: Socket) => world.log.push("gone", socket),
    }, { server: { connectionStateRecovery: {} } });
    const client = await world.connect();
    await client.signIn();
    world.io.emit("first");
    const [offset] = await client.next("first");
    const [socket] = await world.log.next("connection") as [Socket];
    return { world, client, socket, pid: socket["pid"], offset };
  }

  /** Whether somebody who comes with a `pid` is told that it is good. */
  async function isRecovered(
    world: World,
    auth: { pid: string; offset: unknown },
  ): Promise<boolean> {
    const raw = await RawClient.open(world.url);
    raw.send(`40${JSON.stringify(auth)}`);
    const [answer] = await raw.packets.next("40");
    return String(answer).includes(auth.pid);
  }

  it("a connection that breaks over the news of its end", async () => {
    const { world, client, socket, pid, offset } = await open();
    socket.conn.once("packetCreate", () => socket.conn["onClose"]("transport error"));
    client.emit("authentication", { username: "ada", password: "wrong" });
    await world.log.next("gone");
    assertEquals(await isRecovered(world, { pid, offset }), false);
  });

  it("a connection to a namespace that has a policy of its own by now", async () => {
    const { world, client, pid, offset } = await open();
    await client.drop();
    await world.log.next("gone");
    socketioAuth(world.io.of("/"), {
      verify,
      userId: (user: User) => user.name,
    });
    assertEquals(await isRecovered(world, { pid, offset }), false);
  });
});

describe("a session that is kept", () => {
  disposeAfterEach();

  it("what is kept has no credentials in it, and of the user only the id", async () => {
    const place = engineOnly[0]!;
    const io = createServer({ connectionStateRecovery: {} });
    const kept = new EventQueue();
    io.of("/").adapter.persistSession = (session) => kept.push("kept", session.data);
    const user = { id: 42, name: "grace", hash: "secret" };
    socketioAuth(io, { verify: () => user });
    io.on("connection", (socket) => socket.data = { color: "red" });
    const { url, close } = await start(place, io);
    onDispose(close);
    const client = await connectClient(place, url);
    await client.signIn({ username: "ada", password: "right" });
    await client.drop();
    const [data] = await kept.next("kept") as [Record<string, unknown>];
    assert(!/right|secret|grace/.test(JSON.stringify(data)), JSON.stringify(data));
    assertEquals([data.data, data.subject], [{ color: "red" }, { userId: "42" }]);
  });
});

describe("a session that another node has kept", () => {
  const subject = { userId: "ada" };
  const of = (since: number) => ({ ...subject, since });

  function setUp() {
    const io = createServer({ connectionStateRecovery: { maxDisconnectionDuration: 1000 } });
    const clock = new FakeClock();
    const policy = resolvePolicy({ verify: () => true }) as Policy<unknown>;
    return { clock, guard: new Guard(policy, bindingOf(findTarget(io), clock)) };
  }

  it("may be recovered once this node knows all that may have been revoked", () => {
    const { clock, guard } = setUp();
    assertEquals(guard.mayRecover("another", of(-Infinity)), false);
    clock.advance(61_000);
    assertEquals(guard.mayRecover("another", of(-Infinity)), false);
    clock.advance(1);
    assertEquals(guard.mayRecover("another", of(-Infinity)), true);
    guard.revocations.revoke({ id: "1", target: subject, age: 0 });
    assertEquals(guard.mayRecover("another", of(-Infinity)), false);
  });

  it("unlike one of its own, of which it knows all", () => {
    const { clock, guard } = setUp();
    assertEquals(guard.mayRecover(guard.node, of(0)), true);
    guard.revocations.revoke({ id: "1", target: subject, age: 0 });
    assertEquals(guard.mayRecover(guard.node, of(0)), false);
    assertEquals(guard.mayRecover(guard.node, of(clock.monotonic() + 1)), true);
  });

  it("unless its connection was spared", () => {
    const { guard } = setUp();
    guard.revocations.revoke({ id: "1", target: subject, age: 0, except: "mine" });
    const [mine, other] = ["mine", "other"].map((connection) => ({ ...of(0), connection }));
    assertEquals(guard.mayRecover(guard.node, mine!), true);
    assertEquals(guard.mayRecover(guard.node, other!), false);
  });
});

describe("recovery over an adapter that is slow, or fails", () => {
  disposeAfterEach();

  /** What becomes of a question to the adapter: waits for it, and may change the answer. */
  type Answering = (answer: unknown) => unknown;

  /** A server whose adapter is asked what to restore: once when a client comes, then again. */
  async function open(
    answering: Answering[],
    options: object = {},
    persist?: () => unknown,
  ): Promise<World> {
    class Adapter extends SessionAdapter {
      override persistSession(session: unknown): unknown {
        return persist ? persist() : super.persistSession(session);
      }
      override async restoreSession(pid: string, offset: string): Promise<unknown> {
        world.log.push("asked");
        const answer = answering.shift() ?? ((answer: unknown) => answer);
        return await answer(await super.restoreSession(pid, offset));
      }
    }
    const world: World = await openWorld(engineOnly[0]!, {
      userId: (user: User) => user.name,
      connection: "connected",
      timeout: 10_000,
      disconnect: (socket: Socket) => world.log.push("gone", socket),
      ...options,
    }, { server: { connectionStateRecovery: {}, adapter: Adapter as never } });
    return world;
  }

  /** A client that was lost, and has come back. */
  async function comeBack(world: World): Promise<{ client: Client; socket: Socket }> {
    const client = await world.connect();
    await client.signIn();
    world.io.emit("first");
    await client.next("first");
    await client.drop();
    await world.log.next("gone");
    world.io.emit("missed");
    await client.reconnect();
    await world.log.next("connection");
    const [socket] = await world.log.next("connection") as [Socket];
    return { client, socket };
  }

  const honestly: Answering = (answer) => answer;

  function later(): { answering: Answering; go: () => void } {
    let go = () => {};
    const told = new Promise<void>((resolve) => go = resolve);
    return { answering: (answer) => told.then(() => answer), go };
  }

  it("nobody has a session, or meets a hook, before all that was missed is there", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering], {
      postAuthenticate: () => world.log.push("hook"),
    });
    const { client, socket } = await comeBack(world);
    await world.log.next("hook");
    await world.log.next("asked");
    socket.on("ask", (answer: (text: string) => void) => answer("yes"));
    client.emit("authentication", { username: "ada", password: "right" });
    const asked = client.socket.emitWithAck("ask");
    await world.log.next("asked");
    socket.emit("news");
    world.io.emit("live");
    await client.socket.emitWithAck("authentication", {}); // is told to wait, behind all that
    assertEquals([world.auth.session(socket), Object(socket).auth], [undefined, false]);
    assertEquals(world.log.names.filter((name) => name === "hook").length, 1);
    go();
    await client.next("news");
    assertEquals(await asked, "yes");
    assertEquals(client.received.slice(2), ["authenticated", "missed", "live", "news"]);
  });

  it("authorize is asked about a namespace that comes meanwhile", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering], {
      authorize: (_user: User, { nsp }: Socket) => nsp.name === "/",
    });
    world.io.of("/other");
    const { client } = await comeBack(world);
    client.emit("authentication", { username: "ada", password: "right" });
    for (const _ of [1, 2]) await world.log.next("asked");
    const other = client.sibling("/other");
    await other.next("connect");
    go();
    await client.next("missed");
    const [{ code }] = await other.next("unauthorized") as [{ code: string }];
    assertEquals([code, other.received], ["forbidden", ["unauthorized"]]);
  });

  it("a client that is lost again meanwhile recovers the next time", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering]);
    const { client, socket } = await comeBack(world);
    client.emit("authentication", { username: "ada", password: "right" });
    for (const _ of [1, 2]) await world.log.next("asked");
    await client.drop();
    await world.log.next("gone");
    go();
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals([again.recovered, again.id], [true, socket.id]);
    assertEquals(world.io.of("/").adapter.sids.size, 0);
    // The gate of the lost one has not opened.
    assertEquals(Object.getPrototypeOf(socket) === Socket.prototype, false);
    await client.signIn();
    await client.next("missed");
    assertEquals(client.received.slice(2), ["authenticated", "missed"]);
  });

  it("a socket that is over takes no room from who has come back by the same id", async () => {
    const world = await open([]);
    const { client, socket: again } = await comeBack(world);
    const [lost] = world.log.all.find(([name]) => name === "gone")!.slice(1) as [Socket];
    assertEquals(lost.id, again.id);
    await client.signIn();
    await client.next("missed");
    lost.leave(lost.id);
    lost["leaveAll"]();
    lost["adapter"].delAll(lost.id);
    world.io.to(again.id).emit("mine");
    await client.next("mine");
  });

  const failures: Record<string, Answering> = {
    "has forgotten it": () => null,
    "fails": () => Promise.reject(new Error("backend down")),
    "says so in words": () => Promise.reject("session or offset not found"),
    "does not answer": () => new Promise(() => {}),
  };
  for (const [name, failure] of Object.entries(failures)) {
    it(`an adapter that ${name} when the client signs in costs the recovery`, async () => {
      const world = await open([honestly, failure]);
      const { client } = await comeBack(world);
      client.emit("authentication", { username: "ada", password: "right" });
      const [refusal] = await client.next("unauthorized") as [{ code: string; reconnect: boolean }];
      assertEquals([refusal.code, refusal.reconnect], ["server_error", true]);
      await client.next("disconnect");
      assertEquals(world.errors.map(({ context }) => context.during), ["recovery"]);
      assert(/not known|not answered/.test(String(world.errors[0]!.error)));
      await world.log.next("gone");
      await client.reconnect();
      const [fresh] = await world.log.next("connection") as [Socket];
      assertEquals(fresh.recovered, false);
      await client.signIn();
      assertEquals(client.received.slice(2), ["unauthorized", "authenticated"]);
    });

    it(`an adapter that ${name} when the client comes costs the recovery`, async () => {
      const world = await open([failure]);
      const { client, socket } = await comeBack(world);
      assertEquals(socket.recovered, false);
      await client.signIn();
      assertEquals(client.received.slice(2), ["authenticated"]);
      const isUnexpected = name === "fails" || name === "does not answer";
      assertEquals(world.errors.length, isUnexpected ? 1 : 0);
    });
  }

  it("what cannot be sent any more ends it, and leaves nobody half-open", async () => {
    const world = await open([]);
    const client = await world.connect();
    await client.signIn();
    world.io.emit("first");
    await client.next("first");
    await client.drop();
    await world.log.next("gone");
    const changing: Record<string, unknown> = {};
    world.io.emit("missed", changing);
    changing.toJSON = () => {
      throw new Error("no");
    };
    await client.reconnect();
    client.emit("authentication", { username: "ada", password: "right" });
    const [{ code }] = await client.next("unauthorized") as [{ code: string }];
    assertEquals([code, world.errors.length], ["server_error", 1]);
    await client.next("disconnect");
  });

  it("a listener that throws over what is sent meanwhile loses nothing of it", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering]);
    const { client, socket } = await comeBack(world);
    socket.onAnyOutgoing((event) => {
      if (event === "bad") throw new Error("listener");
    });
    client.emit("authentication", { username: "ada", password: "right" });
    for (const _ of [1, 2]) await world.log.next("asked");
    for (const event of ["bad", "live"]) world.io.emit(event);
    go();
    await client.next("live");
    assertEquals(client.received.slice(2), ["authenticated", "missed", "bad", "live"]);
    assertEquals(world.errors.map(({ error }) => String(error)), ["Error: listener"]);
  });

  it("a room that is left meanwhile is not made up for", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering]);
    const client = await world.connect();
    await client.signIn();
    const [first] = await world.log.next("connection") as [Socket];
    first.join("room");
    world.io.emit("first");
    await client.next("first");
    await client.drop();
    await world.log.next("gone");
    world.io.to("room").emit("secret");
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    client.emit("authentication", { username: "ada", password: "right" });
    for (const _ of [1, 2]) await world.log.next("asked");
    again.leave("room");
    go();
    await client.next("authenticated");
    world.io.emit("end");
    await client.next("end");
    assertEquals(client.received.slice(2), ["authenticated", "end"]);
  });

  it("whoever is not admitted after all is in no room, and holds nothing", async () => {
    const { answering, go } = later();
    const world = await open([honestly, answering], { attempts: 3 });
    const { client, socket } = await comeBack(world);
    const outcome = client.socket.emitWithAck("authentication", {
      username: "ada",
      password: "right",
    });
    for (const _ of [1, 2]) await world.log.next("asked");
    await world.auth.revoke({ userId: "ada" });
    go();
    assertEquals((await outcome).code, "revoked");
    assertEquals(world.io.of("/").adapter.sids.has(socket.id), false);
  });

  for (const again of ["text", [1], [null], {}, [["a"], "b"]]) {
    it(`what is missed is looked at, too: ${JSON.stringify(again)}`, async () => {
      const world = await open([honestly, (answer) => {
        return { ...answer as object, missedPackets: again };
      }]);
      const { client } = await comeBack(world);
      client.emit("authentication", { username: "ada", password: "right" });
      const [{ code }] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(code, "server_error");
    });
  }

  const garbage: Record<string, Answering> = {
    "nothing": () => ({}),
    "no object": () => "session",
    "somebody's data": (answer) => ({ ...answer as object, data: { admin: true } }),
    "no rooms": (answer) => ({ ...answer as object, rooms: undefined }),
    "rooms that are no text": (answer) => ({ ...answer as object, rooms: [{}] }),
    "another namespace's": (answer) => patch(answer, { namespace: "/other" }),
    "another policy's": (answer) => patch(answer, { policy: "other" }),
    "no user's": (answer) => patch(answer, { subject: {} }),
    "nobody's": (answer) => patch(answer, { subject: undefined }),
    "a time that is none": (answer) => patch(answer, { lostAt: "today" }),
    "too old": (answer) => patch(answer, { lostAt: Date.now() - 200_000 }),
    "of the future": (answer) => patch(answer, { lostAt: Date.now() + 200_000 }),
  };
  function patch(answer: unknown, data: object): unknown {
    const session = answer as { data: object };
    return { ...session, data: { ...session.data, ...data } };
  }
  for (const [name, answering] of Object.entries(garbage)) {
    it(`what comes back from a store is looked at: ${name}`, async () => {
      const world = await open([answering]);
      const { client, socket } = await comeBack(world);
      assertEquals([socket.recovered, socket.data], [false, {}]);
      await client.signIn();
      world.io.emit("live");
      await client.next("live");
      assertEquals(client.received.slice(2), ["authenticated", "live"]);
      assertEquals(world.errors, []);
    });
  }

  const persisting: Record<string, () => unknown> = {
    "throws": () => {
      throw new Error("backend down");
    },
    "rejects": () => Promise.reject(new Error("backend down")),
  };
  for (const [name, persist] of Object.entries(persisting)) {
    it(`an adapter that ${name} when a connection is lost is reported, and no more`, async () => {
      const world = await open([], {}, persist);
      const { client, socket } = await comeBack(world);
      assertEquals(socket.recovered, false);
      await client.signIn();
      assertEquals(client.received.slice(2), ["authenticated"]);
      assertEquals(world.errors.map(({ error, context }) => [String(error), context.during]), [
        ["Error: backend down", "recovery"],
      ]);
    });
  }
});
