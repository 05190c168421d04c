import { assert, assertEquals, describe, it } from "#testing";
import type { Unauthorized, VerifyContext } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly } from "../kit/targets.ts";
import { engineIsEmpty, openWorld } from "../kit/world.ts";

const WRONG = { username: "ada", password: "wrong" };

describe("maxPending", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`one more is cut, and places are given back on every way out (${place.name})`, async () => {
      const world = await openWorld(place, { maxPending: 2, attempts: 2 });
      /** Fills both places, sees that there is no third, and empties them by `leave`. */
      async function fill(leave: (client: Client) => unknown): Promise<void> {
        const clients = [await world.connect(), await world.connect()];
        const third = await world.connect();
        const [{ retryAfter, ...refusal }] = await third.next("unauthorized") as [Unauthorized];
        assertEquals(refusal, { message: "Server busy", code: "server_busy", reconnect: true });
        assert(retryAfter! >= 500, `${retryAfter}`);
        await third.next("disconnect");
        await Promise.all(clients.map(leave));
        assertEquals(world.auth.stats().pending, 0);
      }
      await fill((client) => client.signIn());
      const seeOff = async (client: Client, leave: () => unknown) => {
        const socket = world.io.of("/").sockets.get(client.socket.id!)!;
        const gone = new Promise((resolve) => socket.on("disconnect", resolve));
        leave();
        await gone;
      };
      await fill((client) => seeOff(client, () => client.socket.disconnect()));
      await fill((client) => seeOff(client, () => client.socket.io.engine.close()));
      await fill(async (client) => {
        for (let i = 0; i < 2; i++) await client.socket.emitWithAck("authentication", WRONG);
        await client.next("disconnect");
      });
      assertEquals(world.errors, []);
    });

    it(`who has found none was never pending, for who observes (${place.name})`, async () => {
      const world = await openWorld(place, {
        maxPending: 0,
        observe: ({ type }) => world.log.push(type),
      });
      const client = await world.connect();
      await client.next("disconnect");
      await world.log.next("disconnected");
      assertEquals(world.log.names.filter((name) => name !== "connection"), [
        "unauthorized",
        "disconnected",
      ]);
    });

    it(`those who are signed in take no place (${place.name})`, async () => {
      const world = await openWorld(place, { maxPending: 1 }, { setUp: (io) => io.of("/other") });
      for (let i = 0; i < 3; i++) {
        const client = await world.connect();
        await client.signIn();
        await client.sibling("/other").next("authenticated");
      }
      assertEquals(world.auth.stats(), {
        ...{ pending: 0, pendingConnections: 0, authenticated: 6, accepted: 3, refused: 0 },
        ...{ timedOut: 0, cut: 0, expired: 0, revoked: 0, held: 0 },
      });
    });

    it(`handshakes that are being verified take one (${place.name})`, async () => {
      const answers: (() => void)[] = [];
      const world = await openWorld(place, {
        maxPending: 1,
        handshake: true,
        verify: () =>
          new Promise((resolve) => {
            answers.push(() => resolve({ name: "ada" }));
            world.log.push("asked");
          }),
      });
      const first = openClient(place, world.url, { auth: { token: 1 } });
      await world.log.next("asked");
      const second = openClient(place, world.url, { auth: { token: 2 } });
      const [{ data }] = await second.next("connect_error") as [{ data: unknown }];
      const { retryAfter, ...rest } = data as Omit<Unauthorized, "message">;
      assertEquals(rest, { code: "server_busy", reconnect: true });
      assert(retryAfter! >= 500, `${retryAfter}`);
      answers[0]!();
      await first.next("authenticated");
      assertEquals(world.auth.stats().pending, 0);
    });

    it(`whoever is asked a question keeps the place of the handshake (${place.name})`, async () => {
      const world = await openWorld(place, {
        maxPending: 1,
        handshake: true,
        verify: async (_socket: unknown, _credentials: unknown, { challenge }: VerifyContext) =>
          await challenge("code?") === "right" && { name: "ada" },
      });
      const client = openClient(place, world.url, { auth: { token: 1 } });
      const [question, answer] = await client.next("challenge") as [string, (code: string) => void];
      assertEquals([question, world.auth.stats().pending], ["code?", 1]);
      answer("right");
      await client.next("authenticated");
      assertEquals(world.auth.stats().pending, 0);
    });

    it(`a flood of silent clients leaves those who are in alone (${place.name})`, async () => {
      const world = await openWorld(place, { maxPending: 20, timeout: 2000 });
      const member = await world.connect();
      await member.signIn();
      const flood = await Promise.all(
        Array.from({ length: 100 }, () => RawClient.connect(world.url)),
      );
      world.io.emit("news");
      await member.next("news");
      assert(world.auth.stats().pending <= 20);
      await Promise.all(flood.map(({ packets }) => packets.next("close")));
      assertEquals(flood.filter(({ events }) => JSON.stringify(events).includes("news")), []);
      member.socket.disconnect();
      await engineIsEmpty(world.io);
      assertEquals(world.auth.stats().pending, 0);
    });
  }
});
