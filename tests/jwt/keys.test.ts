// Keys that are fetched: when, how often, and what happens while they cannot be had.
import { createRemoteJWKSet } from "jose";
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Declined } from "../../mod.ts";
import { jwt } from "../../src/jwt/jwt.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import {
  answerWith,
  type Endpoint,
  makeKeys,
  OUTAGES,
  publish,
  setOf,
  sign,
  skip,
  stop,
} from "./issuer.ts";
import { codeOf, openGuarded, openJwtWorld } from "./kit.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const old = await makeKeys("old");
const young = await makeKeys("young");
const strange = await makeKeys("strange");

/** Resolves once so many requests have come. */
async function requested(endpoint: Endpoint, count: number): Promise<void> {
  const { answer } = endpoint;
  if (endpoint.requests >= count) return;
  await new Promise<void>((resolve) => {
    endpoint.answer = (response) => {
      answer(response);
      if (endpoint.requests >= count) resolve();
    };
  });
  endpoint.answer = answer;
}

/** Counts the fetches. What breaks off, Deno and Bun request again by themselves. */
function countFetches(): { count: number } {
  const { fetch } = globalThis;
  const fetches = { count: 0 };
  globalThis.fetch = ((...request: Parameters<typeof fetch>) => {
    fetches.count++;
    return fetch(...request);
  }) as typeof fetch;
  onDispose(() => void (globalThis.fetch = fetch));
  return fetches;
}

