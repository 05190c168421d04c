import { assert, assertEquals, describe, it } from "#testing";
import { Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { Guard } from "../../src/core/guard.ts";
import { SocketIoBinding } from "../../src/socketio/binding.ts";
import { findTarget } from "../../src/socketio/target.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { FakeClock } from "../core/fakes.ts";
import { connectClient } from "../kit/client.ts";
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
      authenticate: verify,
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
    const user = { id: 42, name: "ada", hash: "secret" };
    socketioAuth(io, { authenticate: () => user });
    io.on("connection", (socket) => socket.data = { color: "red" });
    const { url, close } = await start(place, io);
    onDispose(close);
    const client = await connectClient(place, url);
    await client.signIn({ username: "ada", password: "right" });
    await client.drop();
    const [data] = await kept.next("kept") as [Record<string, unknown>];
    assert(!/right|secret|ada/.test(JSON.stringify(data)), JSON.stringify(data));
    assertEquals([data.data, data.subject], [{ color: "red" }, { userId: "42" }]);
  });
});

describe("a session that another node has kept", () => {
  const subject = { userId: "ada" };
  const of = (since: number) => ({ ...subject, since });

  function setUp() {
    const io = createServer({ connectionStateRecovery: { maxDisconnectionDuration: 1000 } });
    const clock = new FakeClock();
    const policy = resolvePolicy({ authenticate: () => true }) as Policy<unknown>;
    return { clock, guard: new Guard(policy, new SocketIoBinding(findTarget(io), clock)) };
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

describe("recovery over a slow adapter", () => {
  disposeAfterEach();

  /** A server whose adapter answers the second question, and every one after it, when told to. */
  async function open(): Promise<{ world: World; answers: ((wait: Promise<void>) => void)[] }> {
    const answers: ((wait: Promise<void>) => void)[] = [];
    let asked = 0;
    class SlowAdapter extends SessionAdapter {
      override async restoreSession(pid: string, offset: string): Promise<unknown> {
        if (++asked % 2 === 0) await new Promise((resolve) => answers.push(resolve as never));
        return await super.restoreSession(pid, offset);
      }
    }
    const world: World = await openWorld(engineOnly[0]!, {
      userId: (user: User) => user.name,
      connection: "connected",
      disconnect: (socket: Socket) => world.log.push("gone", socket),
    }, { server: { connectionStateRecovery: {}, adapter: SlowAdapter as never } });
    return { world, answers };
  }

  /** A client that was lost, has come back, and has signed in. */
  async function comeBack(world: World) {
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
    await client.signIn();
    return { client, socket };
  }

  it("what is emitted meanwhile comes behind what was missed", async () => {
    const { world, answers } = await open();
    const { client, socket } = await comeBack(world);
    socket.on("ask", (answer: (text: string) => void) => answer("yes"));
    socket.emit("news");
    const asked = client.socket.emitWithAck("ask");
    answers[0]!(Promise.resolve());
    await client.next("news");
    assertEquals(await asked, "yes");
    assertEquals(client.received.slice(2), ["authenticated", "missed", "news"]);
  });

  it("a client that is lost again meanwhile recovers the next time", async () => {
    const { world, answers } = await open();
    const { client, socket } = await comeBack(world);
    await client.drop();
    await world.log.next("gone");
    answers[0]!(Promise.resolve());
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals([again.recovered, again.id], [true, socket.id]);
    assertEquals(world.io.of("/").adapter.sids.size, 0);
    // The gate of the lost one has not opened.
    assertEquals(Object.getPrototypeOf(socket) === Socket.prototype, false);
    await client.signIn();
    answers[1]!(Promise.resolve());
    await client.next("missed");
    assertEquals(client.received.slice(2), ["authenticated", "authenticated", "missed"]);
  });

  it("an adapter that fails then is reported; what was known is handed over", async () => {
    const { world, answers } = await open();
    const { client } = await comeBack(world);
    answers[0]!(Promise.reject(new Error("backend down")));
    await client.next("missed");
    world.io.emit("live");
    await client.next("live");
    assertEquals(world.errors.map(({ error }) => String(error)), ["Error: backend down"]);
  });
});
