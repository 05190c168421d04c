import { assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

/** The application knows its sockets while they are pending. */
const CONNECTED = { connection: "connected" } as const;

describe("outgoing", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`no broadcast reaches a pending client, however addressed (${place.name})`, async () => {
      const { io, log, connect } = await openWorld(place, CONNECTED, {
        setUp: (io) => io.on("connection", (socket) => void socket.join("room")),
      });
      const pending = await connect();
      const [socket] = await log.next("connection") as [Socket];
      const member = await connect();
      await member.signIn();
      const [sender] = await log.next("connection") as [Socket];

      io.emit("namespace");
      io.to("room").emit("room");
      io.to(socket.id).emit("id");
      io.except("elsewhere").emit("except");
      io.local.emit("local");
      io.of("/").send("message");
      sender.broadcast.emit("broadcast");
      sender.to("room").emit("from a member");
      io.sockets.sockets.get(member.socket.id!)!.to(socket.id).emit("from a member to an id");
      io.in("room").socketsJoin("forced");
      io.to("forced").emit("forced room");
      const answers = await io.timeout(200).emitWithAck("count").catch((error) => error.responses);
      assertEquals(answers.length, 0); // the member does not answer, the pending one is not asked
      assertEquals((await io.fetchSockets()).map(({ id }) => id), [member.socket.id]);
      assertEquals((await io.in("room").fetchSockets()).length, 1);
      assertEquals(await io.allSockets(), new Set([member.socket.id!]));

      // Whatever had leaked would have come before this.
      await pending.signIn();
      assertEquals(pending.received, ["authenticated"]);
      io.emit("now");
      io.to("room").emit("now in the room");
      await pending.next("now");
      await pending.next("now in the room");
      assertEquals((await io.fetchSockets()).length, 2);
      assertEquals((await io.in("forced").fetchSockets()).map(({ id }) => id), [member.socket.id]);
      assertEquals(member.received.filter((name) => name === "broadcast"), []);
    });

    it(`a refused client has received nothing but the reason (${place.name})`, async () => {
      const { io, connect } = await openWorld(place, CONNECTED, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.join("room");
            socket.emit("hello");
          }),
      });
      const client = await connect();
      io.emit("secret");
      io.to("room").emit("secret");
      client.emit("authentication", { password: "wrong" });
      await client.next("disconnect");
      assertEquals(client.received, ["unauthorized"]);
    });

    it(`direct emits are held, in order, behind "authenticated" (${place.name})`, async () => {
      const { log, connect } = await openWorld(place, {
        ...CONNECTED,
        postAuthenticate: (socket: Socket) => socket.emit("after"),
      }, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.emit("first", 1, new Uint8Array([1, 2]));
            socket.volatile.emit("volatile");
            socket.compress(false).emit("second");
            socket.send("third");
            socket.timeout(5000).emit("asked", (error: Error | null, answer: string) => {
              log.push("answer", error, answer);
            });
          }),
      });
      const client = await connect();
      client.socket.on("asked", (acknowledge) => acknowledge("42"));
      await client.signIn();
      await client.next("after");
      assertEquals(client.received, [
        "authenticated",
        "first",
        "second",
        "message",
        "asked",
        "after",
      ]);
      const [one, binary] = await client.next("first") as [number, ArrayLike<number>];
      assertEquals([one, Array.from(new Uint8Array(binary as never))], [1, [1, 2]]);
      assertEquals(await log.next("answer"), [null, "42"]);
    });

    it(`outgoing "pass" lets direct emits through, broadcasts never (${place.name})`, async () => {
      const { io, connect } = await openWorld(place, { ...CONNECTED, outgoing: "pass" }, {
        server: { connectionStateRecovery: {} },
        setUp: (io) => io.on("connection", (socket) => void socket.emit("direct")),
      });
      const client = await connect();
      await client.next("direct");
      io.emit("secret");
      await client.signIn();
      assertEquals(client.received, ["direct", "authenticated"]);
    });

    it(`joins and leaves are remembered (${place.name})`, async () => {
      const { io, log, connect } = await openWorld(place, CONNECTED);
      const client = await connect();
      const [socket] = await log.next("connection") as [Socket];
      socket.join(["a", "b", "c"]);
      socket.leave("b");
      assertEquals(socket.rooms, new Set([socket.id, "a", "c"]));
      assertEquals(io.of("/").adapter.rooms.size, 0);
      await client.signIn();
      assertEquals(socket.rooms, new Set([socket.id, "a", "c"]));
      assertEquals(io.of("/").adapter.sids.get(socket.id), new Set([socket.id, "a", "c"]));
      io.to("b").emit("b");
      io.to("c").emit("c");
      await client.next("c");
      assertEquals(client.received, ["authenticated", "c"]);
    });
  }

  it("more than holdLimit is lost loudly, the oldest stays", async () => {
    const { log, errors, connect } = await openWorld(places[0]!, {
      ...CONNECTED,
      holdLimit: { events: 2, bytes: 100 },
    });
    const client = await connect();
    const [socket] = await log.next("connection") as [Socket];
    socket.emit("one");
    socket.emit("huge", "x".repeat(101));
    socket.emit("two");
    socket.emit("three");
    await client.signIn();
    assertEquals(errors.length, 2);
    socket.emit("end");
    await client.next("end");
    assertEquals(client.received, ["authenticated", "one", "two", "end"]);
  });

  it("an acknowledgement's timeout counts from the emit, and then it is not sent", async () => {
    const { log, connect } = await openWorld(places[0]!, CONNECTED);
    const client = await connect();
    const [socket] = await log.next("connection") as [Socket];
    socket.timeout(30).emit("too late", (error: Error) => log.push("failed", error.message));
    assertEquals(await log.next("failed"), ["operation has timed out"]);
    socket.timeout(60_000).emit("in time", (error: Error | null) => log.push("answer", error));
    client.socket.on("in time", (acknowledge) => acknowledge());
    await client.signIn();
    assertEquals(await log.next("answer"), [null]);
    assertEquals(client.received, ["authenticated", "in time"]);
  });

  it("a held emit that cannot be sent is reported, and the others are sent", async () => {
    const { log, errors, connect } = await openWorld(places[0]!, CONNECTED);
    const client = await connect();
    const [socket] = await log.next("connection") as [Socket];
    socket.emit("bad", 1n);
    socket.emit("good");
    await client.signIn();
    await client.next("good");
    assertEquals(errors.map(({ context }) => context.during), ["emit"]);
  });

  it("a reserved event name is refused at once, as ever", async () => {
    const { log, connect } = await openWorld(places[0]!, CONNECTED);
    await connect();
    const [socket] = await log.next("connection") as [Socket];
    let message = "";
    try {
      socket.emit("disconnect");
    } catch (error) {
      message = (error as Error).message;
    }
    assertEquals(message, '"disconnect" is a reserved event name');
  });

  it("nothing of the gate stays on an authenticated socket", async () => {
    const { io, log, connect } = await openWorld(places[0]!, CONNECTED);
    const client = await connect();
    const [socket] = await log.next("connection") as [Socket];
    const gated = Object.getPrototypeOf(socket);
    await client.signIn();
    assertEquals(Object.getPrototypeOf(gated) === Object.getPrototypeOf(socket), true);
    for (const name of ["emit", "packet", "_onpacket", "emitReserved"]) {
      assertEquals(Object.hasOwn(socket, name), false);
    }
    assertEquals(socket["adapter"] === io.of("/").adapter, true);
    assertEquals(socket.listenersAny(), []);
  });
});
