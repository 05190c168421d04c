import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { compact } from "../../src/core/compact.ts";
import { Holdings, Ledger } from "../../src/core/holdings.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { type Owner, Waiting } from "../../src/core/waiting.ts";
import { runs } from "../kit/random.ts";

const TOTAL = 5000;

/** What an event of one text costs besides that, as PROTOCOL.md says. */
const OVERHEAD = 128 + 24;

/** A peer at a gate, alone on its connection, with what the binding would do if it is cut. */
class Peer implements Owner {
  readonly policy: Owner["policy"];
  readonly ledger: Ledger;
  readonly cuts: string[] = [];
  readonly waiting: Waiting<string, string>;

  constructor(holdings: Holdings, holdLimit: object = {}, ledger?: Ledger) {
    this.policy = resolvePolicy({ verify: () => true, holdLimit }) as Owner["policy"];
    const giveUp = () => this.cut("server_busy");
    this.ledger = ledger ?? new Ledger(holdings, this.policy.holdLimit, giveUp);
    this.waiting = new Waiting(this);
  }
  cut(code: string): void {
    this.cuts.push(code);
    this.waiting.outwards = "over";
    this.waiting.discard();
  }
  report(): void {}
  receive(size: number): void {
    this.waiting.mayReceive("event", "x".repeat(size), false);
  }
  send(size: number): void {
    this.waiting.maySend("event", "event", "x".repeat(size), false);
  }
}

describe("what is held of all together", () => {
  it("is bounded: whoever holds most is cut, and nobody else", () => {
    const holdings = new Holdings(TOTAL);
    const [small, large, late] = [1, 2, 3].map(() => new Peer(holdings)) as [Peer, Peer, Peer];
    small.receive(500);
    for (let i = 0; i < 4; i++) large.receive(800);
    assertEquals(holdings.total, 501 + 4 * 801 + 5 * OVERHEAD);
    late.receive(800);
    assertEquals([small.cuts, large.cuts, late.cuts], [[], ["server_busy"], []]);
    assertEquals(holdings.total, 501 + 801 + 2 * OVERHEAD);
    assertEquals(late.waiting.takeIncoming().length, 1);
  });

  it("is freed at once, in both directions, before anybody else is looked at", () => {
    const holdings = new Holdings(TOTAL);
    const [both, innocent] = [new Peer(holdings), new Peer(holdings)];
    both.receive(200);
    both.send(2500);
    innocent.receive(2000);
    assertEquals([both.cuts, innocent.cuts], [["server_busy"], []]);
    assertEquals(holdings.total, 2001 + OVERHEAD);
  });

  it("may be the one whose event was too much", () => {
    const holdings = new Holdings(TOTAL);
    const peer = new Peer(holdings);
    peer.receive(TOTAL);
    assertEquals([peer.cuts, holdings.total], [["server_busy"], 0]);
  });

  it("is what each of them holds, whatever comes and goes, and never over the limit", () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.constantFrom(
        "receive",
        "receive",
        "send",
        "takeIncoming",
        "takeOutgoing",
        "discard",
      ),
      size: fc.nat(900),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const holdings = new Holdings(TOTAL);
        const peers = Array.from({ length: 5 }, () => new Peer(holdings));
        for (const { who, what, size } of steps) {
          const peer = peers[who]!;
          if (what === "receive" || what === "send") peer[what](size);
          else peer.waiting[what as "discard"]();
          const sum = peers.reduce((sum, { ledger }) => sum + ledger.cost, 0);
          assertEquals(holdings.total, sum);
          assert(sum <= TOTAL);
          assertEquals(peers.every(({ cuts }) => cuts.length <= 1), true);
        }
        for (const { waiting } of peers) waiting.discard();
        assertEquals(holdings.total, 0);
      }),
      runs(),
    );
  });

  it("finds the largest also when costs have become smaller", () => {
    const holdings = new Holdings(TOTAL);
    const [a, b] = [new Peer(holdings), new Peer(holdings)];
    a.receive(3000);
    b.receive(1000);
    a.waiting.takeIncoming();
    a.receive(500);
    b.receive(4000);
    assertEquals([a.cuts, b.cuts], [[], ["server_busy"]]);
  });

  it("is that of a whole connection: its limits hold for all its sockets together", () => {
    const holdings = new Holdings(1e6);
    const first = new Peer(holdings, { events: 3, bytes: 1000 });
    const second = new Peer(holdings, {}, first.ledger);
    for (const peer of [first, second, first]) peer.receive(10);
    second.receive(10);
    assertEquals([first.cuts, second.cuts], [[], ["too_many_events"]]);
    // What one of them gives back, the other may have.
    for (let i = 0; i < 2; i++) first.receive(10);
    assertEquals(first.cuts, ["too_many_events"]);
    assertEquals(holdings.total, 0);
  });

  it("counts a kibibyte for each socket of a connection but the first, and cuts the connection", () => {
    const holdings = new Holdings(10_000);
    const cuts: string[] = [];
    const limit = resolvePolicy({ verify: () => true }).holdLimit;
    const many = new Ledger(holdings, limit, () => cuts.push("many"));
    many.countSockets(8);
    assertEquals(many.cost, 8 * 1024);
    const honest = new Peer(holdings);
    for (let i = 0; i < 12; i++) honest.receive(20);
    assertEquals([cuts, holdings.total < 10_000], [["many"], true]);
    // Once its sockets are gone, it counts as ever.
    many.countSockets(0);
    many.countSockets(1);
    assertEquals([honest.cuts, many.cost], [[], 1024]);
  });
});

describe("binary data that is held", () => {
  it("is copied if it is a small part of what it would keep in memory", () => {
    const chunk = new Uint8Array(64_000).fill(7);
    const small = chunk.subarray(100, 101);
    const large = chunk.subarray(0, 60_000);
    const message = ["event", { deep: [small] }, large, "text", null, 5];
    compact(message);
    const [copy] = (message[1] as { deep: Uint8Array[] }).deep;
    assertEquals([...copy!], [7]);
    assertEquals(copy!.buffer.byteLength, 1);
    assertEquals((message[2] as Uint8Array).buffer, chunk.buffer);
  });

  it("is what it was: a Buffer stays one", () => {
    const { Buffer } = globalThis as unknown as {
      Buffer: { alloc(n: number): Uint8Array; isBuffer(value: unknown): boolean };
    };
    // Deno has none unless it is imported.
    if (!Buffer) return;
    const message = [Buffer.alloc(64_000).subarray(0, 2)];
    compact(message);
    assertEquals([Buffer.isBuffer(message[0]), message[0]!.length], [true, 2]);
    assertEquals(message[0]!.buffer.byteLength, 2);
  });
});
