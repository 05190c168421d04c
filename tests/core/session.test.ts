import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import { Identities } from "../../src/core/users.ts";
import { Notices } from "../../src/core/notices.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { isExpired, limit, type Session } from "../../src/core/session.ts";
import { Admission, admit, type SessionFacts } from "../../src/core/users.ts";
import { FakeClock } from "./fakes.ts";

function setUp(options: object = {}) {
  const told: string[] = [];
  const policy = resolvePolicy<string, unknown, unknown>({
    verify: () => true,
    onError: (error: unknown) => told.push((error as Error).message),
    ...options,
  });
  const identities = new Identities(policy, new Notices(policy, new FakeClock()));
  function begin(user: unknown, facts: SessionFacts = {}): Session<unknown> {
    return identities.sessionOf(new Admission(user, facts), 5, "socket");
  }
  return { identities, begin, told };
}

/** As MongoDB's driver makes them. */
const objectId = (hex: string) => ({ toHexString: () => hex });

describe("a session that was limited", () => {
  it("ends by the monotonic clock, wherever the wall clock is set", () => {
    const clock = new FakeClock();
    const { begin } = setUp();
    const session = limit(begin({ id: "a" }), clock.monotonic() + 1000, clock.now() + 1000);
    clock.wallOffset -= 3_600_000;
    assertEquals(isExpired(session, clock, 0), false);
    clock.advance(1000);
    assertEquals(isExpired(session, clock, 0), true);
  });
});

describe("a user", () => {
  it("has the id that users have, whatever it is made of", () => {
    const ids: [user: unknown, userId: string | undefined][] = [
      [{ id: "a" }, "a"],
      [{ id: 0 }, "0"],
      [{ id: 10n }, "10"],
      [{ id: objectId("507f") }, "507f"],
      [{ id: null }, undefined],
      [{ id: { toString: () => "a" } }, undefined],
      [{ id: true }, undefined],
      [{ id: null, sub: "s" }, "s"],
      [{ id: "a", sub: "s", uid: "u" }, "a"],
      [{ sub: "s" }, "s"],
      [{ uid: "u" }, "u"],
      [{ _id: objectId("507f") }, "507f"],
      [{ _id: objectId("507f"), uid: "507f" }, "507f"],
      [{ userId: "a" }, undefined],
      [{ session: {}, user: { id: "a" } }, undefined],
      [{}, undefined],
      [true, undefined],
      ["ada", "ada"],
      [7, "7"],
      [7n, "7"],
      [Object.create(null), undefined],
      [
        new (class {
          id = "a";
        })(),
        "a",
      ],
    ];
    for (const [user, userId] of ids) {
      const { begin, told } = setUp();
      assertEquals([begin(user).userId, told], [userId, []]);
    }
  });

  it("with several ids that differ has none, and the operator hears of it once", () => {
    const { begin, told } = setUp();
    for (let i = 0; i < 3; i++) assertEquals(begin({ sub: "s", _id: "i" }).userId, undefined);
    assertEquals(told.length, 1);
    assert(told[0]!.includes("userId(user)"));
  });

  it("has no id that any number of users would share", () => {
    for (const id of ["", NaN, Infinity, -Infinity, {}, [], true, Symbol("id"), () => {}]) {
      for (const name of ["userId", "sessionId"]) {
        const { begin } = setUp({ [name]: () => id });
        assertThrows(() => begin({}), TypeError, `${name} must be text`);
      }
    }
    for (const id of ["", NaN]) {
      assertThrows(() => setUp().begin({ id }), TypeError, "userId must be text");
    }
  });

  it("without an id is missed once, and not where an option says so", () => {
    for (const [options, count] of [[{}, 1], [{ userId: () => null }, 0]] as const) {
      const { begin, identities, told } = setUp(options);
      begin(true);
      for (let i = 0; i < 3; i++) identities.miss("something is declined");
      assertEquals(told.length, count);
    }
  });

  it("cannot be revoked by an id that no session has ever had", () => {
    const { begin, identities } = setUp();
    identities.checkRevoked({ userId: "a" });
    begin(true);
    assertThrows(() => identities.checkRevoked({ userId: "a" }), TypeError, "userId(user)");
    assertThrows(() => identities.checkRevoked({ sessionId: "a" }), TypeError, "sessionId");
    begin({ id: "a" }, { sessionId: "s" });
    identities.checkRevoked({ userId: "b" });
    identities.checkRevoked({ sessionId: "b" });
  });
});

describe("facts of a session", () => {
  const facts = { userId: "fact", sessionId: 1n, expiresAt: new Date(2e12) };

  it("count where no option finds anything, and before what users have", () => {
    const known = { userId: "fact", sessionId: "1", expiresAt: 2e12 };
    const ids = { user: { id: "a" }, authenticatedAt: 5 };
    for (const none of [undefined, () => undefined, () => null]) {
      const { begin } = setUp({ userId: none, sessionId: none, expiresAt: none });
      assertEquals({ ...begin({ id: "a" }, facts) }, { ...ids, ...known });
    }
    const options = { userId: () => "option", sessionId: () => "2", expiresAt: () => 3e12 };
    const { userId, sessionId, expiresAt } = setUp(options).begin({ id: "a" }, facts);
    assertEquals([userId, sessionId, expiresAt], ["option", "2", 3e12]);
  });

  it("are known by name", () => {
    assertThrows(() => admit({}, { expires: 5 } as object), TypeError, '"expires"');
    assertThrows(() => admit({}, null as unknown as object), TypeError, "an object");
  });
});

describe("a session", () => {
  it("ends at any time that can be in milliseconds", () => {
    const ends = [-1, 1, 1_000_000, 1e11, Date.now(), 8.64e15, Number.MAX_VALUE, new Date(2e12)];
    for (const end of ends) {
      assertEquals(setUp({ expiresAt: () => end }).begin({}).expiresAt, Number(end));
    }
    for (const none of [null, undefined, Infinity]) {
      assertEquals("expiresAt" in setUp({ expiresAt: () => none }).begin({}), false);
    }
    for (const seconds of [1e8, 1_800_000_000, 1_800_000_000.5, 1e11 - 1]) {
      for (const end of [seconds, new Date(seconds)]) {
        const { begin } = setUp({ expiresAt: () => end });
        assertThrows(() => begin({}), RangeError, "multiply it by 1000");
      }
    }
    for (const zero of [0, new Date(0), (null as unknown as number) * 1000]) {
      assertThrows(() => setUp({ expiresAt: () => zero }).begin({}), RangeError, "1970");
    }
    for (const wrong of [NaN, "tomorrow", new Date(NaN), {}]) {
      assertThrows(() => setUp({ expiresAt: () => wrong }).begin({}), TypeError, "valid Date");
    }
  });
});
