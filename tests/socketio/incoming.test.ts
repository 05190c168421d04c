import { assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import type { EventQueue } from "../kit/events.ts";
import { places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

/** An application that listens in every way there is. */
function listenEverywhere(socket: Socket, log: EventQueue): void {
  socket.onAny((event) => log.push("any", event));
  socket.prependAny((event) => log.push("prepended", event));
  socket.use(([event], next) => {
    log.push("use", event);
    next();
  });
  for (const event of ["one", "two"]) {
    socket.on(event, (value, acknowledge) => {
      log.push("on", event, value);
      acknowledge?.(`${event} ok`);
    });
  }
}

describe("incoming", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`events are held from every listener, then delivered in order (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: async () => await Promise.resolve({ name: "ada" }),
        postAuthenticate: () => world.log.push("postAuthenticate"),
      }, {
        setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
      });
      const client = await world.connect();
      client.emit("one", 1);
      const answer = client.socket.emitWithAck("two", new Uint8Array([7]));
      await client.signIn();
      assertEquals(await answer, "two ok");
      const names = world.log.all.filter(([name]) => name !== "connection").map(([name, event]) =>
        event ? `${name} ${event}` : name
      );
      assertEquals(names, [
        "postAuthenticate",
        "prepended one",
        "any one",
        "use one",
        "prepended two",
        "any two",
        "use two",
        "on one",
        "on two",
      ]);
    });

    it(`a refused client's events reach nobody (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected" }, {
        setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
      });
      const client = await world.connect();
      client.emit("one", 1);
      client.emit("authentication", { password: "wrong" });
      client.emit("two", 2);
      await client.next("disconnect");
      assertEquals(world.log.names, ["connection"]);
    });

    it(`an answer to what the server asked earlier is held as well (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected", outgoing: "pass" });
      const client = await world.connect();
      client.socket.on("asked", (acknowledge) => acknowledge("early"));
      const [socket] = await world.log.next("connection") as [Socket];
      socket.emit("asked", (answer: unknown) => world.log.push("answered", answer, socketAuth()));
      const socketAuth = () => (socket as unknown as { auth: boolean }).auth;
      await client.next("asked");
      await client.signIn();
      assertEquals(await world.log.next("answered"), ["early", true]);
    });

    it(`incoming "drop" forgets what came before (${place.name})`, async () => {
      const world = await openWorld(place, { incoming: "drop" }, {
        setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
      });
      const client = await world.connect();
      client.emit("one");
      await client.signIn();
      client.emit("two");
      await world.log.next("on");
      assertEquals(world.log.names, ["connection", "prepended", "any", "use", "on"]);
      assertEquals(world.log.all.at(-1)?.[1], "two");
    });

    it(`incoming "pass" lets through at once (${place.name})`, async () => {
      const world = await openWorld(place, { connection: "connected", incoming: "pass" }, {
        setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
      });
      const client = await world.connect();
      assertEquals(await client.socket.emitWithAck("one", 1), "one ok");
      assertEquals(world.log.names, ["connection", "prepended", "any", "use", "on"]);
      await client.signIn();
    });

    it(`a flood is cut with the reason, by count and by size (${place.name})`, async () => {
      const world = await openWorld(place, {
        connection: "connected",
        holdLimit: { events: 3, bytes: 100 },
      }, {
        setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
      });
      for (const flood of [["1", "2", "3", "4"], ["x".repeat(101)]]) {
        const client = await world.connect();
        for (const value of flood) client.emit("one", value);
        assertEquals(await client.next("unauthorized"), [{
          message: "Too many events before authentication",
          code: "too_many_events",
          reconnect: false,
        }]);
        await client.next("disconnect");
      }
      assertEquals(world.log.names, ["connection", "connection"]);
    });
  }

  it("credentials reach neither onAny nor middleware at the shut gate", async () => {
    const world = await openWorld(places[0]!, {}, {
      setUp: (io) => io.on("connection", (socket) => listenEverywhere(socket, world.log)),
    });
    const client = await world.connect();
    await client.signIn();
    assertEquals(world.log.names, ["connection"]);
  });

  it("a listener that throws on a held event is reported, and loses only that event", async () => {
    const world = await openWorld(places[0]!, {}, {
      setUp: (io) =>
        io.on("connection", (socket) => {
          socket.onAny((event) => {
            if (event === "bad") throw new Error("listener");
          });
          socket.on("good", () => world.log.push("good"));
        }),
    });
    const client = await world.connect();
    client.emit("bad");
    client.emit("good");
    await client.signIn();
    await world.log.next("good");
    assertEquals(world.errors.map(({ error }) => (error as Error).message), ["listener"]);
  });
});
