import { assert, assertEquals, describe, it } from "#testing";
import fc from "fast-check";
import { isOlder } from "../../src/core/cluster_time.ts";
import { Connection } from "../../src/core/connection.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { type Outcome, unauthorized } from "../../src/protocol.ts";
import { type Revocable, Revocations, type Whose } from "../../src/core/revocations.ts";
import { runs } from "../kit/random.ts";
import type { Revocation } from "../../src/core/interface.ts";
import { FakeClock, FakeGuard, FakePeer } from "./fakes.ts";

const ADA = { userId: "ada" };
/** Longer than they are remembered anyway. */
const RETENTION = 7_200_000;

function setUp() {
  const clock = new FakeClock();
  clock.advance(5000);
  return { clock, revocations: new Revocations(clock, RETENTION) };
}

function covers(revocations: Revocations, whose: Whose): boolean {
  return revocations.refusalFor(whose) !== undefined;
}

/** Something to revoke that writes down when it was. */
class Target implements Revocable {
  verifyingSince: number | undefined;
  id = "target";
  /** The latest time that a session of Ada's may have begun to be meant, for each revocation. */
  readonly revokedAt: number[] = [];
  /** The ends that her session has been given. */
  readonly limits: number[] = [];

  concerns(): boolean {
    return true;
  }

  revoke(isMeant: (whose: Whose) => boolean): number {
    const last = range(10_000).findLast((since) => isMeant({ ...ADA, since }));
    return last === undefined ? 0 : this.revokedAt.push(last);
  }

  limit(isMeant: (whose: Whose) => boolean, until: number): number {
    return isMeant({ ...ADA, since: 5000 }) ? this.limits.push(until) : 0;
  }
}

/** Sessions of Ada's of all kinds. */
function sessionsOf(times: readonly number[]): Whose[] {
  return times.flatMap((since) =>
    [1, 3].flatMap((stamp) =>
      ["a", "b", "d", undefined].flatMap((connection) =>
        ["s", "u"].map((sessionId) => ({ ...ADA, since, stamp, connection, sessionId }))
      )
    )
  );
}

