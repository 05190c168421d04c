import { assert, assertEquals, describe, it } from "#testing";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import type { StandardSchema } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** One schema in several libraries: trims the name, wants a password of some length. */
const schemas: Record<string, StandardSchema<Credentials>> = {
  zod: z.object({ username: z.string().trim().min(1), password: z.string().min(3) }),
  "zod, asynchronous": z.object({
    username: z.string().trim().min(1),
    password: z.string().refine((text) => Promise.resolve(text.length >= 3)),
  }),
  valibot: v.object({
    username: v.pipe(v.string(), v.trim(), v.minLength(1)),
    password: v.pipe(v.string(), v.minLength(3)),
  }),
  "valibot, asynchronous": v.objectAsync({
    username: v.pipe(v.string(), v.trim(), v.minLength(1)),
    password: v.pipeAsync(v.string(), v.checkAsync((text) => Promise.resolve(text.length >= 3))),
  }),
  arktype: type({ username: "string.trim", password: "string >= 3" }),
};

const WRONG: unknown[] = [
  undefined,
  null,
  "ada",
  {},
  [],
  { username: "ada" },
  { username: 5, password: "right" },
  { username: "ada", password: "x" },
  { username: { toString: "ada" }, password: ["right"] },
];

describe("credentials by a schema", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, credentials] of Object.entries(schemas)) {
      it(`that fit are what the schema makes of them, others go nowhere, ${name} (${place.name})`, async () => {
        const seen: unknown[] = [];
        const world = await openWorld(place, {
          credentials,
          attempts: 100,
          verify: (_socket: unknown, given: Credentials) => (seen.push(given), true),
          postAuthenticate: (_socket: unknown, given: Credentials) => world.log.push("post", given),
        });
        const client = await world.connect();
        for (const wrong of WRONG) {
          const outcome = await client.socket.emitWithAck("authentication", wrong);
          assertEquals(outcome, {
            ok: false,
            message: "Invalid credentials",
            code: "invalid_credentials",
            reconnect: false,
          });
        }
        await client.signIn({ username: " ada ", password: "right" });
        const fitting = { username: "ada", password: "right" };
        assertEquals([seen, await world.log.next("post")], [[fitting], [fitting]]);
        assertEquals(world.errors, []);
      });
    }

    it(`are needed in handshakes too (${place.name})`, async () => {
      const world = await openWorld(place, { credentials: schemas.zod!, handshake: true });
      const client = openClient(place, world.url, { auth: { username: 5 } });
      const [{ data }] = await client.next("connect_error") as [{ data: { code: string } }];
      assertEquals(data.code, "invalid_credentials");
    });

    it(`count as an attempt if they do not fit (${place.name})`, async () => {
      const world = await openWorld(place, { credentials: schemas.valibot! });
      const client = await world.connect();
      client.emit("authentication", {});
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "invalid_credentials");
    });

    const broken: Record<string, () => never | Promise<never>> = {
      throws() {
        throw new Error("broken");
      },
      rejects: () => Promise.reject(new Error("broken")),
    };
    for (const [how, validate] of Object.entries(broken)) {
      it(`a schema that ${how} is a server error, and lets nobody in (${place.name})`, async () => {
        const world = await openWorld(place, {
          credentials: { "~standard": { version: 1, vendor: "test", validate } },
        });
        const client = await world.connect();
        const outcome = await client.socket.emitWithAck("authentication", {
          username: "ada",
          password: "right",
        });
        assertEquals(outcome.code, "server_error");
        assertEquals(world.errors.map(({ context }) => context.during), ["credentials"]);
      });
    }

    it(`a schema that is slow runs into the deadline (${place.name})`, async () => {
      const validated = Promise.withResolvers<{ value: unknown }>();
      const world = await openWorld(place, {
        timeout: 1000,
        credentials: {
          "~standard": { version: 1, vendor: "test", validate: () => validated.promise },
        },
        verify: () => world.log.push("asked") ?? true,
      });
      const client = await world.connect();
      const outcome = await client.socket.emitWithAck("authentication", {});
      assertEquals(outcome.code, "timeout");
      validated.resolve({ value: {} });
      await client.next("disconnect");
      await world.connect();
      assert(!world.log.names.includes("asked"));
    });
  }
});