describe("keys at a URL", () => {
  disposeAfterEach();

  it("are fetched before any client comes, and once for all that come", async () => {
    const endpoint = await publish(old);
    const world = await openJwtWorld({ jwks: new URL(endpoint.url) });
    await requested(endpoint, 1);
    const token = await sign(old);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => world.tell(token)));
    assertEquals(outcomes.map(codeOf), outcomes.map(() => "ok"));
    assertEquals(endpoint.requests, 1);
  });

  it("that are new are found once jose has cooled down, and until then that client may come back", async () => {
    const endpoint = await publish(old);
    const world = await openJwtWorld({ jwks: endpoint.url });
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    endpoint.answer = answerWith(setOf(old, young));
    const early = await world.tell(await sign(young)) as Declined;
    assertEquals([early.code, early.reconnect], ["server_error", true]);
    assert(early.retryAfter! > 20 * SECOND && early.retryAfter! <= 30 * SECOND);
    skip(31 * SECOND);
    assertEquals(codeOf(await world.tell(await sign(young))), "ok");
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    assertEquals(endpoint.requests, 2);
    assertEquals(world.errors, []);
  });

  it("that the issuer does not have are looked for once in 30 seconds", async () => {
    const endpoint = await publish(old);
    const world = await openJwtWorld({ jwks: endpoint.url });
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    const token = await sign(strange);
    for (const round of [1, 2]) {
      skip(31 * SECOND);
      // It is not among those that were fetched for it.
      assertEquals(codeOf(await world.tell(token)), "authentication_failed");
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => world.tell(token)));
      assertEquals(outcomes.map(codeOf), outcomes.map(() => "server_error"));
      assertEquals(endpoint.requests, 1 + round);
    }
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    assertEquals(world.errors, []);
  });

  it("that are gone are good no longer than ten minutes", async () => {
    const endpoint = await publish(old);
    const world = await openJwtWorld({ jwks: endpoint.url });
    const token = await sign(old);
    assertEquals(codeOf(await world.tell(token)), "ok");
    endpoint.answer = answerWith(setOf(young));
    skip(9 * MINUTE);
    assertEquals(codeOf(await world.tell(token)), "ok");
    assertEquals(endpoint.requests, 1);
    skip(2 * MINUTE);
    assertEquals(codeOf(await world.tell(token)), "server_error");
    assertEquals(codeOf(await world.tell(await sign(young))), "ok");
    assertEquals(endpoint.requests, 2);
  });

  it("may be none at all", async () => {
    const endpoint = await publish();
    const world = await openJwtWorld({ jwks: endpoint.url });
    const token = await sign(old);
    await world.tell(token);
    skip(31 * SECOND);
    assertEquals(codeOf(await world.tell(token)), "authentication_failed");
    assertEquals(codeOf(await world.tell(token)), "server_error");
    assertEquals(world.errors, []);
  });

  it("may be broken, which onError is told", async () => {
    const endpoint = await publish();
    endpoint.answer = answerWith({ keys: [{ kty: "EC", crv: "P-256", alg: "ES256", kid: "old" }] });
    const world = await openJwtWorld({ jwks: endpoint.url });
    await requested(endpoint, 1);
    assertEquals(codeOf(await world.tell(await sign(old))), "server_error");
    assertMatch(String(world.errors[0]!.error), /no key could be obtained/);
  });

  it("may be many", async () => {
    const endpoint = await publish();
    const { keys } = setOf(old);
    const others = Array.from({ length: 5_000 }, (_, n) => ({ ...strange.jwk, kid: `k${n}` }));
    endpoint.answer = answerWith({ keys: [...others, ...keys] });
    const world = await openJwtWorld({ jwks: endpoint.url });
    await requested(endpoint, 1);
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    // It does not say which: some are tried.
    const { kid: _, ...jwk } = old.jwk;
    assertEquals(codeOf(await world.tell(await sign({ ...old, jwk }))), "authentication_failed");
  });

  for (const [outage, answer] of Object.entries(OUTAGES)) {
    it(`cannot be had where it ${outage}: the client may come back, and onError is told why`, async () => {
      const endpoint = await publish(old);
      const { answer: works } = endpoint;
      endpoint.answer = answer;
      // A sign-in does not wait for as long as a fetch does.
      const world = await openJwtWorld({ jwks: endpoint.url }, { timeout: 4.5 * SECOND });
      const token = await sign(old);
      const told = await world.tell(token) as Declined;
      assertEquals([told.code, told.reconnect], ["server_error", true]);
      assertEquals(world.errors.map(({ context }) => context.during), ["verify"]);
      assertMatch(String(world.errors[0]!.error), /no key could be obtained from http:/);
      // What hangs is given up by itself, after five seconds.
      if (outage === "says nothing" || outage === "answers with half of it") return;
      stop();
      const { requests } = endpoint;
      for (let i = 0; i < 5; i++) await world.tell(token);
      assertEquals(endpoint.requests, requests);
      endpoint.answer = works;
      skip(2 * SECOND);
      assertEquals(codeOf(await world.tell(token)), "ok");
    });

    it(`are good for an hour where it ${outage}`, async () => {
      const endpoint = await publish(old);
      const fetches = countFetches();
      const world = await openJwtWorld({ jwks: endpoint.url });
      const token = await sign(old);
      const client = await world.connect();
      assertEquals(codeOf(await world.refresh(client, token)), "ok");
      endpoint.answer = answer;
      skip(11 * MINUTE);
      // A refresh, and one who comes now.
      assertEquals(codeOf(await world.refresh(client, token)), "ok");
      assertEquals(codeOf(await world.tell(token)), "ok");
      assertEquals(fetches.count, 2);
      skip(48 * MINUTE);
      assertEquals(codeOf(await world.tell(token)), "ok");
      assertEquals(world.errors, []);
      skip(2 * MINUTE);
      assertEquals(codeOf(await world.tell(token)), "server_error");
      assertEquals(world.errors.length, 1);
      // The session goes on.
      const kept = await world.refresh(client, token) as Declined;
      assertEquals([kept.code, kept.kept], ["server_error", true]);
      assert(client.socket.connected);
    });
  }

  it("cannot be had where nothing listens", async () => {
    const world = await openJwtWorld({ jwks: "http://127.0.0.1:1/jwks.json" });
    assertEquals(codeOf(await world.tell(await sign(old))), "server_error");
    assertEquals(world.errors.length, 1);
  });

  it("cost no point of a throttle while they cannot be had", async () => {
    const endpoint = await publish();
    endpoint.answer = OUTAGES["answers 500"]!;
    let points = 0;
    const limiter = {
      consume: () => Promise.resolve(points++),
      reward: () => Promise.resolve(points--),
    };
    const world = await openJwtWorld({ jwks: endpoint.url }, { throttle: { limiter } });
    assertEquals(codeOf(await world.tell(await sign(old))), "server_error");
    assertEquals(points, 0);
    endpoint.answer = answerWith(setOf(old));
    skip(2 * SECOND);
    const outcomes = [];
    for (const key of [old, strange]) outcomes.push(codeOf(await world.tell(await sign(key))));
    outcomes.push(codeOf(await world.tell(await sign(old, { exp: 1e9 }))));
    assertEquals([outcomes, points], [["ok", "server_error", "expired"], 0]);
    assertEquals(codeOf(await world.tell(`${await sign(old)}x`)), "authentication_failed");
    assertEquals(codeOf(await world.tell(7)), "invalid_credentials");
    assertEquals(points, 2);
  });
});

