// Applications whose own events have names of the protocol's.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket as ServerSocket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { transports } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, reach, userId } from "./session.ts";

/** Events of an application, a refusal of a single action for example. */
const own: unknown[][] = [
  ["unauthorized", { code: "not_allowed", message: "Only admins may delete", reconnect: false }],
  ["unauthorized", "Only admins may delete"],
  ["unauthorized", { message: "no" }],
  ["challenge", { from: "grace", game: "chess" }],
  ["authenticated", { name: "grace" }],
  ["authenticated", { name: "grace" }, { expiresAt: "tomorrow" }],
];

/** Sends each of them, and then says that it is done. */
function relay(socket: ServerSocket): void {
  for (const event of own) socket.emit(...event as [string]);
  socket.emit("done");
}

for (const place of transports) {
  describe(`an application's own events (${place.name})`, () => {
    disposeAfterEach();

    const setUp = (io: Server) => {
      io.on("connection", (socket) => {
        socket.on("relay", () => relay(socket));
        socket.on("play", (acknowledge) => {
          socket.emit("challenge", "chess?", acknowledge);
        });
      });
    };

    it("reach the application, and do not touch the session", async () => {
      const world = await openWorld(place, { userId }, { setUp });
      const { session, socket, events } = openSession(place, world.url, ada, {
        onChallenge: () => "of the module",
      });
      await session.ready;
      await events.next("in");
      const heard: unknown[][] = [];
      socket.onAny((...event) => heard.push(event));
      socket.emit("relay");
      await events.next("event done");
      assertEquals(heard.slice(0, -1), own);
      assertEquals([session.state, session.error], ["authenticated", undefined]);
      assert(!events.names.includes("out"));
      // They are the application's during a refresh that the application is asked for, too.
      socket.on("challenge", (_game, accept) => accept("yes"));
      assertEquals(await socket.emitWithAck("play"), "yes");
      await session.refresh();
      assertEquals(await session.ready, true);
    });

    it("are no end of a session, whatever follows long after", async () => {
      const world = await openWorld(place, { userId }, { setUp });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      socket.emit("relay");
      await events.next("event done");
      socket.io.engine.close();
      await reach(session, "connecting");
      await session.ready;
      assert(!events.names.includes("out"));
    });

    it("leave the end of the session as it is, and the reply", async () => {
      const expiresAt = Date.now() + 3_600_000;
      const world = await openWorld(place, { userId, expiresAt: () => expiresAt }, { setUp });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      const before = session.expiresAt;
      assert(before);
      socket.emit("relay");
      await events.next("event done");
      assertEquals([session.expiresAt, await session.ready], [before, true]);
    });

    it("are nothing that a close seconds later has to do with", async () => {
      const world = await openWorld(place, { userId }, { setUp });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      const [connection] = await world.log.next("connection") as [ServerSocket];
      connection.emit("unauthorized", { code: "not_allowed", reconnect: false });
      await events.next("event unauthorized");
      const { now } = Date;
      Date.now = () => now() + 3_000;
      try {
        socket.io.engine.close();
        await reach(session, "connecting");
        await session.ready;
      } finally {
        Date.now = now;
      }
      assert(!events.names.includes("out"));
    });

    it("are told from the end of a session, which a close follows", async () => {
      const world = await openWorld(place, { userId }, { setUp });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      socket.emit("relay");
      await events.next("event done");
      await world.auth.revoke({ userId: "ada" }, { message: "Gone" });
      await reach(session, "stopped");
      assertEquals([session.error?.code, session.error?.message], ["revoked", "Gone"]);
    });

    it("are told from a sign-out, which a CONNECT follows", async () => {
      const world = await openWorld(place, { userId }, { setUp });
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      const [connection] = await world.log.next("connection") as [ServerSocket];
      relay(connection);
      world.auth.deauthenticate(connection);
      await reach(session, "stopped");
      assertEquals([session.error?.code, socket.connected], ["signed_out", true]);
    });
  });
}
