// One socket, one user, once: what somebody still does with a socket that is over, or with what
// they have kept of it, reaches nobody, also where its transport lives on.
import { assert, assertEquals, describe, it } from "#testing";
import { type Server, type ServerOptions, Socket } from "socket.io";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { type Place, places } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

type Acknowledge = (answer: string) => void;

/** Users are who they say they are; "/open" keeps the transport when a session ends. */
const options = {
  verify: (_socket: unknown, { username }: { username: string }) =>
    username ? { name: username } : undefined,
  userId: (user: User) => user.name,
  open: "/open",
  attempts: 9,
};

/** Ways in which a session ends, and its transport does not. */
const ends: Record<string, (world: World, socket: Socket, client: Client) => unknown> = {
  "signed out": (world, socket) => world.auth.deauthenticate(socket),
  "revoked": (world) => world.auth.revoke({ userId: "ada" }),
  "refused in a refresh": (_world, _socket, client) =>
    client.emit("authentication", { username: "" }),
  "disconnected by the server": (_world, socket) => socket.disconnect(),
  "left by the client": (_world, _socket, client) => client.socket.disconnect(),
};

/** What somebody may have kept of a socket while it was theirs. */
function keep(socket: Socket): Record<string, () => unknown> {
  const { emit, join, send } = socket;
  const bound = { emit: socket.emit.bind(socket), join: socket.join.bind(socket) };
  const wrapped = (...args: [string]) => emit.apply(socket, args);
  return {
    "emit": () => socket.emit("secret"),
    "send": () => socket.send("secret"),
    "volatile": () => socket.volatile.emit("secret"),
    "with an acknowledgement": () => socket.emit("secret", () => {}),
    "with a timeout": () => socket.timeout(5).emitWithAck("secret").catch(() => {}),
    "a bound emit": () => bound.emit("secret"),
    "a kept emit": () => emit.call(socket, "secret"),
    "a kept send": () => send.call(socket, "secret"),
    "a wrapped emit": () => wrapped("secret"),
    "the class's emit": () => Socket.prototype.emit.call(socket, "secret"),
    "join": () => socket.join("room"),
    "a bound join": () => bound.join("room"),
    "a kept join": () => join.call(socket, "room"),
    "the class's join": () => Socket.prototype.join.call(socket, "room"),
    "its adapter": () => socket["adapter"].addAll(socket.id, new Set(["room"])),
    "to itself": () => socket.nsp.to(socket.id).emit("secret"),
  };
}

/** What a socket does to others. */
const broadcasts: Record<string, (socket: Socket) => unknown> = {
  "broadcast": (socket) => socket.broadcast.emit("secret"),
  "to": (socket) => socket.to("witnesses").emit("secret"),
  "in": (socket) => socket.in("witnesses").emit("secret"),
  "except": (socket) => socket.except("nobody").emit("secret"),
  "local": (socket) => socket.local.emit("secret"),
  "volatile": (socket) => socket.volatile.broadcast.emit("secret"),
  "emitWithAck": async (socket) => {
    assertEquals(await socket.timeout(10_000).to("witnesses").emitWithAck("secret"), []);
  },
  "socketsJoin": (socket) => socket.to("witnesses").socketsJoin("ditch"),
  "socketsLeave": (socket) => socket.to("witnesses").socketsLeave("witnesses"),
  "disconnectSockets": (socket) => socket.to("witnesses").disconnectSockets(true),
};

async function open(
  place: Place,
  server: Partial<ServerOptions>,
  more: object = {},
): Promise<World> {
  return await openWorld(place, { ...options, ...more }, {
    server,
    setUp: (io: Server) => void io.of("/open"),
  });
}

/** A client signed in on the main namespace, with an open one on the same transport. */
async function enter(world: World): Promise<{ client: Client; socket: Socket; other: Client }> {
  const client = await world.connect();
  const other = client.sibling("/open");
  await other.next("connect");
  await client.signIn({ username: "ada" });
  const [socket] = await world.log.next("connection") as [Socket];
  return { client, socket, other };
}

