import { assertEquals, describe, it } from "#testing";
import { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";
import { describeRecovery } from "./recovery_suite.ts";

describeRecovery("in memory", () => {});

type Restore = (pid: string, offset: string) => Promise<unknown>;

describe("recovery over a slow adapter", () => {
  disposeAfterEach();

  /** A server whose adapter answers the second question, and every one after it, when told to. */
  async function open(): Promise<{ world: World; answers: ((wait: Promise<void>) => void)[] }> {
    const answers: ((wait: Promise<void>) => void)[] = [];
    const world: World = await openWorld(engineOnly[0]!, {
      userId: (user: User) => user.name,
      disconnect: (socket: Socket) => world.log.push("gone", socket),
    }, {
      server: { connectionStateRecovery: {} },
      setUp(io) {
        const adapter = io.of("/").adapter as unknown as { restoreSession: Restore };
        const restore = adapter.restoreSession;
        let asked = 0;
        adapter.restoreSession = async (pid, offset) => {
          if (++asked % 2 === 0) await new Promise((resolve) => answers.push(resolve as never));
          return await restore.call(adapter, pid, offset);
        };
      },
    });
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
    // Its own events are heard already.
    assertEquals(await client.socket.emitWithAck("ask"), "yes");
    answers[0]!(Promise.resolve());
    await client.next("news");
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
