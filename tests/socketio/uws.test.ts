/**
 * Under uWebSockets.js, Socket.IO publishes to topics, past the adapter's walk
 * over its sockets. Its patch of the adapter runs here over plain WebSockets
 * that keep topics, with an app that publishes to them.
 */
import { assertEquals, describe, it } from "#testing";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Server, Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, places, start } from "../kit/targets.ts";
import { openWorld, verify } from "../kit/world.ts";

const require = createRequire(import.meta.url);
const { patchAdapter, restoreAdapter } = require(
  join(dirname(require.resolve("socket.io")), "uws.js"),
);

interface TopicSocket {
  send(message: string | Uint8Array): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  getTopics(): string[];
}

interface Conn {
  readonly transport: { readonly name: string; readonly socket: TopicSocket };
  on(event: "upgrade", listener: (transport: Conn["transport"]) => void): void;
}

/** Makes WebSockets of a server keep topics; returns what they are subscribed to. */
function publishToTopics(io: Server): () => string[] {
  const subscribers = new Map<TopicSocket, Set<string>>();
  function keepTopics({ name, socket }: Conn["transport"]): void {
    if (name !== "websocket") return;
    const topics = new Set<string>();
    subscribers.set(socket, topics);
    socket.subscribe = (topic) => void topics.add(topic);
    socket.unsubscribe = (topic) => void topics.delete(topic);
    socket.getTopics = () => [...topics];
  }
  io.engine.on("connection", (conn: Conn) => {
    keepTopics(conn.transport);
    conn.on("upgrade", keepTopics);
  });
  patchAdapter({
    publish(topic: string, message: string | Uint8Array) {
      for (const [socket, topics] of subscribers) if (topics.has(topic)) socket.send(message);
    },
  });
  onDispose(restoreAdapter);
  return () => [...subscribers.values()].flatMap((topics) => [...topics]).sort();
}

describe("topics of uWebSockets.js", () => {
  disposeAfterEach();

  for (
    const place of places.filter(({ engine, name }) =>
      engine === "node:http" && !name.endsWith("polling")
    )
  ) {
    it(`are those of authenticated sockets only (${place.name})`, async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) => io.on("connection", (socket) => void socket.join("room")),
      });
      const topics = publishToTopics(world.io);
      const client = await world.connect();
      world.io.emit("secret");
      world.io.to("room").emit("secret");
      assertEquals(topics(), []);
      await client.signIn();
      const { id } = client.socket;
      assertEquals(topics(), ["/", `/\x1f${id}`, "/\x1froom"].sort());
      world.io.emit("one");
      world.io.to("room").emit("two");
      await client.next("two");
      assertEquals(client.received, ["authenticated", "one", "two"]);
    });

    it(`are left when the connection is ended but its transport is in use (${place.name})`, async () => {
      const io = createServer();
      socketioAuth(io.of("/guarded"), { verify, userId: ({ name }) => name });
      const { url, close } = await start(place, io);
      onDispose(close);
      const topics = publishToTopics(io);
      const open = await connectClient(place, url, "/");
      const guarded = open.sibling("/guarded");
      await guarded.next("connect");
      await guarded.signIn();
      assertEquals(topics().length, 4);
      guarded.emit("authentication", { username: "ada", password: "wrong" });
      await guarded.next("disconnect");
      assertEquals(topics(), ["/", `/\x1f${open.socket.id}`].sort());
      io.of("/guarded").emit("secret");
      io.emit("public");
      await open.next("public");
    });

    it(`are left when the client leaves the namespace (${place.name})`, async () => {
      const world = await openWorld(place, { disconnect: () => world.log.push("gone") });
      world.io.of("/a");
      const topics = publishToTopics(world.io);
      const main = await world.connect();
      const a = main.sibling("/a");
      await a.next("connect");
      await main.signIn();
      await a.next("authenticated");
      a.socket.disconnect();
      await world.log.next("gone");
      assertEquals(topics(), ["/", `/\x1f${main.socket.id}`].sort());
    });

    it(`of clients that were in a namespace before it had a guard are left (${place.name})`, async () => {
      const io = createServer();
      socketioAuth(io.of("/guarded"), { verify });
      const { url, close } = await start(place, io);
      onDispose(close);
      publishToTopics(io);
      const open = await connectClient(place, url);
      const before = open.sibling("/later");
      io.of("/later");
      await before.next("connect");
      const left = new Promise<void>((resolve) => {
        for (const socket of io.of("/later").sockets.values()) {
          socket.on("disconnect", () => resolve());
        }
      });
      before.socket.disconnect();
      await left;
      socketioAuth(io.of("/later"), { verify });
      before.socket.connect();
      await before.next("connect");
      io.of("/later").emit("secret");
      io.emit("public");
      await open.next("public");
      assertEquals(before.received, []);
    });

    it(`of clients that were there before the guard are left (${place.name})`, async () => {
      const io = createServer();
      io.on("connection", (socket: Socket) => void socket.join("room"));
      const { url, close } = await start(place, io);
      onDispose(close);
      const topics = publishToTopics(io);
      const client = await connectClient(place, url);
      io.emit("public");
      await client.next("public");
      socketioAuth(io, { verify });
      assertEquals(topics(), []);
      io.emit("secret");
      await client.signIn();
      assertEquals(topics().length, 3);
      assertEquals(client.received, ["public", "authenticated"]);
    });
  }
});
