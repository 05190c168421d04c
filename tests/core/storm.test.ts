// After an outage everybody comes at once, and obeys what they are told.
import { assert, assertEquals, describe, it } from "#testing";
import { Connection } from "../../src/core/connection.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { Spreading } from "../../src/core/spreading.ts";
import type { Unauthorized } from "../../src/protocol.ts";
import { FakeClock, FakeGuard, FakePeer } from "./fakes.ts";

/** Verifies one after the other, so many a second; those nobody waits for too, unless it `heeds`. */
class Verifier {
  readonly #clock: FakeClock;
  readonly #pace: number;
  readonly #heeds: boolean;
  readonly #queue: { readonly answer: (user: string) => void; readonly peer: FakePeer }[] = [];
  #isBusy = false;

  constructor(clock: FakeClock, pace: number, heeds: boolean) {
    this.#clock = clock;
    this.#pace = pace;
    this.#heeds = heeds;
  }
  verify(answer: (user: string) => void, peer: FakePeer): void {
    this.#queue.push({ answer, peer });
    if (!this.#isBusy) this.#next();
  }
  #next(): void {
    while (this.#heeds && this.#queue[0]?.peer.connected === false) this.#queue.shift();
    const first = this.#queue.shift();
    this.#isBusy = first !== undefined;
    if (!first) return;
    this.#clock.after(1000 / this.#pace, () => {
      first.answer("ada");
      this.#next();
    });
  }
}

/** How it went. */
interface Result {
  readonly seconds: number;
  /** How often somebody had to come, on average. */
  readonly tries: number;
}

/** So many clients at once, a verifier of a third of that a second; until all are in. */
function storm(clients: number, heeds: boolean, options: object = {}): Result {
  const policy = resolvePolicy<string, unknown, unknown>({
    authenticate: (_socket, number, callback) =>
      void verifier.verify((user) => callback(null, user), peers[number as number]!),
    onError: () => {},
    ...options,
  });
  const guard = new FakeGuard(policy);
  const { clock } = guard;
  const verifier = new Verifier(clock, clients / 3, heeds);
  const peers: FakePeer[] = [];
  let inside = 0;
  let tries = 0;
  function come(): void {
    tries++;
    const peer = new FakePeer("client");
    const connection = new Connection<string, unknown>(guard, {});
    peer.send = (event: string, payload?: unknown) => {
      if (event === "authenticated") inside++;
      if (event !== "unauthorized") return;
      const { reconnect, retryAfter } = payload as Unauthorized;
      assert(reconnect && retryAfter !== undefined);
      clock.after(retryAfter, come);
    };
    connection.join(peer);
    connection.authenticate(peer, peers.push(peer) - 1, undefined);
  }
  for (let i = 0; i < clients; i++) come();
  while (inside < clients) {
    clock.advance(100);
    assert(clock.monotonic() < 120_000, `${inside} of ${clients} are in after two minutes`);
  }
  const { accepted, timedOut, cut } = guard.journal.stats;
  assertEquals([accepted, timedOut + cut], [clients, tries - clients]);
  return { seconds: clock.monotonic() / 1000, tries: tries / clients };
}

describe("clients that come back as they are told", () => {
  for (const clients of [60, 600, 6000]) {
    for (const heeds of [true, false]) {
      const verifier = heeds ? "stops work nobody waits for" : "does not";
      it(`are all in soon, ${clients} of them, if the verifier ${verifier}`, () => {
        const { seconds, tries } = storm(clients, heeds);
        // It could not be less than three.
        assert(seconds <= 20, `${seconds} s`);
        assert(tries <= 4, `${tries} tries`);
      });
    }
  }

  it("do not wait longer than the verifier needs where they are few", () => {
    // It could not be less than three seconds. A delay that suits 6,000 clients takes three times that.
    const { seconds } = storm(6, true);
    assert(seconds <= 6, `${seconds} s`);
  });

  it("are all in soon, also if most find no place", () => {
    const { seconds } = storm(600, true, { maxPending: 200 });
    assert(seconds <= 20, `${seconds} s`);
  });
});

describe("the spreading of those who come back", () => {
  it("goes by the pace of the verifier, and is bounded", () => {
    const clock = new FakeClock();
    clock.advance(5000);
    const spreading = new Spreading(clock);
    for (let i = 0; i < 20; i++) spreading.served();
    assertEquals(Array.from({ length: 4 }, () => spreading.next()), [500, 600, 700, 800]);
    // However slow the verifier, and also if nobody has been verified for long.
    clock.advance(60_000);
    spreading.served();
    assertEquals([spreading.next(), spreading.next()], [500, 1500]);
    clock.advance(60_000);
    assertEquals([spreading.next(), spreading.next()], [500, 520]);
    for (let i = 0; i < 10_000; i++) {
      const wait = spreading.next();
      assert(wait >= 500 && wait <= 30_000, `${wait} ms`);
    }
    clock.advance(31_000);
    assertEquals(spreading.next(), 500);
  });
});
