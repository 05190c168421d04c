// What becomes of a token that is good: the claims, the user, the session.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import * as z from "zod";
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import { AuthError } from "../../mod.ts";
import { authenticate } from "../../src/client/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { inSeconds, makeKeys, publish, setOf, sign } from "./issuer.ts";
import { type AnyOptions, codeOf, openJwtWorld } from "./kit.ts";

const keys = await makeKeys("one");
const jwks = setOf(keys);

/** What a session is called, by the claims and the options. */
const sessions: Record<
  string,
  [claims: Record<string, unknown>, options: AnyOptions, ids: [unknown, unknown]]
> = {
  "sub": [{}, {}, ["ada", undefined]],
  "sub and sid": [{ sid: "s1", session_id: "s2" }, {}, ["ada", "s1"]],
  "sub and session_id": [{ session_id: "s2" }, {}, ["ada", "s2"]],
  "sub and never jti": [{ jti: "t1" }, {}, ["ada", undefined]],
  "sub, where sid is no text": [{ sid: 5 }, {}, ["ada", undefined]],
  "sub, and not the claim id": [{ id: "eve" }, {}, ["ada", undefined]],
  "what userId says": [{ oid: "o1" }, { userId: ({ oid }) => oid }, ["o1", undefined]],
  "sub, where userId finds nothing": [{ id: "eve" }, { userId: ({ oid }) => oid }, [
    "ada",
    undefined,
  ]],
  "what sessionId says": [{ jti: "t1" }, { sessionId: ({ jti }) => jti }, ["ada", "t1"]],
  "sub, where user finds another id": [{}, { user: () => ({ id: 7 }) }, ["ada", undefined]],
};

describe("a session of a token", () => {
  disposeAfterEach();

  for (const [name, [claims, options, ids]] of Object.entries(sessions)) {
    it(`has the ids ${name}`, async () => {
      const world = await openJwtWorld({ jwks, ...options });
      assertEquals(codeOf(await world.tell(await sign(keys, claims))), "ok");
      assertEquals([world.session?.userId, world.session?.sessionId], ids);
    });
  }

  it("has the claims for a user, and ends with the token", async () => {
    const world = await openJwtWorld({ jwks });
    const exp = inSeconds(600);
    const outcome = await world.tell(await sign(keys, { exp, role: "admin" }));
    assertEquals(codeOf(outcome), "ok");
    const { iss, aud, sub, role } = world.session!.user as never;
    assertEquals([iss, aud, sub, role], ["https://id.example/", "chat", "ada", "admin"]);
    assertEquals(world.session!.expiresAt, exp * 1000);
  });

  it("lasts as long as the token is tolerated", async () => {
    const world = await openJwtWorld({ jwks, clockTolerance: 100 });
    const client = await world.connect();
    const exp = inSeconds(-60);
    assertEquals(codeOf(await world.refresh(client, await sign(keys, { exp }))), "ok");
    assertEquals(world.session!.expiresAt, exp * 1000);
    assert(client.socket.connected);
  });

  it("is not cut by a refresh with a token that has expired", async () => {
    const world = await openJwtWorld({ jwks });
    const client = await world.connect();
    assertEquals(codeOf(await world.refresh(client, await sign(keys))), "ok");
    const late = await world.refresh(client, await sign(keys, { exp: inSeconds(-5) }));
    assertEquals([codeOf(late), "kept" in late && late.kept], ["expired", true]);
    assert(client.socket.connected);
  });

  it("is renewed by another token of the user, and ended by one of another", async () => {
    const world = await openJwtWorld({ jwks });
    const client = await world.connect();
    for (const sub of ["ada", "ada", "eve"]) {
      const outcome = await world.refresh(client, await sign(keys, { sub }));
      assertEquals(codeOf(outcome), sub === "ada" ? "ok" : "subject_mismatch");
    }
    await client.next("disconnect");
  });

  it("is ended by its own revocation", async () => {
    const world = await openJwtWorld({ jwks });
    const client = await world.connect();
    await world.refresh(client, await sign(keys, { sid: "s1" }));
    assertEquals(await world.auth.revoke({ sessionId: "s1" }), 1);
    const [{ code }] = await client.next("unauthorized") as [{ code: string }];
    assertEquals(code, "revoked");
  });

  it("begins by the client module, which takes a new token each time", async () => {
    const { url } = await publish(keys);
    const world = await openJwtWorld({ jwks: url });
    const { socket } = await world.connect();
    const session = authenticate(socket, async () => ({ token: await sign(keys) }));
    assertEquals(await session.ready, true);
    await session.refresh();
    session.stop();
  });
});

const role = { user: z.object({ role: z.enum(["admin", "member"]) }) };

