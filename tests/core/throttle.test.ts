// What a limiter counts: failures, and nothing else, in the window in which they were made.
import { assert, assertEquals, describe, it } from "#testing";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { AuthError, type Limiter, type VerifyContext } from "../../mod.ts";
import { Connection } from "../../src/core/connection.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import type { Outcome } from "../../src/protocol.ts";
import { runs } from "../kit/random.ts";
import { FakeClock, FakeGuard, FakePeer } from "./fakes.ts";

/** A limiter as rate-limiter-flexible's, on the fake clock: what it refuses is counted, too. */
class FakeLimiter implements Limiter {
  readonly #clock: FakeClock;
  readonly #points: number;
  readonly #window: number;
  #until = -Infinity;
  consumed = 0;

  constructor(clock: FakeClock, points: number, window = 60_000) {
    this.#clock = clock;
    this.#points = points;
    this.#window = window;
  }
  async consume(): Promise<unknown> {
    this.#begin();
    this.consumed++;
    const answer = {
      consumedPoints: this.consumed,
      remainingPoints: Math.max(this.#points - this.consumed, 0),
      msBeforeNext: this.#until - this.#clock.monotonic(),
    };
    await Promise.resolve();
    if (this.consumed > this.#points) throw answer;
    return answer;
  }
  async reward(_key: string, points: number): Promise<void> {
    await Promise.resolve();
    this.#begin();
    this.consumed -= points;
  }
  #begin(): void {
    if (this.#clock.monotonic() < this.#until) return;
    this.#until = this.#clock.monotonic() + this.#window;
    this.consumed = 0;
  }
}

/** Clients that come at once, and verifications that end when the test says so. */
function setUp(limiterOf: (clock: FakeClock) => Limiter, options: object = {}) {
  const answers: ((user: unknown) => void)[] = [];
  const errors: unknown[] = [];
  const policy = resolvePolicy<string, unknown, unknown>({
    verify: () => new Promise((resolve) => answers.push(resolve)),
    throttle: { limiter: { consume: (key) => limiter.consume(key), reward }, key: () => "key" },
    onError: (error: unknown) => errors.push(error),
    ...options,
  });
  async function reward(key: string, points: number): Promise<unknown> {
    return await limiter.reward!(key, points);
  }
  const guard = new FakeGuard(policy);
  const limiter = limiterOf(guard.clock);
  const outcomes: Outcome[] = [];
  let clients = 0;
  function come(): { connection: Connection<string, unknown>; peer: FakePeer } {
    const connection = new Connection<string, unknown>(guard, {});
    const peer = new FakePeer(`${++clients}`);
    connection.join(peer);
    connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
    return { connection, peer };
  }
  /** Everything that does not wait for the clock has happened after one turn. */
  const settle = () => setImmediate();
  /** Answers whatever is asked, until nothing is. */
  async function answerAll(user: unknown): Promise<number> {
    let count = 0;
    for (await settle(); answers.length > 0; await settle()) {
      for (const answer of answers.splice(0)) {
        count++;
        answer(user);
      }
    }
    return count;
  }
  const codes = () => outcomes.map((outcome) => outcome.ok ? "ok" : outcome.code);
  return { guard, limiter, come, answers, answerAll, settle, outcomes, codes, errors };
}

const memory = (more: object = {}) => () =>
  new RateLimiterMemory({ points: 3, duration: 60, keyPrefix: crypto.randomUUID(), ...more });

describe("a throttle counts failures", () => {
  const limiters: Record<string, (clock: FakeClock) => Limiter> = {
    "on the fake clock": (clock) => new FakeLimiter(clock, 3),
    "in memory": memory(),
    "in memory, blocking": memory({ blockDuration: 600 }),
  };
  for (const [name, limiter] of Object.entries(limiters)) {
    it(`twelve right ones at once are all let in, by a limit of three, ${name}`, async () => {
      const { come, answerAll, codes, errors } = setUp(limiter);
      for (let i = 0; i < 12; i++) come();
      assertEquals(await answerAll("ada"), 12);
      assertEquals([codes(), errors], [Array(12).fill("ok"), []]);
      for (let i = 0; i < 12; i++) come();
      assertEquals(await answerAll("ada"), 12);
    });

    it(`of twelve wrong ones at once only three are looked at, ${name}`, async () => {
      const { come, answerAll, codes } = setUp(limiter);
      for (let i = 0; i < 12; i++) come();
      assertEquals(await answerAll(false), 3);
      const throttled = codes().filter((code) => code === "too_many_attempts");
      assertEquals([throttled.length, codes().length], [9, 12]);
      come();
      assertEquals(await answerAll("ada"), 0);
    });
  }

  it("also those whose client leaves once they are looked at", async () => {
    const { come, settle, guard, answers, codes } = setUp((clock) => new FakeLimiter(clock, 3), {
      timeout: 60_000,
    });
    const clients = [come(), come(), come()];
    await settle();
    assertEquals(answers.length, 3);
    clients[0]!.connection.leave(clients[0]!.peer, "gone");
    for (const { connection } of clients.slice(1)) connection.close();
    // The verifier may yet say yes: others wait for that, five seconds at most.
    come();
    await settle();
    guard.clock.advance(4999);
    await settle();
    assertEquals([codes(), answers.length], [[], 3]);
    guard.clock.advance(1);
    await settle();
    assertEquals([codes(), answers.length], [["too_many_attempts"], 3]);
    // A yes that is late gives its point back, a no does not.
    answers.shift()!("ada");
    answers.shift()!(false);
    await settle();
    for (let i = 0; i < 2; i++) come();
    await settle();
    assertEquals(answers.length, 2);
    for (let i = 0; i < 2; i++) {
      answers.shift()!(false);
      await settle();
    }
    assertEquals(codes(), [
      ...Array(1).fill("too_many_attempts"),
      "authentication_failed",
      "too_many_attempts",
    ]);
  });

  it("not those that it has refused itself, nor those that nobody waits for any more", async () => {
    let limiter: FakeLimiter | undefined;
    const { come, settle, answers, answerAll } = setUp((clock) => {
      return limiter = new FakeLimiter(clock, 3);
    });
    for (let i = 0; i < 3; i++) come();
    await settle();
    // Those who wait for a point leave; none of them has cost one.
    const waiting = [come(), come(), come()];
    await settle();
    for (const { connection } of waiting) connection.close();
    for (const answer of answers.splice(0)) answer(false);
    await settle();
    assertEquals([limiter!.consumed, answers.length], [3, 0]);
    for (let i = 0; i < 5; i++) come();
    assertEquals(await answerAll("ada"), 0);
    assertEquals(limiter!.consumed, 3);
  });

  it("not those that another throttle refuses", async () => {
    const clock = new FakeClock();
    const [first, second] = [new FakeLimiter(clock, 3), new FakeLimiter(clock, 1)];
    const { come, answerAll } = setUp(() => first, {
      throttle: [{ limiter: first, key: () => "a" }, { limiter: second, key: () => "b" }],
    });
    come();
    assertEquals(await answerAll(false), 1);
    come();
    assertEquals(await answerAll(false), 0);
    assertEquals([first.consumed, second.consumed], [1, 1]);
  });

  it("in the window in which they were made: none is given back in the next", async () => {
    let limiter: FakeLimiter | undefined;
    const { come, settle, guard, answers, answerAll } = setUp((clock) => {
      return limiter = new FakeLimiter(clock, 5, 1000);
    }, { timeout: 60_000 });
    come();
    await settle();
    guard.clock.advance(1500);
    answers.splice(0)[0]!("ada");
    await settle();
    for (let i = 0; i < 25; i++) come();
    assertEquals(await answerAll(false), 5);
    assertEquals(limiter!.consumed, 5);
  });

  /** Guesses, each at once with the last refusal, at a verifier that answers as it is told. */
  async function guess(
    count: number,
    answer: (scene: ReturnType<typeof setUp>) => unknown,
    options: object = {},
  ) {
    let limiter: FakeLimiter | undefined;
    let asked = 0;
    const scene = setUp((clock) => limiter = new FakeLimiter(clock, 5, 3_600_000), {
      onError: () => {},
      ...options,
    });
    for (let i = 0; i < count; i++) {
      scene.come();
      await scene.settle();
      asked += scene.answers.length;
      await answer(scene);
      await scene.settle();
      scene.guard.clock.advance(1000);
      await scene.settle();
    }
    return { ...scene, asked, limiter: limiter! };
  }

  it("also where the verifier takes longer to say no than the deadline", async () => {
    const late: ((user: unknown) => void)[] = [];
    const { asked, limiter, codes, settle } = await guess(40, ({ answers, guard }) => {
      late.shift()?.(false);
      late.push(...answers.splice(0));
      guard.clock.advance(1000);
    });
    late.forEach((answer) => answer(false));
    await settle();
    assertEquals([asked, limiter.consumed, codes().slice(0, 5)], [5, 5, Array(5).fill("timeout")]);
  });

  it("also where it has begun just before the deadline", async () => {
    const { asked, limiter } = await guess(40, ({ answers, guard }) => {
      guard.clock.advance(25);
      answers.splice(0).forEach((answer) => answer(false));
    }, { timeout: 25 });
    assertEquals([asked, limiter.consumed], [5, 5]);
  });

  it("whatever a verifier says that does not say yes", async () => {
    const nos: Record<string, (answers: ((user: unknown) => void)[]) => unknown> = {
      "an error": (answers) => answers.shift()?.(Promise.reject(new Error("jwt malformed"))),
      "an AuthError": (answers) => answers.shift()?.(Promise.reject(new AuthError("no"))),
      "no user": (answers) => answers.shift()?.([]),
      "nothing": (answers) => answers.shift(),
    };
    for (const [what, answer] of Object.entries(nos)) {
      const { asked, limiter } = await guess(20, ({ answers }) => answer(answers));
      assertEquals([what, asked, limiter.consumed], [what, 5, 5]);
    }
    for (const error of [true, { code: 401 }, "no", new Error("no")]) {
      let asked = 0;
      const { limiter } = await guess(20, () => {}, {
        verify: undefined,
        authenticate: (_: string, __: unknown, callback: (error: unknown) => void) => {
          asked++;
          callback(error);
        },
      });
      assertEquals([asked, limiter.consumed], [5, 5]);
    }
  });

  it("not a yes, also for one who has expired or was revoked, nor an AuthError that says so", async () => {
    const late = () => Promise.reject(new AuthError("Too late", { code: "expired" }));
    const down = () => Promise.reject(new AuthError("Try later", { code: "server_error" }));
    for (
      const [user, options] of [
        ["ada", {}],
        ["ada", { expiresAt: () => 1 }],
        ["ada", { expiresAt: () => "never" }],
        [down, {}],
        [late, {}],
      ] as const
    ) {
      const { asked, limiter } = await guess(20, ({ answers }) => {
        answers.shift()!(typeof user === "function" ? user() : user);
      }, options);
      assertEquals([asked, limiter.consumed], [20, 0]);
    }
  });

  it("and an attempt does not wait for one that waits for its client", async () => {
    const { come, settle, codes, limiter } = setUp((clock) => new FakeLimiter(clock, 1), {
      timeout: 60_000,
      verify: async (_: string, __: unknown, { challenge }: VerifyContext) => {
        return await challenge("code?") === "right" && "ada";
      },
    });
    const first = come();
    await settle();
    come();
    await settle();
    assertEquals(codes(), ["too_many_attempts"]);
    // One that has answered is waited for again.
    first.peer.answer!("right");
    come();
    await settle();
    assertEquals([codes().slice(1), (limiter as FakeLimiter).consumed], [["ok"], 1]);
  });

  it("and nobody waits for a point of a window that has ended", async () => {
    const { come, settle, guard, answers, codes } = setUp((clock) => {
      return new FakeLimiter(clock, 1, 5000);
    }, { timeout: 60_000 });
    come();
    await settle();
    guard.clock.advance(5000);
    come();
    await settle();
    answers.pop()!(false);
    await settle();
    // One is out, and can only come back too late.
    come();
    await settle();
    assertEquals(codes(), ["authentication_failed", "too_many_attempts"]);
  });

  it("and what is never answered is spent when the window ends, and forgotten", async () => {
    let limiter: FakeLimiter | undefined;
    const { come, settle, guard, answers } = setUp((clock) => {
      return limiter = new FakeLimiter(clock, 3, 5000);
    });
    come();
    await settle();
    guard.clock.advance(5000);
    await settle();
    assertEquals(guard.clock.pending, 0);
    answers[0]!("ada");
    await settle();
    assertEquals(limiter!.consumed, 1);
  });

  it("but what a client was asked, and has not answered in time", async () => {
    let limiter: FakeLimiter | undefined;
    const { come, settle, guard } = setUp((clock) => limiter = new FakeLimiter(clock, 3), {
      timeout: 60_000,
      verify: async (
        _socket: string,
        _credentials: unknown,
        { challenge }: { challenge(data: unknown, options: object): Promise<unknown> },
      ) => await challenge("?", { timeout: 100 }),
    });
    come();
    await settle();
    guard.clock.advance(100);
    await settle();
    assertEquals(limiter!.consumed, 1);
  });

  it("nothing where a key function says so, and everything where it has no key", async () => {
    const keys: [key: unknown, code: string, consumed: number][] = [
      [null, "ok", 0],
      [[], "ok", 0],
      ["a", "ok", 1],
      [["a", "b"], "ok", 2],
      [undefined, "server_error", 0],
      ["", "server_error", 0],
      [[""], "server_error", 0],
      [["a", undefined], "server_error", 0],
    ];
    for (const [key, code, count] of keys) {
      let consumed = 0;
      const limiter = { consume: () => Promise.resolve(++consumed) };
      const { come, answerAll, codes, errors } = setUp(() => limiter, {
        throttle: { limiter, key: () => key },
      });
      come();
      await answerAll("ada");
      assertEquals([codes(), consumed, errors.length], [[code], count, code === "ok" ? 0 : 1]);
    }
  });

  it("in whatever order, and however often, an attempt names its keys", async () => {
    const clock = new FakeClock();
    const limiters = new Map<string, FakeLimiter>();
    const names: string[][] = [["a", "a"], ["a", "b"], ["b", "a"], ["a", "b"]];
    const limiterOf = (key: string) => {
      if (!limiters.has(key)) limiters.set(key, new FakeLimiter(clock, 1));
      return limiters.get(key)!;
    };
    const { come, settle, guard, answerAll, codes } = setUp(() => limiterOf("a"), {
      throttle: {
        limiter: {
          consume: (key: string) => limiterOf(key).consume(),
          reward: (key: string) => limiterOf(key).reward(key, 1),
        },
        key: () => names.shift()!,
      },
    });
    come();
    assertEquals(await answerAll("ada"), 1);
    // These wait for each other, as long as their deadline lets them.
    for (let i = 0; i < 2; i++) come();
    await settle();
    guard.clock.advance(1000);
    come();
    assertEquals(await answerAll("ada"), 1);
    assertEquals(codes(), ["ok", "timeout", "timeout", "ok"]);
  });

  it("and a block of a limiter ends when it ends, also for who tries again too early", async () => {
    const limiter = new RateLimiterMemory({
      ...{ points: 1, duration: 1, blockDuration: 1 },
      keyPrefix: crypto.randomUUID(),
    });
    const { come, answerAll, codes } = setUp(() => limiter, {
      throttle: { limiter, key: () => "key" },
    });
    come();
    await answerAll(false);
    const begun = performance.now();
    // It tries all the while.
    while (!codes().includes("ok")) {
      assert(performance.now() - begun < 20_000, codes().join());
      await new Promise((resolve) => setTimeout(resolve, 100));
      come();
      await answerAll("ada");
    }
  });

  it("and what a node refuses out of its memory gives nobody another guess", async () => {
    let taken = 0;
    const { come, answerAll } = setUp(() => ({
      consume: async () => {
        await Promise.resolve();
        if (taken >= 3) throw { msBeforeNext: 60_000, consumedPoints: 0, remainingPoints: 0 };
        return { consumedPoints: ++taken, remainingPoints: 3 - taken, msBeforeNext: 60_000 };
      },
      reward: async () => void await Promise.resolve(taken--),
    }));
    for (let i = 0; i < 60; i++) come();
    assertEquals(await answerAll(false), 3);
    assertEquals(taken, 3);
  });

  it("and nobody who has left waits in a lane, or is kept there", async () => {
    const { come, settle, answers } = setUp((clock) => new FakeLimiter(clock, 1));
    come();
    await settle();
    const waiting = Array.from({ length: 20 }, () => come());
    await settle();
    for (const { connection } of waiting) connection.close();
    const last = come();
    await settle();
    // The next one is in front.
    answers.shift()!("ada");
    await settle();
    assertEquals(answers.length, 1);
    answers.shift()!("ada");
    await settle();
    assertEquals(last.peer.done.includes("authenticated"), true);
  });

  for (const what of ["consume", "reward"] as const) {
    it(`and a ${what} that is never answered holds nobody up for long`, async () => {
      let limiter: FakeLimiter | undefined;
      let hangs = true;
      const { come, settle, guard, answerAll, errors } = setUp((clock) => {
        return limiter = new FakeLimiter(clock, 1, 1e9);
      }, { timeout: 60_000 });
      const original = limiter![what].bind(limiter) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(limiter!, {
        [what]: (...args: unknown[]) => hangs ? new Promise(() => {}) : original(...args),
      });
      come();
      await answerAll("ada");
      hangs = false;
      guard.clock.advance(5000);
      await settle();
      assertEquals(errors.length, 1);
      limiter!.consumed = 0;
      come();
      assertEquals(await answerAll("ada"), 1);
    });
  }

  it("and a new window is noticed while a point of the last one is out", async () => {
    const { come, settle, guard, answers } = setUp((clock) => new FakeLimiter(clock, 1, 1000), {
      timeout: 60_000,
    });
    come();
    await settle();
    come();
    await settle();
    assertEquals(answers.length, 1);
    guard.clock.advance(1100);
    await settle();
    assertEquals(answers.length, 2);
  });

  it("with limiters that say nothing but yes and no", async () => {
    let points = 3;
    const { come, answerAll } = setUp(() => ({
      consume: async () => void (points > 0 ? points-- : await Promise.reject({ msBeforeNext: 5 })),
      reward: async () => void await Promise.resolve(points++),
    }));
    for (let i = 0; i < 12; i++) come();
    assertEquals(await answerAll("ada"), 12);
    assertEquals(points, 3);
  });

  it("whatever comes in whatever order: what was refused is spent, and nothing else", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("come") },
      fc.constantFrom(
        ...["right", "wrong", "throw", "down", "ask", "reply", "leave", "lose", "wait", "late"],
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        let limiter: FakeLimiter | undefined;
        let refused = 0;
        const asked: { challenge: VerifyContext["challenge"]; answer(user: unknown): void }[] = [];
        const { come, settle, guard } = setUp((clock) => {
          return limiter = new FakeLimiter(clock, 3, 1e9);
        }, {
          attempts: 2,
          verify: (_: string, __: unknown, { challenge }: VerifyContext) =>
            new Promise((answer) => asked.push({ challenge, answer })),
        });
        const clients: ReturnType<typeof come>[] = [];
        const acts: Record<string, () => unknown> = {
          come: () => clients.push(come()),
          right: () => asked.shift()?.answer("ada"),
          wrong: () => refuse(false),
          throw: () => refuse(Promise.reject(new Error("jwt malformed"))),
          down: () => asked.shift()?.answer(failing(new AuthError("", { code: "server_error" }))),
          ask: () => asked[0]?.challenge("?", { timeout: 500 }).catch(() => {}),
          reply: () => clients.forEach(({ peer }) => peer.answer?.("code")),
          leave: () => {
            const first = clients[0];
            if (!first) return;
            first.peer.connected = false;
            first.connection.leave(first.peer, "gone");
          },
          lose: () => clients.shift()?.connection.close(),
          wait: () => guard.clock.advance(300),
          late: () => guard.clock.advance(5000),
        };
        function failing(error: Error): Promise<never> {
          const rejected = Promise.reject(error);
          rejected.catch(() => {});
          return rejected;
        }
        function refuse(answer: unknown): void {
          if (answer instanceof Promise) answer.catch(() => {});
          const first = asked.shift();
          if (!first) return;
          refused++;
          first.answer(answer);
        }
        for (const step of steps) {
          acts[step]!();
          await settle();
          // Each guess that was refused has cost a point; so has each that is not answered yet.
          assertEquals(limiter!.consumed, refused + asked.length, step);
          assert(limiter!.consumed <= 3);
        }
        for (const { connection } of clients) connection.close();
        for (const { answer } of asked.splice(0)) answer("ada");
        await settle();
        assertEquals(limiter!.consumed, refused);
        guard.clock.advance(2000);
        assertEquals(guard.clock.pending, 0);
      }),
      runs(300),
    );
  });
});

