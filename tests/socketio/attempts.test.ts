import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import { AuthError, type Outcome } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld } from "../kit/world.ts";

const WRONG = { username: "ada", password: "wrong" };
const RIGHT = { username: "ada", password: "right" };

async function submit(client: Client, credentials: unknown): Promise<Outcome> {
  return await client.socket.emitWithAck("authentication", credentials);
}

async function codeOf(client: Client, event = "unauthorized"): Promise<string> {
  const [refusal] = await client.next(event) as [{ code: string; data?: { code: string } }];
  return refusal.data?.code ?? refusal.code;
}

describe("attempts", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`whoever mistypes may try again (${place.name})`, async () => {
      const world = await openWorld(place, { attempts: 3 });
      const client = await world.connect();
      for (let i = 0; i < 2; i++) {
        const outcome = await submit(client, WRONG);
        assertEquals(outcome.ok || outcome.code, "authentication_failed");
        assertEquals(await codeOf(client), "authentication_failed");
        world.io.emit("secret");
      }
      assertEquals(await submit(client, RIGHT), { ok: true, reply: true });
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, [
        ...["unauthorized", "unauthorized", "authenticated", "public"],
      ]);
    });

    it(`the last one closes the transport (${place.name})`, async () => {
      const world = await openWorld(place, { attempts: 2 });
      const client = await world.connect();
      client.emit("authentication", WRONG);
      client.emit("event");
      assertEquals(await codeOf(client), "authentication_failed");
      client.emit("authentication", WRONG);
      assertEquals(await codeOf(client), "authentication_failed");
      await client.next("disconnect");
      await engineIsEmpty(world.io);
      assertEquals(world.auth.stats().refused, 2);
    });
  }

  for (const place of engineOnly) {
    it(`the outcome is also the answer to the event (${place.name})`, async () => {
      const expiresAt = Date.now() + 60_000;
      const world = await openWorld(place, {
        attempts: 9,
        reply: () => ({ motd: "hello" }),
        expiresAt: () => expiresAt,
        verify(_socket: unknown, given: string) {
          if (given === "locked") throw new AuthError("Locked", { code: "account_locked" });
          if (given === "busy") throw new AuthError("Later", { code: "server_busy" });
          if (given === "broken") throw new Error("secret text");
          return given === "right";
        },
      });
      const client = await world.connect();
      const refuse = (code: string, message: string, reconnect: boolean): Outcome => {
        return { ok: false, message, code, reconnect };
      };
      const expected: [string, Outcome][] = [
        ["wrong", refuse("authentication_failed", "Authentication failure", false)],
        ["locked", refuse("account_locked", "Locked", false)],
        // A code of the protocol's own says what it always says.
        ["busy", refuse("server_busy", "Later", true)],
        ["broken", refuse("server_error", "Internal server error", true)],
        ["right", { ok: true, reply: { motd: "hello" }, expiresAt }],
      ];
      for (const [given, outcome] of expected) {
        const told = await submit(client, given);
        if (told.ok) {
          assert(told.expiresIn! > 0 && told.expiresIn! <= 60_000);
          delete told.expiresIn;
        }
        assertEquals(told, outcome);
      }
    });

    it(`a flood of guesses on one transport gets no more than its share (${place.name})`, async () => {
      let guesses = 0;
      const world = await openWorld(place, {
        attempts: 5,
        verify: () => void guesses++,
      });
      const raw = await RawClient.connect(world.url);
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 400; i++) raw.send(`42["authentication",{"password":"${i}"}]`);
        await raw.packets.next("42");
      }
      await raw.packets.next("close");
      assertEquals(guesses, 5);
    });

    it(`leaving in the middle costs one once the verifier says no (${place.name})`, async () => {
      for (const isRight of [true, false]) {
        let asked = 0;
        let answer = (_user: unknown) => {};
        const world = await openWorld(place, {
          timeout: 60_000,
          verify: () => {
            world.log.push("asked");
            return asked++ > 0 ? true : new Promise((resolve) => answer = resolve);
          },
          disconnect: () => world.log.push("gone"),
          // Another namespace keeps the transport open.
          open: "/other",
        }, { setUp: (io) => io.of("/other") });
        const raw = await RawClient.connect(world.url);
        raw.send("40/other,");
        await raw.packets.next("40");
        raw.send(`42["authentication",{}]`);
        await world.log.next("asked");
        raw.send("41");
        await world.log.next("gone");
        raw.send("40");
        await raw.packets.next("40");
        answer(isRight);
        raw.send(`42["authentication",{}]`);
        const [told] = await raw.packets.next("42");
        assertMatch(String(told), isRight ? /"authenticated"/ : /"too_many_attempts"/);
        assertEquals(asked, isRight ? 2 : 1);
      }
    });

    it(`they are the same ones for handshakes (${place.name})`, async () => {
      const world = await openWorld(place, { attempts: 2, handshake: true });
      const client = openClient(place, world.url, { auth: { ...WRONG } });
      assertEquals(await codeOf(client, "connect_error"), "authentication_failed");
      const raw = await RawClient.open(world.url);
      for (let i = 0; i < 2; i++) {
        raw.send(`40${JSON.stringify(WRONG)}`);
        await raw.packets.next("44");
      }
      await raw.packets.next("close");
      const again = await RawClient.open(world.url);
      again.send(`40${JSON.stringify(WRONG)}`);
      await again.packets.next("44");
      again.send(`40${JSON.stringify(RIGHT)}`);
      await again.packets.next("40");
    });

    it(`the deadline is for all of them together (${place.name})`, async () => {
      const world = await openWorld(place, { attempts: 1e6, timeout: 200 });
      const client = await world.connect();
      client.socket.on("unauthorized", () => client.emit("authentication", WRONG));
      client.emit("authentication", WRONG);
      await client.next("disconnect");
      const last = client.events.all.findLast(([event]) => event === "unauthorized")!;
      assertEquals((last[1] as { code: string }).code, "timeout");
    });
  }
});
