import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import * as v from "valibot";
import type { StandardSchema, VerifyContext } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

type Answer = (answer: unknown) => void;

/**
 * A verifier that asks its questions one after the other, and lets in who knows the answers.
 * `timeout` is for the first attempt; the later ones have the time that is usual.
 */
function asking(questions: Record<string, string>, timeout?: number) {
  let attempt = 0;
  return async (
    _socket: unknown,
    _given: unknown,
    { challenge }: VerifyContext,
  ): Promise<User | false> => {
    const options = timeout && ++attempt === 1 ? { timeout } : {};
    for (const [question, answer] of Object.entries(questions)) {
      if (await challenge(question, options) !== answer) return false;
    }
    return { name: "ada" };
  };
}

async function answer(client: Client, text: unknown): Promise<unknown> {
  const [question, acknowledge] = await client.next("challenge") as [unknown, Answer];
  acknowledge(text);
  return question;
}

async function codeOf(client: Client): Promise<string> {
  const [{ code }] = await client.next("unauthorized") as [{ code: string }];
  return code;
}

describe("challenges", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`several in a row, and nothing passes before the last (${place.name})`, async () => {
      const world = await openWorld(place, {
        connection: "connected",
        verify: asking({ one: "1", two: "2" }),
      });
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      socket.on("event", () => world.log.push("event"));
      client.emit("authentication", {});
      assertEquals(await answer(client, "1"), "one");
      world.io.emit("secret");
      client.emit("event");
      assertEquals(await answer(client, "2"), "two");
      await client.next("authenticated");
      await world.log.next("event");
      assertEquals(client.received, ["challenge", "challenge", "authenticated"]);
    });

    it(`a wrong answer is a refusal (${place.name})`, async () => {
      const world = await openWorld(place, { verify: asking({ one: "1" }) });
      const client = await world.connect();
      client.emit("authentication", {});
      await answer(client, "2");
      assertEquals(await codeOf(client), "authentication_failed");
    });
  }

  for (const place of engineOnly) {
    it(`the deadline stands still for it, and runs on after it (${place.name})`, async () => {
      const world = await openWorld(place, {
        timeout: 1000,
        async verify(_socket: unknown, _given: unknown, context: VerifyContext) {
          await context.challenge("take your time", { timeout: 5000 });
          await new Promise(() => {});
        },
      });
      const client = await world.connect();
      client.emit("authentication", {});
      const [, acknowledge] = await client.next("challenge") as [unknown, Answer];
      // The deadline of one that has come later is over before anything is looked at.
      const silent = await world.connect();
      assertEquals(await codeOf(silent), "timeout");
      assertEquals(client.socket.connected, true);
      acknowledge("here");
      assertEquals(await codeOf(client), "timeout");
    });

    it(`an answer that does not come ends the attempt (${place.name})`, async () => {
      const world = await openWorld(place, { verify: asking({ one: "1" }, 100) });
      const client = await world.connect();
      client.emit("authentication", {});
      assertEquals(await codeOf(client), "timeout");
      assertEquals(world.errors, []);
    });

    it(`an answer that comes after that is nobody's (${place.name})`, async () => {
      const world = await openWorld(place, {
        attempts: 2,
        verify: asking({ one: "1" }, 100),
      });
      const client = await world.connect();
      client.emit("authentication", {});
      const [, acknowledge] = await client.next("challenge") as [unknown, Answer];
      await codeOf(client);
      acknowledge("1");
      client.emit("authentication", {});
      await answer(client, "2");
      assertEquals(await codeOf(client), "authentication_failed");
    });

    it(`of a client that leaves is rejected, and so are later ones (${place.name})`, async () => {
      const rejected: string[] = [];
      const over = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        async verify(_socket: unknown, _given: unknown, context: VerifyContext) {
          for (let i = 0; i < 2; i++) {
            await context.challenge("?").catch((error) => rejected.push(error.message));
          }
          assert(context.signal.aborted);
          over.resolve();
          return true;
        },
        postAuthenticate: () => world.log.push("welcome"),
      });
      const client = await world.connect();
      client.emit("authentication", {});
      await client.next("challenge");
      client.socket.disconnect();
      await over.promise;
      assertEquals(rejected.map((text) => /attempt is over/.test(text)), [true, true]);
      assertEquals([world.log.names.includes("welcome"), world.errors], [false, []]);
    });

    it(`of a client that has left already is rejected (${place.name})`, async () => {
      const decide = Promise.withResolvers<void>();
      const rejected = Promise.withResolvers<Error>();
      const world: World = await openWorld(place, {
        async verify(_socket: unknown, _given: unknown, { challenge }: VerifyContext) {
          world.log.push("verify");
          await decide.promise;
          return await challenge("?").catch(rejected.resolve);
        },
        disconnect: () => world.log.push("gone"),
      });
      const client = await world.connect();
      client.emit("authentication", {});
      await world.log.next("verify");
      client.socket.disconnect();
      await world.log.next("gone");
      decide.resolve();
      assert(/attempt is over/.test((await rejected.promise).message));
    });

    it(`that nobody awaits does not bring the server down (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify(_socket: unknown, _given: unknown, context: VerifyContext) {
          context.challenge("?", { timeout: 50 });
          return false;
        },
      });
      const client = await world.connect();
      client.emit("authentication", {});
      assertEquals(await codeOf(client), "authentication_failed");
      await world.connect();
    });

    it(`an answer may be anything, but not of any size (${place.name})`, async () => {
      for (const text of ["x".repeat(20_000), JSON.parse("[".repeat(50) + "]".repeat(50))]) {
        const world = await openWorld(place, { verify: asking({ one: "1" }) });
        const client = await world.connect();
        client.emit("authentication", {});
        await answer(client, text);
        assertEquals(await codeOf(client), "invalid_credentials");
      }
    });

    it(`one at a time, for a sensible time (${place.name})`, async () => {
      const errors: string[] = [];
      const world = await openWorld(place, {
        async verify(_socket: unknown, _given: unknown, context: VerifyContext) {
          const first = context.challenge("one");
          await context.challenge("two").catch((error) => errors.push(error.message));
          await first;
          for (const timeout of [0, -1, NaN, Infinity, 2 ** 31]) {
            await context.challenge("?", { timeout }).catch((error) => errors.push(error.name));
          }
          return true;
        },
      });
      const client = await world.connect();
      client.emit("authentication", {});
      assertEquals(await answer(client, "1"), "one");
      await client.next("authenticated");
      assertEquals(errors.length, 6);
      assert(errors[0]!.includes("Await it"));
      assertEquals(new Set(errors.slice(1)), new Set(["RangeError"]));
    });

    it(`32 of them at most, in one attempt (${place.name})`, async () => {
      const errors: string[] = [];
      const world = await openWorld(place, {
        async verify(_socket: unknown, _given: unknown, { challenge }: VerifyContext) {
          for (let i = 0; i < 33; i++) {
            await challenge(i).catch((error) => errors.push(`${i}: ${error.message}`));
          }
          return { id: "ada" };
        },
      });
      const client = await world.connect();
      client.socket.on("challenge", (question, answer) => answer(question));
      // Each attempt has its own.
      for (let i = 1; i <= 2; i++) {
        await client.signIn();
        const asked = client.received.filter((event) => event === "challenge");
        assertEquals([asked.length, errors.length], [32 * i, i]);
      }
      assertMatch(errors[0]!, /^32: Cannot challenge: the client was asked 32 times/);
    });

    it(`a schema types the answer, and refuses what does not fit (${place.name})`, async () => {
      const codes: (number | string)[] = [];
      const schema = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number));
      const world = await openWorld(place, {
        attempts: 2,
        async verify(_socket: unknown, _given: unknown, { challenge }: VerifyContext) {
          const code: number = await challenge("code?", { schema });
          codes.push(code);
          return code === 123456;
        },
      });
      const client = await world.connect();
      client.emit("authentication", {});
      await answer(client, { code: "secret" });
      assertEquals(await client.next("unauthorized"), [
        { message: "Invalid credentials", code: "invalid_credentials", reconnect: false },
      ]);
      client.emit("authentication", {});
      await answer(client, "123456");
      await client.next("authenticated");
      assertEquals([codes, world.errors], [[123456], []]);
    });

    it(`a schema that throws is a server error, and reported (${place.name})`, async () => {
      const broken = new Error("broken");
      const schema: StandardSchema<string> = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate() {
            throw broken;
          },
        },
      };
      const world = await openWorld(place, {
        verify: async (_socket: unknown, _given: unknown, { challenge }: VerifyContext) =>
          await challenge("?", { schema }) === "right",
      });
      const client = await world.connect();
      client.emit("authentication", {});
      await answer(client, "right");
      assertEquals(await codeOf(client), "server_error");
      assertEquals(world.errors.map(({ error }) => error), [broken]);
    });

    it(`a second attempt meanwhile is ignored (${place.name})`, async () => {
      const world = await openWorld(place, { verify: asking({ one: "1" }) });
      const client = await world.connect();
      client.emit("authentication", {});
      const outcome = await client.socket.emitWithAck("authentication", {});
      assertEquals(outcome.code, "attempt_in_progress");
      await answer(client, "1");
      await client.next("authenticated");
    });

    it(`in a refresh traffic goes on (${place.name})`, async () => {
      let refreshes = 0;
      const ask = asking({ one: "1" });
      const world = await openWorld(place, {
        verify: (...args: Parameters<typeof ask>) =>
          refreshes++ === 0 ? { name: "ada" } : ask(...args),
        userId: ({ name }: User) => name,
      });
      const client = await world.connect();
      await client.signIn();
      client.emit("authentication", {});
      const [, acknowledge] = await client.next("challenge") as [unknown, Answer];
      world.io.emit("news");
      await client.next("news");
      acknowledge("1");
      await client.next("authenticated");
    });

    it(`with a handshake the client is connected first (${place.name})`, async () => {
      for (const [text, event] of [["1", "authenticated"], ["2", "unauthorized"]]) {
        const world = await openWorld(place, {
          handshake: true,
          verify: asking({ one: "1" }),
        });
        const client = openClient(place, world.url, { auth: { token: 1 } });
        await answer(client, text);
        await client.next(event!);
        assertEquals(client.received, ["challenge", event]);
        // One that is refused has its place until it is closed.
        assertEquals(world.auth.stats().pending, text === "1" ? 0 : 1);
      }
    });

    it(`other answers still wait for the gate (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: asking({ one: "1" }),
        connection: "connected",
        outgoing: "pass",
      });
      const client = await world.connect();
      client.socket.on("question", (acknowledge: Answer) => acknowledge("early"));
      const [socket] = await world.log.next("connection") as [Socket];
      socket.emit("question", (text: string) => world.log.push("heard", text));
      await client.next("question");
      client.emit("authentication", {});
      await answer(client, "1");
      assertEquals(world.log.names.includes("heard"), false);
      await client.next("authenticated");
      assertEquals(await world.log.next("heard"), ["early"]);
    });

    it(`that cannot be sent fail the attempt, and nothing else (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (_socket: unknown, _given: unknown, context: VerifyContext) =>
          context.challenge(10n).then(() => true),
      });
      const client = await world.connect();
      client.emit("authentication", {});
      assertEquals(await codeOf(client), "server_error");
      assertEquals(world.errors.map(({ context }) => context.during), ["verify"]);
    });
  }
});
