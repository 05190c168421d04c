import { assertEquals, assertRejects, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";
import type { Client } from "../kit/client.ts";

/** Users are who they say they are. */
const options = {
  authenticate: (_socket: unknown, { username }: { username: string }) => ({ name: username }),
  userId: (user: User) => user.name,
};

async function enter(world: World, username: string): Promise<Client> {
  const client = await world.connect();
  await client.signIn({ username });
  return client;
}

describe("deauthenticate", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`signs out without a disconnect, and anybody may sign in next (${place.name})`, async () => {
      const world: World = await openWorld(place, {
        ...options,
        postAuthenticate: (socket: Socket) => world.log.push("welcome", socket),
      });
      const client = await enter(world, "ada");
      const [socket] = await world.log.next("welcome") as [Socket];
      await socket.join("room");
      world.auth.deauthenticate(socket);
      assertEquals([world.auth.session(socket), [...socket.rooms]], [undefined, [socket.id]]);
      assertEquals(await client.next("unauthorized"), [
        { message: "Signed out", code: "signed_out", reconnect: false },
      ]);
      world.io.emit("secret");
      world.io.to(socket.id).emit("secret");
      socket.emit("held");
      client.emit("event");
      socket.on("event", () => world.log.push("event"));
      await client.signIn({ username: "grace" });
      await world.log.next("welcome");
      await world.log.next("event");
      world.io.to("room").emit("secret");
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, [
        ...["authenticated", "unauthorized", "authenticated", "held", "public"],
      ]);
      assertEquals(world.auth.session(socket)?.userId, "grace");
    });

    it(`the deadline runs again (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, timeout: 150 });
      const client = await enter(world, "ada");
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await client.next("unauthorized");
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "timeout");
      await client.next("disconnect");
    });

    it(`is for every namespace of the connection, and not recoverable (${place.name})`, async () => {
      const world: World = await openWorld(place, {
        ...options,
        disconnect: () => world.log.push("gone"),
      }, {
        server: { connectionStateRecovery: {} },
        setUp: (io) => io.of("/other"),
      });
      const client = await enter(world, "ada");
      const other = client.sibling("/other");
      await other.next("authenticated");
      const [socket] = await world.log.next("connection") as [Socket];
      world.io.emit("first");
      await client.next("first");
      world.auth.deauthenticate(socket);
      await client.next("unauthorized");
      await other.next("unauthorized");
      await client.drop();
      await world.log.next("gone");
      await client.reconnect();
      assertEquals(client.socket.recovered, false);
    });

    it(`does nothing to a socket that is not signed in, or gone (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await client.signIn({ username: "ada" });
      assertEquals(client.received, ["authenticated"]);
      socket.disconnect(true);
      world.auth.deauthenticate(socket);
      await assertRejects(async () => await world.auth.deauthenticate({}), TypeError, "policy");
    });

    it(`aborts a refresh in flight, whose answer admits nobody (${place.name})`, async () => {
      const asked = Promise.withResolvers<(user: unknown) => void>();
      const world = await openWorld(place, {
        ...options,
        authenticate: (_socket: unknown, { slow }: { slow?: true }) =>
          slow ? new Promise(asked.resolve) : { name: "ada" },
      });
      const client = await enter(world, "ada");
      const [socket] = await world.log.next("connection") as [Socket];
      const outcome = client.socket.emitWithAck("authentication", { slow: true });
      (await asked.promise)({ name: "ada" });
      world.auth.deauthenticate(socket);
      assertEquals((await outcome).code, "signed_out");
      await client.signIn({ username: "ada" });
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated"]);
    });
  }
});
