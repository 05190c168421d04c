import { assertEquals, describe, it } from "#testing";
import type { Server } from "socket.io";
import { InMemoryAdapter } from "../kit/adapter.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";
import { verify } from "../kit/world.ts";
import { socketioAuth } from "../../mod.ts";
import type { Running } from "../../src/adapters/serve.ts";

const guard = (io: Server) => void socketioAuth(io, { verify, timeout: 30_000 });

/** What an application does at set-up, in some order. */
const steps: Record<string, (io: Server) => void> = {
  guard,
  namespace: (io) => void io.of("/chat"),
  adapter: (io) => void io.adapter(InMemoryAdapter as never),
  middleware: (io) =>
    void io.of("/chat").use((socket, next) => {
      socket.join("early");
      socket.emit("from middleware");
      next();
    }),
  handler: (io) => void io.of("/chat").on("connection", (socket) => void socket.join("room")),
};

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) =>
    permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest])
  );
}

describe("the order of set-up", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`does not matter in any of its permutations (${place.name})`, async () => {
      for (const order of permutations(Object.keys(steps))) {
        const io = createServer();
        for (const step of order) steps[step]!(io);
        const { url, close } = await start(place, io);
        await expectAirtight(io, url, order.join(", "));
        await close();
      }
    });

    it(`guarding a server that listens already is not too late (${place.name})`, async () => {
      const io = createServer();
      io.of("/chat").on("connection", (socket) => void socket.join("room"));
      const running: Running = await start(place, io);
      onDispose(running.close);
      const early = await connectClient(place, running.url, "/chat");
      io.of("/chat").emit("open to all");
      await early.next("open to all");
      guard(io);
      io.of("/chat").emit("secret");
      await early.signIn();
      io.of("/chat").to("room").emit("public");
      await early.next("public");
      assertEquals(early.received, ["open to all", "authenticated", "public"]);
    });

    it(`the adapter may be replaced while clients are pending (${place.name})`, async () => {
      const io = createServer();
      guard(io);
      io.on("connection", (socket) => void socket.join("room"));
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await connectClient(place, url);
      io.adapter(InMemoryAdapter as never);
      io.emit("secret");
      await client.signIn();
      io.to("room").emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "public"]);
    });

    it(`what was lost before the guard is not recovered behind it (${place.name})`, async () => {
      const io = createServer({ connectionStateRecovery: {} });
      const lost = Promise.withResolvers<void>();
      io.on("connection", (socket) => {
        socket.join("room");
        socket.on("disconnect", () => lost.resolve());
      });
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await connectClient(place, url);
      io.emit("open to all");
      await client.next("open to all");
      await client.drop();
      await lost.promise;
      guard(io);
      io.to("room").emit("secret");
      await client.reconnect();
      assertEquals(client.socket.recovered, false);
      await client.signIn();
      assertEquals(client.received, ["open to all", "authenticated"]);
    });

    it(`the adapter may be replaced by one that can recover (${place.name})`, async () => {
      const io = createServer({ connectionStateRecovery: {} });
      const { adapter } = io.of("/");
      guard(io);
      const { url, close } = await start(place, io);
      onDispose(close);
      const early = await connectClient(place, url);
      io.adapter(adapter.constructor as never);
      io.emit("secret");
      await early.signIn();
      io.emit("public");
      await early.next("public");
      assertEquals(early.received, ["authenticated", "public"]);
    });

    it(`removing every listener of the server does not open it (${place.name})`, async () => {
      const io = createServer();
      guard(io);
      io.removeAllListeners();
      io.of(/^\/later/);
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await connectClient(place, url, "/later-1");
      io.of("/later-1").emit("secret");
      await client.signIn();
      assertEquals(client.received, ["authenticated"]);
    });
  }

  async function expectAirtight(io: Server, url: string, order: string): Promise<void> {
    const client = await connectClient(engineOnly[0]!, url, "/chat");
    io.of("/chat").emit("secret");
    io.of("/chat").to("room").to("early").emit("secret");
    await client.signIn();
    io.of("/chat").to("room").to("early").emit("public");
    await client.next("public");
    const expected = ["authenticated", "from middleware", "public"];
    assertEquals(client.received, expected, order);
    client.socket.disconnect();
  }
});