describe("a getter of jose", () => {
  disposeAfterEach();

  it("finds the keys, which are fetched before any client comes", async () => {
    const endpoint = await publish(old);
    const jwks = createRemoteJWKSet(new URL(endpoint.url));
    const world = await openJwtWorld({ jwks });
    await requested(endpoint, 1);
    assertEquals(codeOf(await world.tell(await sign(old))), "ok");
    const told = await world.tell(await sign(strange)) as Declined;
    assertEquals([told.code, told.retryAfter], ["server_error", 30 * SECOND]);
    assertEquals([endpoint.requests, world.errors.length], [1, 0]);
  });

  it("may fail, which onError is told", async () => {
    const jwks = () => Promise.reject(new Error("no such file"));
    const world = await openJwtWorld({ jwks });
    assertEquals(codeOf(await world.tell(await sign(old))), "server_error");
    assertMatch(String(world.errors[0]!.error), /no such file/);
  });
});

describe("several issuers", () => {
  disposeAfterEach();

  const audience = "chat";
  const A = "https://a.example/";
  const B = "https://b.example/";

  it("have each its own keys, also of one kid", async () => {
    const [a, b] = [await makeKeys("same"), await makeKeys("same")];
    const [atA, atB] = [await publish(a), await publish(b)];
    const guarding = jwt([
      { jwks: atA.url, issuer: A, audience },
      { jwks: atB.url, issuer: B, audience },
    ]);
    const world = await openGuarded(guarding);
    const told = async (key: typeof a, iss: unknown) =>
      codeOf(await world.tell(await sign(key, { iss })));
    assertEquals(await told(a, A), "ok");
    assertEquals(world.session?.userId, `${A} ada`);
    assertEquals(await told(b, B), "ok");
    assertEquals(world.session?.userId, `${B} ada`);
    for (const [key, iss] of [[a, B], [b, A], [a, "https://c.example/"], [a, undefined]] as const) {
      assertEquals(await told(key, iss), "authentication_failed");
    }
    for (const iss of ["__proto__", "constructor", [A], { A }, 1, null]) {
      assertEquals(await told(a, iss), "authentication_failed");
    }
    assertEquals(codeOf(await world.tell("nonsense")), "authentication_failed");
    assertEquals(world.errors, []);
  });

  it("do not wait for each other", async () => {
    const a = await makeKeys("a");
    const [atA, atB] = [await publish(a), await publish()];
    atB.answer = OUTAGES["says nothing"]!;
    const world = await openGuarded(jwt([
      { jwks: atA.url, issuer: A, audience },
      { jwks: atB.url, issuer: B, audience },
    ]));
    assertEquals(codeOf(await world.tell(await sign(a, { iss: A }))), "ok");
    assertEquals(codeOf(await world.tell(await sign(a, { iss: B }))), "server_error");
  });

  it("may have the same keys, and users of their own all the same", async () => {
    const world = await openJwtWorld({ jwks: setOf(old), issuer: [A, B] });
    for (const iss of [A, B]) {
      assertEquals(codeOf(await world.tell(await sign(old, { iss }))), "ok");
      assertEquals(world.session?.userId, `${iss} ada`);
    }
  });
});
