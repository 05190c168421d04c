// What becomes of a client that was refused: it is told at once, and closed a second later.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server } from "socket.io";
import { io as connectV4 } from "socket.io-client";
// @ts-expect-error -- it has types that its package.json does not lead to
import { io as connectV40 } from "socket.io-client-v4.0";
import { io as connectV43 } from "socket.io-client-v4.3";
import { io as connectV44 } from "socket.io-client-v4.4";
// @ts-expect-error -- it has no types
import connectV2 from "socket.io-client-v2";
// @ts-expect-error -- it has types that its package.json does not lead to
import { io as connectV3 } from "socket.io-client-v3";
// @ts-expect-error -- it has types that its package.json does not lead to
import { io as connectV30 } from "socket.io-client-v3.0";
import type { Options, VerifyContext } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, type Place, places } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { engineIsEmpty, openWorld, type World } from "../kit/world.ts";

interface AnySocket {
  readonly io: { socket(namespace: string, options?: object): AnySocket };
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

type Connect = (url: string, options: object) => AnySocket;

const versions = {
  "2.5": connectV2,
  "3.0": connectV30,
  "3.1": connectV3,
  "4.0": connectV40,
  "4.3": connectV43,
  "4.4": connectV44,
  "4.8": connectV4,
} as unknown as Record<string, Connect>;

/** How long clients are watched, in ms: long enough for one that comes back all the time. */
const WATCHED = 2500;

/** How a client is refused, each by what it sends. */
const verify = (_socket: unknown, credentials: { password: string }): boolean => {
  if (credentials.password === "throw") throw new Error("jwt malformed");
  return false;
};

interface Guess {
  readonly version: string;
  readonly password: "wrong" | "throw";
  readonly handshake: boolean;
  /** Whether its transport serves an open namespace, too. */
  readonly beside: boolean;
  /** Whether it is of a page that connects again whenever it is disconnected. */
  readonly insists: boolean;
}

/** Every client in every situation. */
const guesses: Guess[] = Object.keys(versions).flatMap((version) =>
  [false, true].flatMap((handshake) =>
    [false, true].flatMap((beside) =>
      [false, true].flatMap((insists) =>
        (["wrong", "throw"] as const).map((password) => ({
          ...{ version, password, handshake, beside, insists },
        }))
      )
    )
  )
).filter(({ version, handshake }) => version !== "2.5" || !handshake);

/** Has a client guess, as Socket.IO's documentation shows how to come back. */
function guess(
  place: Place,
  url: string,
  { version, password, handshake, beside, insists }: Guess,
) {
  const connect = versions[version]!;
  const credentials = { password, who: JSON.stringify([version, handshake, beside, insists]) };
  const options = {
    ...place.transport,
    ...{ forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 20 },
  };
  const auth = handshake && { auth: credentials };
  const path = handshake ? "/handshake" : "/";
  const open = beside && connect(`${url}/open`, options);
  const socket = open
    ? open.io.socket(path, { ...auth })
    : connect(url + path, { ...options, ...auth });
  socket.on("connect", () => {
    if (!handshake) socket.emit("authentication", credentials);
  });
  if (insists) {
    socket.on("disconnect", (reason: string) => {
      if (reason === "io server disconnect") socket.connect();
    });
  }
  onDispose(() => {
    socket.disconnect();
    if (open) open.disconnect();
  });
}

describe("a client that was refused", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`does not come back more than once in a second, whatever its version (${place.name})`, async () => {
      const those = guesses.filter(({ version }) => speaks(place, version));
      const asked = new Map<string, number>();
      const all = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        timeout: 60_000,
        open: ["/open"],
        handshake: true,
        verify(socket: unknown, credentials: { password: string; who: string }) {
          const who = `${credentials.password} ${credentials.who}`;
          asked.set(who, (asked.get(who) ?? 0) + 1);
          if (asked.size === those.length) all.resolve();
          return verify(socket, credentials);
        },
      }, { setUp: (io) => (io.of("/open"), io.of("/handshake")), server: serverOptions(place) });
      const begun = performance.now();
      for (const one of those) guess(place, world.url, one);
      // On a busy machine it takes some time until all have come.
      await all.promise;
      await new Promise((resolve) => setTimeout(resolve, WATCHED));
      const seconds = (performance.now() - begun) / 1000;
      for (const [who, times] of asked) assert(times <= 1 + seconds, `${who}: ${times}`);
      // One that is not told to come back stays away; also those that come back by themselves.
      for (const { version, password, handshake, beside, insists } of those) {
        const who = `${password} ${JSON.stringify([version, handshake, beside, insists])}`;
        if (!insists) assertEquals([who, asked.get(who)], [who, 1]);
      }
    });
  }
});