describe("a socket that is over", () => {
  disposeAfterEach();

  for (const place of places) {
    for (const [how, end] of Object.entries(ends)) {
      for (const recovery of [false, true]) {
        const beside = recovery ? "with recovery" : "without recovery";
        it(`is silent for ever, ${how}, ${beside} (${place.name})`, async () => {
          const world = await open(place, recovery ? { connectionStateRecovery: {} } : {});
          const { client, socket, other } = await enter(world);
          const kept = keep(socket);
          const acknowledged = Promise.withResolvers<Acknowledge>();
          socket.on("ask", acknowledged.resolve);
          client.socket.emit("ask", () => client.events.push("secret"));
          const acknowledge = await acknowledged.promise;

          const gone = new Promise((resolve) => socket.once("disconnect", resolve));
          const connected = how === "signed out" && client.next("connect");
          const before = client.received.length;
          await end(world, socket, client);
          await gone;
          const use = () => {
            acknowledge("secret");
            for (const fn of Object.values(kept)) fn();
            world.io.to("room").emit("secret");
          };
          use();
          // The transport lives, and somebody else comes in on it.
          if (connected) await connected;
          else {
            if (client.socket.connected) await client.next("disconnect");
            client.socket.connect();
            await client.next("connect");
          }
          use();
          client.emit("authentication", { username: "eve" });
          await client.next("authenticated");
          use();
          world.io.emit("public");
          world.io.of("/open").emit("public");
          await client.next("public");
          await other.next("public");
          const received = client.received.slice(before).filter((e) => e !== "unauthorized");
          assertEquals(received, ["authenticated", "public"]);
          assertEquals(other.received, ["public"]);
          assertEquals(client.received.includes("secret"), false);
          assertEquals([socket.rooms.size, world.io.of("/").adapter.rooms.has("room")], [0, false]);
        });
      }
    }

    for (const [how, end] of Object.entries(ends).slice(0, 3)) {
      it(`reaches nobody else once its listeners have run, ${how} (${place.name})`, async () => {
        for (const connectionStateRecovery of [undefined, {}]) {
          const world = await open(
            place,
            connectionStateRecovery ? { connectionStateRecovery } : {},
          );
          const witness = await world.connect();
          await witness.signIn({ username: "witness" });
          const [watching] = await world.log.next("connection") as [Socket];
          await watching.join("witnesses");
          const { client, socket } = await enter(world);
          // As where there are several nodes.
          world.io.of("/").adapter.serverCount = () => Promise.resolve(2);
          const gone = new Promise((resolve) => socket.once("disconnect", resolve));
          await end(world, socket, client);
          await gone;
          // Behind its listeners, not in them.
          await Promise.resolve();
          for (const fn of Object.values(broadcasts)) await fn(socket);
          world.io.to("witnesses").emit("public");
          await witness.next("public");
          assertEquals(witness.received, ["authenticated", "public"]);
          assertEquals([...watching.rooms], [watching.id, "witnesses"]);
          client.socket.io.engine.close();
        }
      });
    }

    it(`may still tell the others that it has left (${place.name})`, async () => {
      for (const connectionStateRecovery of [undefined, {}]) {
        const world = await open(
          place,
          connectionStateRecovery ? { connectionStateRecovery } : {},
          {
            disconnect: (socket: Socket) => socket.broadcast.emit("gone"),
          },
        );
        world.io.on("connection", (socket) => {
          void socket.join("room");
          socket.on("disconnecting", () => socket.to([...socket.rooms]).emit("leaving"));
          socket.on("disconnect", () => socket.broadcast.emit("left"));
        });
        const witness = await world.connect();
        await witness.signIn({ username: "witness" });
        await world.log.next("connection");
        for (const end of Object.values(ends)) {
          const { client, socket } = await enter(world);
          await end(world, socket, client);
          await witness.next("leaving");
          await witness.next("left");
          await witness.next("gone");
          client.socket.io.engine.close();
        }
      }
    });
  }
});

describe("a pending socket", () => {
  disposeAfterEach();

  for (const place of places) {
    for (const recovery of [false, true]) {
      it(`is as silent, ${recovery ? "with" : "without"} recovery (${place.name})`, async () => {
        const server = recovery ? { connectionStateRecovery: {} } : {};
        const world = await open(place, server, { connection: "connected" });
        const client = await world.connect();
        const [socket] = await world.log.next("connection") as [Socket];
        for (const fn of Object.values(keep(socket))) fn();
        world.io.of("/").adapter.addAll(socket.id, new Set(["room", socket.id]));
        world.io.to("room").emit("not yet");
        world.io.emit("not yet");
        const held = socket.timeout(20_000).emitWithAck("held");
        client.socket.on("held", (acknowledge: Acknowledge) => acknowledge("yes"));
        await client.signIn({ username: "ada" });
        assertEquals(await held, "yes");
        world.io.to("room").emit("in the room");
        await client.next("in the room");
        assert(!client.received.includes("not yet"));
        assertEquals(client.received[0], "authenticated");
      });
    }
  }
});

describe("events of a user who is gone", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`that came in one burst with the end are not handled (${place.name})`, async () => {
      const world = await open(place, {});
      const { client, socket } = await enter(world);
      const handled: string[] = [];
      socket.onAny((event) => handled.push(event));
      socket.on("logout", () => world.auth.deauthenticate(socket));
      socket.on("transfer", () => handled.push("transferred"));
      const connected = client.next("connect");
      client.emit("logout");
      client.emit("transfer");
      await connected;
      await client.signIn({ username: "eve" });
      assert(!handled.includes("transferred"), `${handled}`);
    });

    it(`that are on their way through middleware are not handled (${place.name})`, async () => {
      const world = await open(place, {});
      const { client, socket } = await enter(world);
      const next = Promise.withResolvers<() => void>();
      socket.use((_event, proceed) => next.resolve(proceed));
      const handled: string[] = [];
      socket.on("transfer", () => handled.push("transferred"));
      const connected = client.next("connect");
      client.emit("transfer");
      const proceed = await next.promise;
      world.auth.deauthenticate(socket);
      await connected;
      await client.signIn({ username: "eve" });
      const [other] = await world.log.next("connection") as [Socket];
      const heard = new Promise((resolve) => other.on("event", resolve));
      other.on("transfer", () => handled.push("transferred by another"));
      proceed();
      client.emit("event");
      await heard;
      assertEquals(handled, []);
    });
  }
});
