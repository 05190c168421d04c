// Servers that go and come back, and clients that are many.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";
import { ada, openSession, reach, userId } from "./session.ts";

/** Waits until so many of something have happened, told of each by `count()`. */
class Goal {
  readonly reached: Promise<void>;
  #left: number;
  #reach = () => {};

  constructor(count: number) {
    this.#left = count;
    this.reached = new Promise((resolve) => this.#reach = resolve);
  }

  count(): void {
    if (--this.#left === 0) this.#reach();
  }
}

for (const place of engineOnly) {
  describe(`a server that goes and comes back (${place.name})`, () => {
    disposeAfterEach();

    /** A server that notes what it is sent, and answers; the next one in the place of `former`. */
    async function restart(received: number[], former?: World): Promise<World> {
      await former?.close();
      const setUp = (io: Server) =>
        io.on("connection", (socket) => {
          socket.on("operation", (n: number, acknowledge: () => void) => {
            received.push(n);
            acknowledge();
          });
        });
      const port = former && Number(new URL(former.url).port);
      return await openWorld(place, { incoming: "drop", userId }, { setUp, ...port && { port } });
    }

    it("loses nothing of a client with `retries`, and gets nothing twice that it has answered", async () => {
      const received: number[] = [];
      let world = await restart(received);
      let failing = 0;
      const { session, socket } = openSession(
        place,
        world.url,
        () => {
          // A source that fails now and then, as sources do.
          if (++failing % 4 === 3) throw new Error("no network");
          return Promise.resolve(ada);
        },
        { client: { retries: 1_000, ackTimeout: 500 } },
      );
      await session.ready;

      const acknowledged = new Map<number, number>();
      let emitted = 0;
      let goal = new Goal(1);
      const emit = (count: number) => {
        for (let i = 0; i < count; i++) {
          const n = emitted++;
          socket.emit("operation", n, () => {
            acknowledged.set(n, (acknowledged.get(n) ?? 0) + 1);
            goal.count();
          });
        }
      };
      for (let round = 0; round < 10; round++) {
        goal = new Goal(5);
        emit(10);
        await goal.reached;
        // Each connection signs in once.
        assertEquals(world.auth.stats().accepted, 1);
        const known = [...acknowledged.keys()];
        const before = received.length;
        world = await restart(received, world);
        emit(10);
        while (session.state !== "authenticated") await session.ready.catch(() => {});
        assertEquals(received.slice(before).filter((n) => known.includes(n)), []);
      }
      goal = new Goal(emitted - acknowledged.size);
      await goal.reached;
      assertEquals(acknowledged.size, emitted);
      assertEquals(new Set(acknowledged.values()), new Set([1]));
      // The order of the first time is that of the application.
      const firsts = received.filter((n, index) => received.indexOf(n) === index);
      assertEquals(firsts, firsts.toSorted((a, b) => a - b));
      assertEquals(firsts.length, emitted);
    });

    it("gets the events of an offline hour once it is back", async () => {
      const received: number[] = [];
      let world = await restart(received);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      const gone = new Promise((resolve) => socket.once("disconnect", resolve));
      await Promise.all([world.close(), gone]);
      const answers = Array.from({ length: 500 }, (_, n) => socket.emitWithAck("operation", n));
      world = await restart(received, world);
      await Promise.all(answers);
      assertEquals(received, Array.from({ length: 500 }, (_, n) => n));
    });
  });

  describe(`a lost connection (${place.name})`, () => {
    disposeAfterEach();

    it("is recovered, with what was sent meanwhile", async () => {
      const gone = new Goal(1);
      const world = await openWorld(place, { userId }, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            socket.join("room");
            socket.on("disconnect", () => gone.count());
          }),
        server: { connectionStateRecovery: {} },
      });
      const { session, socket, events } = openSession(place, world.url, ada, {
        client: { reconnection: false },
      });
      await session.ready;
      world.io.to("room").emit("news", 1);
      await events.next("event news");
      const { id } = socket;
      socket.io.engine.close();
      assertEquals([session.state, session.retryAt], ["waiting", undefined]);
      await gone.reached;
      world.io.to("room").emit("news", 2);
      socket.connect();
      await session.ready;
      assertEquals((await events.next("event news"))[0], 2);
      assertEquals([socket.recovered, socket.id], [true, id]);
    });
  });

  describe(`a storm of clients (${place.name})`, () => {
    disposeAfterEach();

    it(
      "of 200, a token source of 15 a second and a verifier of 20: all get in",
      { timeout: 120_000 },
      async () => {
        const start = Date.now();
        const verifying = takeTurns(20);
        const issuing = takeTurns(15);
        const world = await openWorld(place, {
          timeout: 1_000,
          verify: async () => {
            await verifying();
            return { name: "ada" };
          },
        });
        let issued = 0;
        const getToken = async () => {
          issued++;
          await issuing();
          return ada;
        };
        const clients = Array.from({ length: 200 }, () => openSession(place, world.url, getToken));
        await Promise.all(clients.map(({ session }) => reach(session, "authenticated")));
        console.log(
          `# all in after ${((Date.now() - start) / 1000).toFixed(1)} s, ${
            issued / 200
          } tokens each`,
        );
        assertEquals(world.auth.stats().authenticated, 200);
        assert(issued <= 240, `${issued} tokens`);
      },
    );
  });
}

/** A service that does one thing after the other, so many a second. Resolves when it is done. */
function takeTurns(perSecond: number): () => Promise<void> {
  let last = Date.now();
  return () => {
    last = Math.max(last, Date.now()) + 1_000 / perSecond;
    return new Promise((resolve) => setTimeout(resolve, last - Date.now()));
  };
}
