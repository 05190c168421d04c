// One session for each user, on nodes whose clocks are wrong, whose messages are late or lost, which
// are cut off and start anew: real cores, one fake time.
import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { Connection } from "../../src/core/connection.ts";
import { Guard } from "../../src/core/guard.ts";
import type { Clock, Revocation } from "../../src/core/interface.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { runs, withRandom } from "../kit/random.ts";
import { FakeBinding, FakeClock, FakePeer } from "./fakes.ts";

const ADA = { userId: "ada" };
/** The longest that a node is cut off: revocations are said again for an hour. */
const LONGEST_CUT = 600_000;
const LATENCY = 500;

interface Setting {
  /** How many milliseconds the clock of each node is wrong by. */
  readonly skews: readonly number[];
  /** How many of a hundred messages are lost. */
  readonly loss: number;
}

/** What happens, and when, in milliseconds. */
type Step =
  & { readonly at: number; readonly node: number }
  & (
    | { readonly type: "sign in"; readonly verifier: number; readonly handler: number }
    | { readonly type: "renew" }
    | { readonly type: "cut"; readonly ms: number }
    | { readonly type: "restart" }
  );

/** One sign-in of ada's, and what has become of it. */
class SignIn {
  readonly node: Node;
  readonly connection: Connection<string, unknown>;
  readonly peer: FakePeer = new FakePeer("socket");
  readonly begunAt: number;
  answer: (user: unknown) => void = () => {};

  constructor(node: Node, now: number) {
    this.node = node;
    this.begunAt = now;
    this.connection = new Connection(node.guard, this);
    this.connection.join(this.peer);
  }

  get isIn(): boolean {
    return !this.node.isGone && this.peer.connected && this.peer.session !== undefined;
  }
}

class Node extends FakeBinding {
  override readonly clock: FakeClock;
  readonly guard: Guard<string, unknown>;
  isCutOff = false;
  isGone = false;
  readonly #world: World;

  constructor(world: World, skew: number) {
    super();
    this.#world = world;
    const { clock } = world;
    // Its clocks are its own, and its timers those of the world.
    const started = clock.monotonic();
    const own: Clock = {
      now: () => clock.now() + skew,
      monotonic: () => clock.monotonic() - started,
      after: (ms, fn) => clock.after(ms, () => this.isGone || fn()),
    };
    this.clock = own as FakeClock;
    const policy = resolvePolicy<string, string, number>({
      verify: (_socket, index) =>
        new Promise((resolve) => world.signIns[index]!.answer = resolve as never),
      userId: (user) => user,
      timeout: "none",
      onError: () => {},
    }) as Policy<string>;
    this.guard = new Guard(policy, this);
    for (const ms of [0, 1000, 5000]) own.after(ms, () => world.send(this, "hello"));
  }

  tellOthers(revocation: Revocation): Promise<number> {
    this.#world.send(this, [revocation]);
    return Promise.resolve(0);
  }

  remindOthers(revocations: readonly Revocation[]): Promise<void> {
    this.#world.send(this, revocations);
    return Promise.resolve();
  }

  hear(sender: Node, message: "hello" | "time" | readonly Revocation[], time: number): void {
    if (this.isGone || this.isCutOff || sender.isCutOff) return;
    this.guard.time.hear(time);
    if (message === "hello") this.#world.send(this, "time");
    if (typeof message === "string") return;
    for (const revocation of message) this.guard.hear(revocation);
  }
}