describe("a throttle on those who are signed in", () => {
  /** A limiter of one point for each key, with what was consumed of it. */
  function recording() {
    const keys: string[] = [];
    const taken = new Set<string>();
    const limiter: Limiter = {
      consume: async (key) => {
        await Promise.resolve();
        keys.push(key);
        if (taken.has(key)) throw { msBeforeNext: 60_000 };
        taken.add(key);
      },
      reward: async (key) => void await Promise.resolve(taken.delete(key)),
    };
    return { keys, taken, limiter };
  }

  function signedIn(keysOf: (credentials: never) => unknown, more: object = {}) {
    const { keys, taken, limiter } = recording();
    const scene = setUp(() => limiter, {
      throttle: { limiter, key: (_: string, credentials: never) => keysOf(credentials) },
      verify: (_: string, { user }: { user: string }) => user,
      ...more,
    });
    const connection = new Connection<string, unknown>(scene.guard, {});
    const peer = new FakePeer("member");
    connection.join(peer);
    async function submit(credentials: object): Promise<Outcome> {
      let outcome!: Outcome;
      connection.authenticate(peer, credentials, (it) => outcome = it);
      await scene.settle();
      return outcome;
    }
    return { ...scene, keys, taken, submit, peer };
  }

  it("counts a refresh for the session, whatever strangers have done to its keys", async () => {
    const { submit, keys, taken } = signedIn(({ user }: { user: string }) => ["1.2.3.4", user]);
    await submit({ user: "ada" });
    taken.add("1.2.3.4").add("ada");
    keys.length = 0;
    assertEquals((await submit({ user: "ada" })).ok, true);
    assertEquals(keys, ["refresh:ada"]);
  });

  it("counts other keys of a refresh as ever, and keeps the session without a point", async () => {
    const { submit, keys, taken, peer } = signedIn(({ key }: { key: string }) => ["addr", key]);
    await submit({ user: "ada", key: "ada" });
    keys.length = 0;
    taken.add("grace");
    const outcome = await submit({ user: "ada", key: "grace" });
    assertEquals(keys, ["refresh:ada", "grace"]);
    assert(!outcome.ok);
    assertEquals([outcome.code, outcome.kept, outcome.reconnect], [
      "too_many_attempts",
      true,
      false,
    ]);
    assertEquals([peer.session?.userId, taken.has("refresh:ada")], ["ada", false]);
    // What it has signed in under since then is its own.
    taken.delete("grace");
    await submit({ user: "ada", key: "grace" });
    keys.length = 0;
    await submit({ user: "ada", key: "grace" });
    assertEquals(keys, ["refresh:ada"]);
  });

  it("lets no key of a key function be one that refreshes count under", async () => {
    const { submit, keys } = signedIn(({ key }: { key: string }) => key);
    for (const key of ["refresh:ada", ":refresh:ada", "refresh", "::refresh:"]) {
      await submit({ user: "ada", key });
    }
    assertEquals(keys, [":refresh:ada", "::refresh:ada", "refresh", ":::refresh:"]);
  });
});