describe("the second until a client that was refused is closed", () => {
  disposeAfterEach();

  const policy = {
    verify: (_socket: unknown, { password }: { password: string }) => password === "right",
    handshake: true,
    open: ["/open"],
    // deno-lint-ignore no-explicit-any -- tests use the options as the application would
  } as unknown as Options<any, any, any>;

  const setUp = (io: Server) => void (io.of("/open"), io.of("/other"));

  async function refused(place: Place, handshake: boolean): Promise<[TimedWorld, RawClient]> {
    const world = await openTimedWorld(place, policy, setUp);
    const raw = await RawClient.open(world.url);
    await refuse(raw, handshake);
    return [world, raw];
  }

  async function refuse(raw: RawClient, handshake: boolean): Promise<void> {
    if (handshake) raw.send(`40{"password":"wrong"}`);
    else {
      raw.send("40");
      await raw.packets.next("40");
      raw.send(`42["authentication",{"password":"wrong"}]`);
    }
    await raw.packets.next(handshake ? "44" : "42");
  }

  /** Resolves once the server has seen all that was sent before. */
  async function seen(raw: RawClient): Promise<void> {
    raw.send("40/open,");
    await raw.packets.next("40");
  }

  for (const place of engineOnly) {
    for (const handshake of [false, true]) {
      const how = handshake ? "a handshake" : "two steps";
      it(`what it sends is dropped, after ${how} (${place.name})`, async () => {
        const [world, raw] = await refused(place, handshake);
        const before = raw.packets.all.length;
        raw.send(`42["authentication",{"password":"right"}]`);
        raw.send(`42["chat"]`);
        raw.send(`40{"password":"right"}`);
        raw.send("40/other,");
        raw.send(`42/nowhere,["chat"]`);
        await seen(raw);
        assertEquals(raw.packets.all.slice(before).map(([type]) => type), ["40"]);
        assertEquals(world.auth.stats().refused, 1);
        world.clock.advance(999);
        assertEquals(world.auth.stats().pendingConnections, 1);
        world.clock.advance(1);
        await raw.packets.next("41");
        // The open namespace goes on.
        raw.send(`42/open,["chat"]`);
        await world.connect();
        assertEquals(raw.packets.names.includes("close"), false);
        // Guessing on this transport is over.
        raw.send(`40{"password":"right"}`);
        const [told] = await raw.packets.next("44");
        assert(String(told).includes("too_many_attempts"), String(told));
      });

      it(`it has its place, and hears of no deadline, after ${how} (${place.name})`, async () => {
        const world = await openTimedWorld(place, policy, setUp);
        const raw = await RawClient.open(world.url);
        raw.send("40/new,");
        await raw.packets.next("44");
        world.clock.advance(900);
        await refuse(raw, handshake);
        assertEquals(world.auth.stats().pending, 1);
        world.clock.advance(999);
        assertEquals(world.auth.stats().pending, 1);
        world.clock.advance(1);
        await raw.packets.next("close");
        await engineIsEmpty(world.io);
        assertEquals([world.auth.stats().pending, world.auth.stats().timedOut], [0, 0]);
        const names = raw.packets.names;
        assertEquals(names.slice(names.lastIndexOf(handshake ? "44" : "42") + 1), ["41", "close"]);
      });

      it(`it may go, which leaves nothing, after ${how} (${place.name})`, async () => {
        const [world, raw] = await refused(place, handshake);
        raw.close();
        await engineIsEmpty(world.io);
        assertEquals(world.auth.stats().pending, 0);
        world.clock.advance(2000);
        assertEquals(world.clock.pending, 0);
      });

      it(`the server may close, after ${how} (${place.name})`, async () => {
        const [world, raw] = await refused(place, handshake);
        await world.close();
        await raw.packets.next("close");
      });
    }

    it(`with attempts left nothing is closed, and the deadline says farewell (${place.name})`, async () => {
      const world = await openTimedWorld(place, { ...policy, attempts: 3 }, setUp);
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < 2; i++) {
        raw.send(`40{"password":"wrong"}`);
        await raw.packets.next("44");
      }
      assertEquals(world.auth.stats().pending, 1);
      world.clock.advance(1000);
      await raw.packets.next("close");
      assertEquals(raw.packets.names, ["0", "44", "44", "41", "close"]);
      assertEquals(world.auth.stats().pending, 0);
    });

    it(`with attempts left another namespace signs in (${place.name})`, async () => {
      const world = await openTimedWorld(place, { ...policy, attempts: 3 }, setUp);
      const raw = await RawClient.open(world.url);
      raw.send(`40{"password":"wrong"}`);
      await raw.packets.next("44");
      raw.send(`40/other,{"password":"right"}`);
      await raw.packets.next("42");
      // The one that was refused has no place any more, and may join.
      const { pending, authenticated } = world.auth.stats();
      assertEquals([raw.packets.names, pending, authenticated], [
        ["0", "44", "40", "41", "42"],
        0,
        1,
      ]);
      raw.send("40");
      await raw.packets.next("40");
      await raw.packets.next("42");
    });
  }

  for (const place of engineOnly) {
    it(`a namespace asked for meanwhile is told to stay away, and can be asked for again (${place.name})`, async () => {
      for (const order of ["refused first", "both at once"]) {
        const world = await openTimedWorld(place, policy, setUp);
        const raw = await RawClient.open(world.url);
        raw.send(`40{"password":"wrong"}`);
        if (order === "refused first") await raw.packets.next("44");
        raw.send(`40/other,{"password":"right"}`);
        if (order === "both at once") await raw.packets.next("44");
        await seen(raw);
        world.clock.advance(1000);
        const dismissed = [await raw.packets.next("41"), await raw.packets.next("41")];
        assert(String(dismissed).includes("/other"), `${order}: ${dismissed}`);
        raw.send(`40/other,{"password":"right"}`);
        const [told] = await raw.packets.next("44");
        assert(String(told).includes("too_many_attempts"), `${order}: ${told}`);
      }
    });

    it(`no namespace is made that stays (${place.name})`, async () => {
      const world = await openTimedWorld(place, { ...policy, maxPending: 5 }, (io) => {
        setUp(io);
        io.of(/^\/room-/);
      }, { cleanupEmptyChildNamespaces: true });
      const before = world.io._nsps.size;
      for (const count of [30, 200]) {
        const raw = await RawClient.open(world.url);
        await refuse(raw, true);
        for (let i = 0; i < count; i++) raw.send(`40/room-${i},`);
        if (count === 30) {
          await seen(raw);
          assertEquals(world.io._nsps.size, before);
          raw.close();
        }
        await raw.packets.next("close");
        await engineIsEmpty(world.io);
        assertEquals([world.io._nsps.size, world.auth.stats().pending], [before, 0]);
      }
    });

    it(`the application may close at once (${place.name})`, async () => {
      const [world, raw] = await refused(place, false);
      await seen(raw);
      world.io.of("/open").disconnectSockets(true);
      await raw.packets.next("close");
    });

    it(`also what comes of a challenge is told, before its socket is connected (${place.name})`, async () => {
      const asked = Promise.withResolvers<void>();
      const challenging = {
        ...policy,
        async verify(_socket: unknown, _given: unknown, { challenge }: VerifyContext) {
          asked.resolve();
          return await challenge("code?", { timeout: 100 }) === "right";
        },
      } as typeof policy;
      const world = await openTimedWorld(place, challenging, (io) => void io.use(() => {}));
      const raw = await RawClient.open(world.url);
      raw.send(`40{"password":"right"}`);
      await asked.promise;
      world.clock.advance(100);
      const [told] = await raw.packets.next("44");
      assert(String(told).includes(`"timeout"`), String(told));
      world.clock.advance(1000);
      await raw.packets.next("close");
    });
  }

  it("a member is told to stay away from a namespace that it was refused", async () => {
    const [place] = engineOnly;
    const world = await openTimedWorld(place!, policy, setUp);
    const raw = await RawClient.open(world.url);
    raw.send(`40{"password":"right"}`);
    await raw.packets.next("40");
    await raw.packets.next("42");
    const large = JSON.stringify({ x: "x".repeat(20_000) });
    raw.send(`40/other,${large}`);
    await raw.packets.next("44");
    world.clock.advance(1000);
    assertEquals(await raw.packets.next("41"), ["/other,"]);
    // A second one has come meanwhile: that stays.
    raw.send(`40/other,${large}`);
    await raw.packets.next("44");
    raw.send("40/other,");
    await raw.packets.next("40");
    world.clock.advance(1000);
    await seen(raw);
    assertEquals(raw.packets.names.filter((name) => name === "41").length, 1);
  });

  for (const place of places) {
    it(`what it is sent last arrives (${place.name})`, async () => {
      const world: World = await openWorld(place, { handshake: true, open: ["/open"] }, { setUp });
      const client = openClient(place, world.url, { auth: { username: "ada", password: "no" } });
      const [error] = await client.next("connect_error") as [Error & { data: { code: string } }];
      assertEquals(error.data.code, "authentication_failed");
      const other = await world.connect();
      other.emit("authentication", { username: "ada", password: "no" });
      assertEquals(await other.next("disconnect"), ["io server disconnect"]);
      assertEquals(other.events.names, ["connect", "unauthorized", "disconnect"]);
    });
  }
});

/** bun-engine speaks revision 4 of Engine.IO only. */
function speaks({ engine }: Place, version: string): boolean {
  return version !== "2.5" || engine !== "bun-engine";
}

function serverOptions({ engine }: Place): object {
  return engine === "bun-engine" ? {} : { allowEIO3: true };
}
