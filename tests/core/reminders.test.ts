// Revocations among nodes that are cut off from each other now and then, on one fake clock.
import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { Awareness } from "../../src/core/awareness.ts";
import { Guard } from "../../src/core/guard.ts";
import type { Revocation } from "../../src/core/interface.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { runs, withRandom } from "../kit/random.ts";
import { FakeBinding, FakeClock } from "./fakes.ts";

const ADA = { userId: "ada" };
const HOUR = 3_600_000;

/** A node, whose messages reach all others that are not cut off, at once. */
class Node extends FakeBinding {
  readonly guard: Guard<string, unknown>;
  readonly #cluster: Cluster;
  isCutOff = false;
  override readonly clock: FakeClock;

  constructor(cluster: Cluster) {
    super(120_000);
    this.#cluster = cluster;
    this.clock = cluster.clock;
    const policy = resolvePolicy({ verify: () => true }) as Policy<string>;
    this.guard = new Guard(policy, this);
  }

  async tellOthers(revocation: Revocation): Promise<number> {
    return await Promise.resolve(this.#cluster.send(this, [revocation]));
  }

  async remindOthers(revocations: readonly Revocation[]): Promise<void> {
    await Promise.resolve(this.#cluster.send(this, revocations));
  }

  /** Whether a session that began at some time is revoked here. */
  covers(userId: string, since: number, connection?: string): boolean {
    return this.guard.revocations.refusalFor({ userId, since, connection }) !== undefined;
  }
}

class Cluster {
  readonly clock: FakeClock = new FakeClock();
  readonly nodes: Node[] = [];
  messages = 0;

  constructor(count: number) {
    this.clock.advance(1000);
    for (let i = 0; i < count; i++) this.join();
  }

  join(): Node {
    const node = new Node(this);
    this.nodes.push(node);
    return node;
  }

  send(sender: Node, revocations: readonly Revocation[]): number {
    this.messages++;
    if (sender.isCutOff) return 0;
    const others = this.nodes.filter((node) => node !== sender && !node.isCutOff);
    const count = (node: Node) => revocations.reduce((sum, one) => sum + node.guard.hear(one), 0);
    return others.reduce((sum, node) => sum + count(node), 0);
  }

  /** Lets time pass until a node has heard of it; how long that was. */
  until(isSo: () => boolean): number {
    const begun = this.clock.monotonic();
    while (!isSo()) {
      this.clock.advance(50);
      assert(this.clock.monotonic() - begun < HOUR, "It does not happen.");
    }
    return this.clock.monotonic() - begun;
  }
}

describe("a node that was cut off", () => {
  for (const seconds of [1, 3, 30, 600, 1700]) {
    it(`for ${seconds} s hears of a revocation within as long again, and a second`, () => {
      const cluster = new Cluster(3);
      const [first, , cut] = cluster.nodes as [Node, Node, Node];
      cut.isCutOff = true;
      const at = cluster.clock.monotonic();
      void first.guard.revoke({ target: ADA });
      cluster.clock.advance(seconds * 1000);
      cut.isCutOff = false;
      const took = cluster.until(() => cut.covers("ada", at));
      assert(took <= seconds * 1000 * 1.25 + 1250, `${took} ms`);
      // Sessions that have begun since are not meant.
      assertEquals(cut.covers("ada", at + 100), false);
    });
  }

  it("hears of it also when the node that made it is gone", () => {
    const cluster = new Cluster(3);
    const [first, , cut] = cluster.nodes as [Node, Node, Node];
    cut.isCutOff = true;
    void first.guard.revoke({ target: ADA });
    first.isCutOff = true;
    cluster.clock.advance(10_000);
    cut.isCutOff = false;
    cluster.until(() => cut.covers("ada", 1000));
  });

  it("hears of whom it spares, and of what was revoked of those before", () => {
    const cluster = new Cluster(2);
    const [first, cut] = cluster.nodes as [Node, Node];
    cut.isCutOff = true;
    void first.guard.revoke({ target: ADA });
    cluster.clock.advance(5000);
    void first.guard.revoke({ target: ADA, except: "mine" });
    cut.isCutOff = false;
    cluster.until(() => cut.covers("ada", 6000));
    const covered = [1000, 1100, 6000].map((since) => cut.covers("ada", since, "mine"));
    assertEquals(covered, [true, false, false]);
  });

  it("recovers nothing of before until it cannot matter any more", () => {
    const cluster = new Cluster(2);
    const [first, cut] = cluster.nodes as [Node, Node];
    cluster.clock.advance(HOUR);
    const session = { userId: "grace", since: cluster.clock.monotonic() };
    assertEquals(cut.guard.mayRecover(cut.guard.node, session), true);
    cut.isCutOff = true;
    void first.guard.revoke({ target: ADA });
    cluster.clock.advance(10_000);
    cut.isCutOff = false;
    cluster.until(() => cut.covers("ada", 1000));
    // There may be others that it has not heard of yet.
    assertEquals(cut.guard.mayRecover(cut.guard.node, session), false);
    assertEquals(cut.guard.mayRecover(first.guard.node, session), false);
    const fresh = { userId: "grace", since: cluster.clock.monotonic() };
    assertEquals(cut.guard.mayRecover(cut.guard.node, fresh), true);
    cluster.clock.advance(181_000);
    assertEquals(cut.guard.mayRecover(cut.guard.node, session), true);
  });

  it("is not one that has only just started", () => {
    const cluster = new Cluster(1);
    void cluster.nodes[0]!.guard.revoke({ target: ADA });
    cluster.clock.advance(600_000);
    const late = cluster.join();
    cluster.clock.advance(181_000);
    cluster.until(() => late.covers("ada", 1000));
    assertEquals(late.guard.mayRecover("another", { userId: "grace" }), true);
  });
});

describe("what nodes tell each other again", () => {
  for (const count of [2, 3, 50]) {
    it(`is little, and ends, with ${count} nodes`, () => {
      const cluster = new Cluster(count);
      void cluster.nodes[0]!.guard.revoke({ target: ADA });
      cluster.clock.advance(2 * HOUR);
      assert(cluster.messages <= 40, `${cluster.messages} messages`);
      const { messages } = cluster;
      cluster.clock.advance(10 * HOUR);
      assertEquals(cluster.messages, messages);
      assertEquals(cluster.nodes.map((node) => node.covers("ada", 0)), Array(count).fill(false));
    });
  }

  it("is said together, of many", () => {
    const cluster = new Cluster(3);
    for (let i = 0; i < 1000; i++) {
      void cluster.nodes[0]!.guard.revoke({ target: { userId: `${i}` } });
    }
    cluster.messages = 0;
    cluster.clock.advance(HOUR);
    assert(cluster.messages < 1000, `${cluster.messages} messages`);
  });

  it("is bounded: of more than a hundred thousand, the oldest are forgotten", () => {
    const cluster = new Cluster(1);
    const [node] = cluster.nodes as [Node];
    cluster.clock.advance(HOUR);
    const session = { userId: "x", since: cluster.clock.monotonic() };
    cluster.clock.advance(1);
    for (let i = 0; i <= 100_000; i++) {
      node.guard.revocations.revoke({ id: `${i}`, target: { userId: `${i}` }, age: 0 });
    }
    assertEquals([node.covers("0", 0), node.covers("1", 0)], [false, true]);
    // It does not know all any more.
    assertEquals(node.guard.mayRecover(node.guard.node, session), false);
  });

  it("ends the same sessions on all of them, whoever was cut off when", () => {
    const users = ["ada", "grace"];
    const step = fc.oneof(
      fc.record({
        type: fc.constant("revoke" as const),
        node: fc.nat(2),
        userId: fc.constantFrom(...users),
        except: fc.constantFrom(undefined, undefined, "mine", "other"),
      }),
      fc.record({ type: fc.constant("cut" as const), node: fc.nat(2), isCutOff: fc.boolean() }),
      fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
    );
    const steps = fc.array(step, { maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.nat(), (steps, chance) =>
        withRandom(chance, () => {
          const cluster = new Cluster(3);
          const times: number[] = [0, cluster.clock.monotonic()];
          for (const step of steps) {
            if (step.type === "wait") cluster.clock.advance(step.ms);
            else if (step.type === "cut") cluster.nodes[step.node]!.isCutOff = step.isCutOff;
            else {void cluster.nodes[step.node]!.guard.revoke({
                target: { userId: step.userId },
                ...step.except && { except: step.except },
              });}
            times.push(cluster.clock.monotonic());
          }
          for (const node of cluster.nodes) node.isCutOff = false;
          cluster.clock.advance(HOUR / 2);
          for (const userId of users) {
            for (const connection of [undefined, "mine", "other"]) {
              for (const time of times) {
                const answers = cluster.nodes.map((node) => node.covers(userId, time, connection));
                assertEquals(new Set(answers).size, 1);
              }
            }
          }
        })),
      runs(300),
    );
  });
});

describe("a process that was paused", () => {
  it("notices, and one that was busy for a moment does not count", () => {
    const clock = new FakeClock();
    const awareness = new Awareness(clock);
    awareness.watch();
    clock.advance(60_000);
    clock.block(4000);
    clock.advance(10_000);
    assertEquals(awareness.since, 0);
    clock.block(7000);
    clock.advance(1);
    assertEquals(awareness.since, clock.monotonic() - 1);
  });

  it("notices that the machine was suspended, and its monotonic clock stood still", () => {
    const clock = new FakeClock();
    const awareness = new Awareness(clock);
    awareness.watch();
    clock.advance(60_000);
    clock.wallOffset += 3_600_000;
    clock.advance(1000);
    assertEquals(awareness.since, clock.monotonic());
  });
});
