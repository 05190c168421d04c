import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import type { Socket } from "socket.io";
import type { VerifyContext } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { runs } from "../kit/random.ts";
import { PollingClient, RawClient } from "../kit/raw.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, transportsOf, type World } from "../kit/world.ts";

const LIMITS = { events: 200, bytes: 50_000, total: 300_000 };

/** What a hostile client sends, in packets of Socket.IO. */
const floods: Record<string, (count: number) => string[]> = {
  "namespaces that are made": (count) => each(count, (i) => `0/room-${i},`),
  "namespaces that are not": (count) => each(count, (i) => `0/none-${i},`),
  "the same namespace": (count) => each(count, () => "0"),
  "leaving and coming back": (count) => each(count, (i) => i % 2 ? "0" : "1"),
  "events": (count) => each(count, (i) => `2["e",${i}]`),
  "large events": (count) => each(count, () => `2["e","${"x".repeat(2000)}"]`),
  "events in many namespaces": (count) => each(count, (i) => `2/room-${i % 64},["e","xxxx"]`),
  "credentials": (count) => each(count, (i) => `2${i}["authentication",{"password":"${i}"}]`),
  "credentials in CONNECT": (count) => each(count, (i) => `0/room-${i},{"password":"${i}"}`),
  "half a file": (count) => [`5${count}-["f"${`,{"_placeholder":true,"num":0}`.repeat(count)}]`],
  "acknowledgements": (count) => each(count, (i) => `3${i}[]`),
  "nonsense": (count) => each(count, () => "9"),
};

function each(count: number, make: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

const step = fc.record({
  flood: fc.constantFrom(...Object.keys(floods)),
  count: fc.constantFrom(1, 3, 70, 400),
});

/** What waits in the engine for a client that does not fetch it, in packets: the most for one. */
function unread({ io }: World): number {
  const buffers = transportsOf(io) as unknown as { writeBuffer: unknown[] }[];
  return Math.max(0, ...buffers.map(({ writeBuffer }) => writeBuffer.length));
}

describe("hostile connections, whatever they send", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`cost no more than their limits, and an honest one gets in (${place.name})`, async () => {
      let asked = 0;
      const world = await openWorld(place, {
        attempts: 3,
        handshake: true,
        holdLimit: LIMITS,
        maxPending: 20,
        async verify(_socket: Socket, given: { password: string }, { challenge }: VerifyContext) {
          if (given.password === "right") return { id: "ada" };
          if (given.password === "1") await challenge("code?", { timeout: 60_000 });
          return undefined;
        },
      }, { server: { cleanupEmptyChildNamespaces: true } });
      world.io.of(/^\/room-/);
      world.io.of((_name, _auth, next) => {
        asked++;
        next(null, false);
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 5 }),
          fc.boolean(),
          async (steps, polls) => {
            const { send, close } = await open(world, polls);
            const madeBefore = world.io._nsps.size;
            asked = 0;
            for (const { flood, count } of steps) await send(floods[flood]!(count));
            // Everything has been handled once an honest client is in.
            const honest = await world.connect();
            await honest.signIn({ password: "right" });
            honest.socket.disconnect();
            const { held, pendingConnections } = world.auth.stats();
            assert(held <= LIMITS.total, `${held} held`);
            assert(pendingConnections <= 20);
            assert(asked <= 64, `${asked} asked`);
            assert(world.io._nsps.size - madeBefore <= 64);
            // For each namespace and attempt an answer, and the end of each.
            assert(unread(world) <= 4 * 64 + 64, `${unread(world)} not read`);
            await close();
          },
        ),
        runs(40),
      );
      assertEquals(world.errors, []);
    });
  }
});

/** A hostile client, which does not fetch what it is sent if it polls. */
async function open(world: World, polls: boolean) {
  if (polls) {
    const polling = await PollingClient.open(world.url);
    return {
      send: (packets: string[]) => polling.send(packets.map((it) => `4${it}`).join("\x1e")),
      // Its place is free for the next one.
      close: () => polling.send("1"),
    };
  }
  const raw = await RawClient.open(world.url);
  return {
    // deno-lint-ignore require-await -- the other one takes its time
    send: async (packets: string[]) => packets.forEach((it) => raw.send(`4${it}`)),
    close: async () => {
      raw.close();
      await raw.packets.next("close");
    },
  };
}