describe("the option claims", () => {
  disposeAfterEach();

  it("refuses what does not fit, and types what does", async () => {
    const world = await openJwtWorld({ jwks, claims: role.user });
    const codes = [];
    for (const role of ["admin", "guest", undefined]) {
      codes.push(codeOf(await world.tell(await sign(keys, { role }))));
    }
    assertEquals(codes, ["ok", "authentication_failed", "authentication_failed"]);
    // The schema leaves out the others, which the session comes of all the same.
    const { user, userId } = world.session!;
    assertEquals([user, userId], [{ role: "admin" } as never, "ada"]);
    assertEquals(world.errors, []);
  });

  it("may make something else of them, and take its time", async () => {
    const claims = v.pipeAsync(
      v.looseObject({ sub: v.string() }),
      v.transformAsync(({ sub }) => Promise.resolve({ name: sub.toUpperCase() })),
    );
    const seen: unknown[] = [];
    const world = await openJwtWorld({
      jwks,
      claims,
      user: (claims) => claims,
      userId(claims) {
        seen.push(claims);
        return claims.name;
      },
    });
    assertEquals(codeOf(await world.tell(await sign(keys))), "ok");
    assertEquals([world.session!.userId, seen], ["ADA", [{ name: "ADA" }]]);
  });

  it("counts before a token is said to have expired", async () => {
    const world = await openJwtWorld({ jwks, claims: role.user });
    const tell = async (role: string) =>
      codeOf(await world.tell(await sign(keys, { role, exp: inSeconds(-5) })));
    assertEquals([await tell("admin"), await tell("guest")], ["expired", "authentication_failed"]);
  });

  it("may fail, which onError is told", async () => {
    const claims = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => Promise.reject(new Error("no schema")),
      },
    } as const;
    const world = await openJwtWorld({ jwks, claims });
    assertEquals(codeOf(await world.tell(await sign(keys))), "server_error");
    assertMatch(String(world.errors[0]!.error), /no schema/);
  });
});

/** Answers of the option `user`, and what their clients are told. */
const users: Record<
  string,
  [user: NonNullable<AnyOptions["user"]>, told: string, errors?: number]
> = {
  "a user": [() => ({ name: "Ada" }), "ok"],
  "a promise of one": [() => Promise.resolve({ name: "Ada" }), "ok"],
  "nothing": [() => undefined, "authentication_failed"],
  "a promise of null": [() => Promise.resolve(null), "authentication_failed"],
  "an AuthError": [() => Promise.reject(new AuthError("Locked", { code: "locked" })), "locked"],
  "an error": [() => Promise.reject(new Error("no database")), "server_error", 1],
  "an error of jose's": [
    () => Promise.reject(Object.assign(new Error("?"), { code: "ERR_JWT_EXPIRED" })),
    "server_error",
    1,
  ],
  "a list of rows": [() => [{ name: "Ada" }], "server_error", 1],
};

describe("the option user", () => {
  disposeAfterEach();

  for (const [name, [user, told, errors = 0]] of Object.entries(users)) {
    it(`may answer with ${name}: ${told}`, async () => {
      const world = await openJwtWorld({ jwks, user });
      assertEquals(codeOf(await world.tell(await sign(keys))), told);
      assertEquals(world.errors.length, errors);
      if (told === "ok") assertEquals(world.session!.user, { name: "Ada" });
    });
  }

  it("is not asked about a token that is not good", async () => {
    let asked = 0;
    const world = await openJwtWorld({ jwks, user: () => ++asked });
    for (const claims of [{ aud: "mail" }, { exp: inSeconds(-5) }, { sub: undefined }]) {
      await world.tell(await sign(keys, claims));
    }
    assertEquals(asked, 0);
  });

  it("is told when its answer has become pointless", async () => {
    const aborted = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const world = await openJwtWorld({
      jwks,
      user(_claims, { signal }) {
        signal.addEventListener("abort", () => aborted.resolve());
        asked.resolve();
        return aborted.promise;
      },
    });
    const client = await world.connect();
    client.emit("authentication", await sign(keys));
    await asked.promise;
    client.socket.disconnect();
    await aborted.promise;
  });
});

describe("a process", () => {
  it("is not kept alive by keys that were fetched, or cannot be", async () => {
    const program = fileURLToPath(new URL("leaving.ts", import.meta.url));
    const args = "Deno" in globalThis
      ? ["run", "-A", "--no-check", "--import-map=tests/testing/import_map.json", program]
      : [program];
    const process = spawn(execPath, args, { stdio: "pipe", timeout: 30_000 });
    let output = "";
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("data", (chunk) => output += chunk);
    }
    const [code, signal] = await once(process, "exit");
    assertEquals([output.trim(), code, signal], ["done", 0, null]);
  });
});
