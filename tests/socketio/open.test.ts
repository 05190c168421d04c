import { assertEquals, assertThrows, describe, it } from "#testing";
import { socketioAuth } from "../../mod.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, engineOnly, places, start } from "../kit/targets.ts";
import { openWorld, verify } from "../kit/world.ts";

const RIGHT = { username: "ada", password: "right" };

describe("open namespaces", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`are open, and all others are not (${place.name})`, async () => {
      const open = ["/status", "news", /^\/public-/];
      const world = await openWorld(place, { open }, {
        setUp(io) {
          io.of("/status");
          io.of(/^\/public-\d+$/);
          io.of("/statuses");
        },
      });
      world.io.of("/news");
      for (const path of ["/status", "/news", "/public-1"]) {
        const client = await world.connect(path);
        world.io.of(path).emit("probe");
        await client.next("probe");
        client.emit("authentication", RIGHT);
        world.io.of(path).emit("again");
        await client.next("again");
        assertEquals(client.received, ["probe", "again"], path);
      }
      for (const path of ["/", "/statuses"]) {
        const client = await world.connect(path);
        world.io.of(path).emit("secret");
        await client.signIn();
        assertEquals(client.received, ["authenticated"], path);
      }
    });

    it(`keep their transport when a guarded one on it is refused (${place.name})`, async () => {
      const world = await openWorld(place, { open: "/status" }, {
        setUp: (io) =>
          io.of("/status").on("connection", (s) => s.on("ask", (reply) => reply("up"))),
      });
      const status = await world.connect("/status");
      const main = status.sibling("/");
      await main.next("connect");
      main.emit("authentication", { password: "wrong" });
      await main.next("unauthorized");
      assertEquals(await status.socket.emitWithAck("ask"), "up");
    });
  }

  it("are guarded all the same where they have a policy of their own, in any order", async () => {
    for (const isServerFirst of [true, false]) {
      const io = createServer();
      const guards = [
        () => socketioAuth(io, { verify: () => true, open: /^\// }),
        () => socketioAuth(io.of("/admin"), { verify }),
        () => socketioAuth(io.of(/^\/team-/), { verify }),
      ];
      if (!isServerFirst) guards.reverse();
      for (const guard of guards) guard();
      const place = engineOnly[0]!;
      const { url, close } = await start(place, io);
      onDispose(close);
      for (const path of ["/admin", "/team-1"]) {
        const client = await connectClient(place, url, path);
        io.of(path).emit("secret");
        await client.signIn();
        assertEquals(client.received, ["authenticated"], path);
      }
    }
  });

  it("are an option for servers only", () => {
    const io = createServer();
    for (const target of [io.of("/"), io.of(/^\/a/)]) {
      const guard = () => socketioAuth(target, { verify, open: ["/a"] });
      assertThrows(guard, TypeError, "no option open for a namespace");
    }
    socketioAuth(io.of("/"), { verify });
  });
});