class World {
  readonly clock: FakeClock = new FakeClock();
  readonly nodes: Node[];
  readonly signIns: SignIn[] = [];
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.nodes = setting.skews.map((skew) => new Node(this, skew));
  }

  /** Late, and perhaps not at all. */
  send(sender: Node, message: "hello" | "time" | readonly Revocation[]): void {
    if (sender.isCutOff) return;
    const time = sender.guard.time.now();
    for (const node of this.nodes) {
      if (node === sender || Math.random() * 100 < this.#setting.loss) continue;
      this.clock.after(Math.random() * LATENCY, () => node.hear(sender, message, time));
    }
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.pass(10_000); // all have said hello
    const begun = this.clock.monotonic();
    for (const step of [...steps].sort((a, b) => a.at - b.at)) {
      await this.pass(begun + step.at - this.clock.monotonic());
      this.#take(step);
    }
    await this.pass(LONGEST_CUT);
    for (const node of this.nodes) node.isCutOff = false;
    // Some of what is said again is lost, too.
    await this.pass(4 * LONGEST_CUT);
  }

  #take(step: Step): void {
    const node = this.nodes[step.node % this.nodes.length]!;
    if (step.type === "sign in") return this.#signIn(node, step.verifier, step.handler);
    if (step.type === "cut") {
      node.isCutOff = true;
      this.clock.after(step.ms, () => node.isCutOff = false);
    } else if (step.type === "restart") {
      node.isGone = true;
      const skew = this.#setting.skews[this.nodes.indexOf(node)]!;
      this.nodes[this.nodes.indexOf(node)] = new Node(this, skew);
    } else {
      const signedIn = this.signIns.find((one) => one.isIn && one.node === node);
      if (signedIn) this.#submit(signedIn, 0);
    }
  }

  #signIn(node: Node, verifier: number, handler: number): void {
    const signIn = new SignIn(node, this.clock.monotonic());
    this.signIns.push(signIn);
    this.#submit(signIn, verifier);
    // As an application does in its connection handler.
    signIn.peer.introduce = () => {
      this.clock.after(handler, () => {
        if (!signIn.isIn) return;
        const { id, stamp } = signIn.connection;
        const olderThan = { time: stamp!, connection: id };
        void node.guard.revoke({ target: ADA, olderThan });
      });
    };
  }

  #submit(signIn: SignIn, verifier: number): void {
    const index = this.signIns.indexOf(signIn);
    signIn.connection.authenticate(signIn.peer, index, undefined);
    const { answer } = signIn;
    this.clock.after(verifier, () => answer("ada"));
  }

  /** Lets time pass, with a turn for promises after each moment in which something happens. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    while (this.clock.monotonic() < end) {
      const left = end - this.clock.monotonic();
      // Verifiers and handlers take their time in the first seconds; then only reminders are due.
      const isBusy = this.signIns.some(({ begunAt }) => this.clock.monotonic() - begunAt < 4000);
      this.clock.advance(Math.min(left, isBusy ? 20 : 20_000));
      for (let i = 0; i < 6; i++) await Promise.resolve();
    }
  }
}

const skew = fc.integer({ min: -100_000, max: 100_000 });
const setting: fc.Arbitrary<Setting> = fc.record({
  skews: fc.array(skew, { minLength: 2, maxLength: 5 }),
  loss: fc.constantFrom(0, 20),
});
const node = fc.nat(4);
const soon = fc.integer({ min: 0, max: 3000 });
const signIn: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("sign in" as const),
  node,
  at: soon,
  verifier: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 })),
  handler: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
});
const renew: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("renew" as const),
  node,
  at: fc.integer({ min: 0, max: 60_000 }),
});
const cut: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("cut" as const),
  node,
  at: soon,
  ms: fc.integer({ min: 1, max: LONGEST_CUT }),
});
const restart: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("restart" as const),
  node,
  at: fc.integer({ min: 0, max: 60_000 }),
});

const signIns = fc.array(signIn, { minLength: 2, maxLength: 4 });
const some = (step: fc.Arbitrary<Step>) => fc.array(step, { maxLength: 3 });

/** What has become of the sign-ins of one world. */
async function play(setting: Setting, steps: readonly Step[], chance: number): Promise<SignIn[]> {
  const world = withRandom(chance, () => new World(setting));
  const { random } = Math;
  // Random for the whole of it, which takes more than one turn.
  let state = chance;
  Math.random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  try {
    await world.run(steps);
  } finally {
    Math.random = random;
  }
  return world.signIns;
}

describe("one session for each user", () => {
  it("is what is left on 2 to 5 nodes: exactly one, mostly the newest", async () => {
    const seen = { rounds: 0, newest: 0, far: 0, farNewest: 0 };
    await fc.assert(
      fc.asyncProperty(
        setting,
        signIns,
        some(renew),
        fc.nat(),
        async (setting, all, more, chance) => {
          const done = await play(setting, [...all, ...more], chance);
          const left = done.filter(({ isIn }) => isIn);
          assertEquals(left.length, 1);
          const [newest, second] = [...done].sort((a, b) => b.begunAt - a.begunAt);
          const isFar = newest!.begunAt - second!.begunAt > LATENCY;
          seen.rounds++;
          if (isFar) seen.far++;
          if (left[0] !== newest) return;
          seen.newest++;
          if (isFar) seen.farNewest++;
        },
      ),
      runs(150),
    );
    // Where one began well after the other, it has heard of that, but for what is lost.
    const what = JSON.stringify(seen);
    assert(seen.newest > seen.rounds * 0.85, what);
    assert(seen.farNewest > seen.far * 0.95, what);
  });

  it("is what is left though nodes are cut off for ten minutes, and start anew", async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[setting, signIns, some(cut), some(restart), some(renew), fc.nat()] as const,
        async (setting, all, cuts, restarts, more, chance) => {
          const done = await play(setting, [...all, ...cuts, ...restarts, ...more], chance);
          const left = done.filter(({ isIn }) => isIn);
          // The one that is left may have been on a node that is gone.
          const isGone = done.some(({ node }) => node.isGone);
          assert(left.length === 1 || isGone && left.length === 0, `${left.length} are left`);
        },
      ),
      runs(150),
    );
  });
});