/** Whether a revocation means a session, by the letter. */
function isMeantBy(one: Partial<Revocation>, whose: Whose, now: number): boolean {
  const { age, except, exceptSession, olderThan } = one;
  if (olderThan) {
    const { stamp = 0, connection = "" } = whose;
    const isOlder = stamp < olderThan.time ||
      stamp === olderThan.time && connection < olderThan.connection;
    return isOlder && connection !== olderThan.connection;
  }
  const isSpared = except !== undefined && except === whose.connection ||
    exceptSession !== undefined && exceptSession === whose.sessionId;
  return !isSpared && whose.since! <= now - age!;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

describe("revocations", () => {
  it("are carried out once, however often they are heard of", () => {
    const { revocations } = setUp();
    const target = new Target();
    revocations.connections.add(target);
    const counts = [1, 2].map(() => revocations.revoke({ id: "1", target: ADA, age: 0 }));
    assertEquals([counts, target.revokedAt], [[1, 1], [5000]]);
    revocations.connections.delete(target);
    assertEquals(revocations.revoke({ id: "2", target: ADA, age: 0 }), 0);
  });

  it("are in force before anything that they end can do anything", () => {
    const { revocations } = setUp();
    const seen: boolean[] = [];
    const target = new Target();
    target.revoke = () => seen.push(covers(revocations, { ...ADA, since: 5000 }));
    revocations.connections.add(target);
    revocations.revoke({ id: "1", target: ADA, age: 0 });
    assertEquals(seen, [true]);
  });

  it("heard of late, concern what began before they were made", () => {
    const { revocations } = setUp();
    const target = new Target();
    revocations.connections.add(target);
    revocations.revoke({ id: "1", target: ADA, age: 300 });
    assertEquals(target.revokedAt, [4700]);
    assertEquals([4699, 4700, 4701].map((since) => covers(revocations, { ...ADA, since })), [
      ...[true, true, false],
    ]);
    // An older one than what is known already changes nothing that is known.
    revocations.revoke({ id: "0", target: ADA, age: 400 });
    assertEquals(covers(revocations, { ...ADA, since: 4700 }), true);
  });

  it("heard of late say that a node was cut off, unless it knows what they say", () => {
    const { clock, revocations } = setUp();
    clock.advance(60_000);
    const { since } = revocations.awareness;
    revocations.revoke({ id: "1", target: ADA, age: 0 });
    revocations.revoke({ id: "0", target: ADA, age: 10_000 });
    assertEquals(revocations.awareness.since, since);
    revocations.revoke({ id: "2", target: { userId: "grace" }, age: 10_000 });
    assertEquals(revocations.awareness.since, clock.monotonic());
  });

  it("spare one connection, and nothing that others have revoked of it", () => {
    const { revocations } = setUp();
    const [mine, other] = ["mine", "other"].map((id) => {
      const target = new Target();
      target.id = id;
      revocations.connections.add(target);
      return target;
    });
    assertEquals(revocations.revoke({ id: "1", target: ADA, age: 0, except: "mine" }), 1);
    assertEquals([mine!.revokedAt, other!.revokedAt], [[], [5000]]);
    const covered = (since: number) =>
      ["mine", "other", undefined].map((id) =>
        covers(revocations, { ...ADA, since, connection: id })
      );
    assertEquals(covered(5000), [false, true, true]);
  });

  it("are the same in whatever order they come, whomever they spare", () => {
    const revocation = fc.record({
      id: fc.uuid(),
      age: fc.constantFrom(0, 1, 2, 3),
      except: fc.constantFrom("a", "b", "c", undefined),
    });
    fc.assert(
      fc.property(fc.uniqueArray(revocation, { selector: ({ id }) => id }), (list) => {
        const made = list.map(({ except, ...rest }) => ({
          ...{ ...rest, target: ADA },
          ...except !== undefined && { except },
        }));
        for (const order of [made, made.toReversed()]) {
          const { clock, revocations } = setUp();
          for (const one of order) revocations.revoke(one);
          for (const connection of ["a", "b", "c", "d", undefined]) {
            for (const since of [4996, 4997, 4998, 4999, 5000, 5001]) {
              const isMeant = list.some(({ age, except }) =>
                since <= clock.monotonic() - age && (except === undefined || except !== connection)
              );
              assertEquals(covers(revocations, { ...ADA, since, connection }), isMeant);
            }
          }
        }
      }),
      runs(),
    );
  });

  it("lose nothing where they are merged: a node that was away hears of all that they do", () => {
    const id = fc.uuid();
    const age = fc.integer({ min: 0, max: 5 });
    const except = fc.constantFrom("a", "b", "c");
    const exceptSession = fc.constantFrom("s", "t");
    const within = fc.integer({ min: 0, max: 9 });
    const revocation: fc.Arbitrary<Omit<Revocation, "target">> = fc.oneof(
      fc.record({ id, age }),
      fc.record({ id, age, except }),
      fc.record({ id, age, exceptSession }),
      fc.record({ id, age, within }),
      fc.record({ id, age, within, except }),
      fc.record({ id, age, within, exceptSession }),
      fc.record({
        id,
        age,
        olderThan: fc.record({
          time: fc.integer({ min: 1, max: 4 }),
          connection: fc.constantFrom("a", "b"),
        }),
      }),
    );
    const list = fc.uniqueArray(revocation, { selector: ({ id }) => id, maxLength: 30 });
    fc.assert(
      fc.property(list, fc.integer({ min: 0, max: 12 }), (list, later) => {
        const { clock, revocations } = setUp();
        for (const one of list) revocations.revoke({ ...one, target: ADA });
        clock.advance(later);
        const away = new Revocations(clock, RETENTION);
        clock.advance(2000);
        for (const one of revocations.takeDue()) away.revoke(one);
        const now = clock.monotonic();
        const from = now - 2000 - later;
        // Of those that say who is older, the greatest counts.
        const counting = list.filter(({ olderThan }) =>
          !olderThan ||
          !list.some((other) => other.olderThan && isOlder(olderThan, other.olderThan))
        );
        for (const whose of sessionsOf(range(7).map((i) => from - i))) {
          const meant = counting.filter((one) => isMeantBy(one, whose, from));
          const isEnded = meant.some(({ within }) => within === undefined);
          const ends = meant.flatMap(({ age, within }) =>
            within === undefined ? [] : from - age + within
          );
          for (const known of [revocations, away]) {
            assertEquals(covers(known, whose), isEnded);
            // What has ended has ended, whenever that was.
            const until = known.limitOf(whose);
            if (!isEnded) assertEquals(Math.max(until, now), Math.max(Math.min(...ends), now));
          }
        }
      }),
      runs(500),
    );
  });

  it("are few, however often rights change, and then rather too strict", () => {
    const { clock, revocations } = setUp();
    const began = clock.monotonic();
    for (let i = 0; i < 100; i++) {
      clock.advance(10);
      revocations.revoke({ id: `${i}`, target: ADA, age: 0, within: 60_000 });
    }
    clock.advance(2000);
    assertEquals(revocations.takeDue().length, 8);
    for (let since = began; since <= began + 1000; since += 10) {
      const until = revocations.limitOf({ ...ADA, since });
      // By the letter it would be the first one that was made after it began.
      assert(until <= Math.max(since, began + 10) + 60_000, `${since}: ${until}`);
      assert(until >= began + 60_000);
    }
    assertEquals(revocations.limitOf({ ...ADA, since: began + 1001 }), Infinity);
  });

  it("that spare a connection spare also what another node has kept of it", () => {
    const { revocations } = setUp();
    revocations.revoke({ id: "1", target: ADA, age: 0, except: "mine" });
    const covered = (id: string) =>
      covers(revocations, { ...ADA, since: -Infinity, connection: id });
    assertEquals([covered("mine"), covered("other")], [false, true]);
  });

  it("made of the same user at once are one, whoever says which of them again", () => {
    const { clock, revocations } = setUp();
    for (const id of ["1", "2", "1", "2"]) {
      revocations.revoke({ id, target: ADA, age: 0 });
      clock.advance(10);
    }
    // The second time is no news.
    assertEquals(covers(revocations, { ...ADA, since: 5010 }), true);
    assertEquals(covers(revocations, { ...ADA, since: 5011 }), false);
    clock.advance(60_000);
    const { since } = revocations.awareness;
    revocations.revoke({ id: "1", target: ADA, age: 60_000 });
    assertEquals(revocations.awareness.since, since);
  });

  it("made while one is carried out stand", () => {
    const { clock, revocations } = setUp();
    const target = new Target();
    let isFirst = true;
    target.revoke = () => {
      if (!isFirst) return 1;
      isFirst = false;
      clock.advance(5);
      return revocations.revoke({ id: "2", target: ADA, age: 0 });
    };
    revocations.connections.add(target);
    revocations.revoke({ id: "1", target: ADA, age: 0, except: "x" });
    assertEquals(covers(revocations, { ...ADA, since: 5003, connection: "x" }), true);
  });

  it("tell users and sessions apart", () => {
    const { revocations } = setUp();
    revocations.revoke({ id: "1", target: { sessionId: "ada" }, age: 0 });
    assertEquals(covers(revocations, { ...ADA, since: 0 }), false);
    assertEquals(covers(revocations, { ...ADA, sessionId: "ada", since: 0 }), true);
    assertEquals(covers(revocations, { since: 0 }), false);
  });

  it("are forgotten in time, but not while an attempt runs that began before", () => {
    const { clock, revocations } = setUp();
    const slow = new Target();
    slow.verifyingSince = clock.monotonic();
    revocations.connections.add(slow);
    revocations.revoke({ id: "1", target: ADA, age: 0 });
    for (let i = 2; i < 5; i++) {
      clock.advance(RETENTION);
      revocations.revoke({ id: `${i}`, target: { userId: `${i}` }, age: 0 });
    }
    assertEquals(covers(revocations, { ...ADA, since: slow.verifyingSince }), true);
    slow.verifyingSince = undefined;
    revocations.revoke({ id: "5", target: { userId: "5" }, age: 0 });
    assertEquals(covers(revocations, { ...ADA, since: 0 }), false);
    assertEquals(covers(revocations, { userId: "4", since: 0 }), true);
  });
});

type Callback = (error?: unknown, user?: unknown) => void;

function connect(options: object = {}) {
  const answers: Callback[] = [];
  const guard = new FakeGuard(resolvePolicy<string, string, unknown>({
    authenticate: (_socket, _data, callback) => void answers.push(callback as Callback),
    userId: (user) => user,
    onError: () => {},
    ...options,
  }));
  const connection = new Connection(guard, null);
  const peer = new FakePeer("a");
  const outcomes: Outcome[] = [];
  return {
    ...{ answers, guard, connection, peer, outcomes },
    knock: (credentials: unknown = {}, newcomer = peer) =>
      connection.handshake(newcomer, credentials, (outcome) => outcomes.push(outcome)),
    revoke: () => guard.revocations.revoke({ id: crypto.randomUUID(), target: ADA, age: 0 }),
  };
}

describe("credentials before the socket", () => {
  it("admit it when it joins", () => {
    const { knock, answers, connection, peer, outcomes } = connect();
    knock();
    answers[0]!(null, "ada");
    assertEquals([outcomes, peer.done], [[{ ok: true, reply: undefined }], []]);
    assertEquals(connection.isSignedIn, false);
    connection.join(peer);
    assertEquals(peer.done, ["authenticated", "open", "introduce", "deliver"]);
  });

  it("run into the deadline, and nothing comes of a late answer", () => {
    const { knock, answers, guard, outcomes, connection, peer } = connect();
    knock();
    guard.clock.advance(1000);
    answers[0]!(null, "ada");
    assertEquals(outcomes, [{ ok: false, ...unauthorized("timeout"), retryAfter: 500 }]);
    assertEquals(guard.isClosed, true);
    guard.clock.advance(1000);
    assertEquals(guard.clock.pending, 0);
    connection.join(peer);
    assertEquals(peer.session, undefined);
  });

  it("are verified once if they are the same, at once or later", () => {
    const { knock, answers, outcomes, connection, peer } = connect({ handshake: true });
    knock();
    knock({}, new FakePeer("b"));
    assertEquals(outcomes, []);
    answers[0]!(null, "ada");
    assertEquals(outcomes.length, 2);
    connection.join(peer);
    knock({}, new FakePeer("c"));
    assertEquals([outcomes.map(({ ok }) => ok), answers.length], [[true, true, true], 1]);
  });

  it("that are refused may come again as soon as their socket is told to stay away", () => {
    const { knock, answers, connection, guard, peer } = connect({ attempts: 2 });
    guard.binding.isInUse = true;
    connection.reject(unauthorized("authentication_failed"));
    guard.clock.advance(1000);
    knock();
    const closing: boolean[] = [];
    peer.disconnect = () => void closing.push(connection.isClosing);
    answers[0]!(new Error("no"));
    assertEquals(connection.isClosing, true);
    guard.clock.advance(1000);
    assertEquals(closing, [false]);
  });

  it("that wait are let go with their socket", () => {
    const { knock, answers, connection, guard } = connect({ attempts: 3 });
    knock();
    const other = new FakePeer("b");
    knock({ token: 2 }, other);
    connection.leave(other, "gone");
    answers[0]!(new Error("no"));
    assertEquals([answers.length, guard.journal.stats.pending], [1, 1]);
  });

  it("that were revoked while they were verified admit nobody", () => {
    const { knock, answers, revoke, outcomes, guard } = connect();
    knock();
    guard.clock.advance(1);
    assertEquals(revoke(), 0);
    answers[0]!(null, "ada");
    assertEquals(outcomes, [{ ok: false, ...unauthorized("revoked") }]);
    assertEquals(guard.journal.stats.revoked, 1);
  });

  it("that were good can be revoked before the socket joins", () => {
    const { knock, answers, connection, peer, revoke, guard } = connect();
    knock();
    answers[0]!(null, "ada");
    guard.binding.isInUse = true;
    assertEquals(revoke(), 0);
    connection.join(peer);
    assertEquals([peer.session, guard.journal.stats.pending], [undefined, 1]);
  });

  it("of a connection that is lost are answered, so that what was begun is undone", () => {
    const { knock, answers, connection, outcomes, guard } = connect();
    knock();
    connection.close();
    answers[0]!(null, "ada");
    assertEquals(outcomes, [{ ok: false, ...unauthorized("server_error") }]);
    assertEquals([guard.journal.stats.pending, guard.clock.pending], [0, 0]);
  });
});

describe("a recovered connection", () => {
  it("is spared as the lost one is, also if it is back already", () => {
    const { connection, peer, guard } = connect();
    peer.previous = { userId: "ada", since: 0, connection: "mine" };
    connection.join(peer);
    const revocation = { id: "1", target: { userId: "ada" }, age: 0 };
    assertEquals(guard.revocations.revoke({ ...revocation, except: "mine" }), 0);
    assertEquals([peer.done, connection.id], [[], "mine"]);
  });

  it("ends if its session was revoked on the way", () => {
    const { connection, peer, revoke } = connect();
    revoke();
    peer.previous = { userId: "ada" };
    connection.join(peer);
    assertEquals(peer.done, ["unauthorized revoked", "disconnect"]);
  });

  it("whose session began after a revocation is welcome", () => {
    const { connection, peer, revoke, guard } = connect();
    revoke();
    peer.previous = { userId: "ada", since: guard.clock.monotonic() + 1 };
    connection.join(peer);
    assertEquals([peer.done, guard.journal.stats.pending], [[], 1]);
  });

  it("is pending, and can be revoked before anybody has signed in", () => {
    const { connection, peer, revoke } = connect();
    peer.previous = { userId: "ada", since: 0 };
    connection.join(peer);
    assertEquals(peer.session, undefined);
    assertEquals(revoke(), 1);
    assertEquals(peer.done, ["unauthorized revoked", "disconnect"]);
  });
});
