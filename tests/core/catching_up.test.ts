// Peers that were recovered, and have to fetch what they have missed before they are admitted.
import { assertEquals, describe, it } from "#testing";
import { Connection } from "../../src/core/connection.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { FakeGuard, FakePeer } from "./fakes.ts";

type Callback = (error: unknown, user?: string) => void;

/** A peer that catches up when the test says so. */
class LatePeer extends FakePeer {
  isBehind = true;
  readonly catching: PromiseWithResolvers<void> = Promise.withResolvers();
  override previous = { userId: "ada" };

  async catchUp(): Promise<void> {
    this.done.push("catch up");
    await this.catching.promise;
    this.isBehind = false;
  }
  fallBehind(): void {
    this.done.push("fall behind");
  }
}

function setUp(options: object = {}) {
  const errors: unknown[] = [];
  const users: string[] = [];
  const guard = new FakeGuard(
    resolvePolicy<string, string, unknown>({
      verify: () => users.shift()!,
      userId: (user) => user,
      onError: (error: unknown) => errors.push(error),
      ...options,
    }),
    60_000,
  );
  const connection = new Connection<string, unknown>(guard, {});
  function signIn(peer: FakePeer, user: string): void {
    users.push(user);
    connection.authenticate(
      peer,
      {},
      (outcome) => peer.done.push(outcome.ok ? "ok" : outcome.code),
    );
  }
  return { guard, connection, signIn, errors };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const late = () => new LatePeer("late");

describe("recovered peers", () => {
  it("are admitted once all of them have caught up, of which the verifier knows nothing", async () => {
    const { connection, signIn, guard } = setUp();
    const [a, b] = [late(), late()];
    for (const peer of [a, b]) connection.join(peer);
    signIn(a, "ada");
    await settle();
    a.catching.resolve();
    await settle();
    assertEquals([a.session, guard.journal.stats.accepted], [undefined, 0]);
    signIn(b, "ada");
    b.catching.resolve();
    await settle();
    assertEquals(a.done, [...["catch up", "authenticated", "ok"], "open", "introduce", "deliver"]);
    assertEquals(b.done, [
      ...["catch up", "attempt_in_progress", "authenticated"],
      ...["open", "introduce", "deliver"],
    ]);
  });

  it("join a session only when they have caught up, and get the one that is in force then", async () => {
    const { connection, signIn } = setUp();
    const [a, b] = [new FakePeer("a"), late()];
    connection.join(a);
    signIn(a, "ada");
    await settle();
    connection.join(b);
    const before = a.session;
    signIn(a, "ada");
    await settle();
    assertEquals([b.done, b.session], [["catch up"], undefined]);
    b.catching.resolve();
    await settle();
    assertEquals([b.session === a.session, b.session === before], [true, false]);
  });

  it("that cannot catch up end the connection, which may begin anew", async () => {
    const { connection, signIn, guard, errors } = setUp({ attempts: 3 });
    const peer = late();
    connection.join(peer);
    signIn(peer, "ada");
    await settle();
    peer.catching.reject(new Error("down"));
    await settle();
    assertEquals(peer.done.filter((what) => what.includes("server_error")).length, 2);
    guard.clock.advance(1000);
    assertEquals([guard.isClosed, errors.length, peer.connected], [true, 1, false]);
  });

  it("end nothing if the attempt that they were for is over", async () => {
    const { connection, signIn, guard } = setUp({ attempts: 3, timeout: 60_000 });
    const [peer, other] = [late(), new FakePeer("other")];
    connection.join(peer);
    connection.join(other);
    signIn(other, "ada");
    await settle();
    assertEquals(peer.done, ["catch up"]);
    other.connected = false;
    connection.leave(other, "left");
    peer.catching.reject(new Error("down"));
    await settle();
    guard.clock.advance(2000);
    assertEquals([peer.connected, guard.isClosed], [true, false]);
  });

  it("are waited for by the first answer, which no later one takes back", async () => {
    const { connection, guard } = setUp({
      verify: undefined,
      authenticate(_socket: string, _credentials: unknown, done: Callback) {
        done(null, "ada");
        done(new Error("too late"));
        done(null, "eve");
      },
    });
    const peer = late();
    connection.join(peer);
    connection.authenticate(peer, {}, undefined);
    peer.catching.resolve();
    await settle();
    assertEquals(peer.session?.userId, "ada");
    assertEquals([guard.journal.stats.accepted, guard.journal.stats.refused], [1, 0]);
  });

  it("are not asked to for another user", async () => {
    const { connection, signIn } = setUp();
    const peer = late();
    connection.join(peer);
    signIn(peer, "eve");
    await settle();
    assertEquals(peer.done.includes("catch up"), false);
    assertEquals(peer.done.includes("unauthorized subject_mismatch"), true);
  });

  it("that fail when another user is there already end nobody", async () => {
    const { connection, signIn, guard, errors } = setUp();
    const [a, b, next] = [new FakePeer("a"), late(), new FakePeer("next")];
    connection.join(a);
    signIn(a, "ada");
    await settle();
    connection.join(b);
    connection.signOut();
    connection.join(next);
    signIn(next, "grace");
    await settle();
    b.catching.reject(new Error("late"));
    await settle();
    assertEquals([guard.isClosed, errors, next.connected], [false, [], true]);
    assertEquals(b.done.includes("authenticated"), false);
  });

  it("whose attempt comes to nothing fall behind again", async () => {
    for (const end of ["refused", "left"]) {
      const { connection, signIn, guard } = setUp({ attempts: 3 });
      const [a, b] = [late(), late()];
      for (const peer of [a, b]) connection.join(peer);
      signIn(a, "ada");
      await settle();
      if (end === "left") {
        connection.leave(a, "gone");
        a.connected = false;
      } else {
        guard.revocations.revoke({ id: "1", target: { userId: "ada" }, age: -1 });
      }
      a.catching.resolve();
      await settle();
      assertEquals(b.done.at(-1) === "fall behind" || !b.connected, true, end);
      assertEquals(b.done.includes("open"), false);
    }
  });

  it("that leave in the middle hold nobody up", async () => {
    const { connection, signIn } = setUp();
    const [a, b] = [new FakePeer("a"), late()];
    for (const peer of [a, b]) connection.join(peer);
    signIn(a, "ada");
    await settle();
    connection.leave(b, "gone");
    b.connected = false;
    b.catching.reject(new Error("gone"));
    await settle();
    assertEquals(a.done.includes("authenticated"), true);
  });
});
