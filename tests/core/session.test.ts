import { assertEquals, assertThrows, describe, it } from "#testing";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { createSession } from "../../src/core/session.ts";

describe("a session", () => {
  const policyWith = (options: object) =>
    resolvePolicy({ authenticate: () => true, ...options }) as Policy<unknown>;

  it("has the ids that users have, whatever they are made of", () => {
    const ids: [user: unknown, userId: string | undefined][] = [
      [{ id: "a" }, "a"],
      [{ id: 0 }, "0"],
      [{ id: 10n }, "10"],
      [{ id: null }, undefined],
      [{ id: { toString: () => "a" } }, undefined],
      [{ id: true }, undefined],
      [{}, undefined],
      [true, undefined],
      ["text", undefined],
      [Object.create(null), undefined],
      [
        new (class {
          id = "a";
        })(),
        "a",
      ],
    ];
    for (const [user, userId] of ids) {
      assertEquals(createSession(policyWith({}), user, 5).userId, userId);
    }
  });

  it("has no id that any number of users would share", () => {
    for (const id of ["", NaN, Infinity, -Infinity, {}, [], true, Symbol("id"), () => {}]) {
      for (const name of ["userId", "sessionId"]) {
        const policy = policyWith({ [name]: () => id });
        assertThrows(() => createSession(policy, {}, 5), TypeError, `${name} must be text`);
      }
    }
    for (const id of ["", NaN]) {
      assertThrows(
        () => createSession(policyWith({}), { id }, 5),
        TypeError,
        "userId must be text",
      );
    }
  });

  it("ends at any time that can be in milliseconds", () => {
    const ends = [new Date(0), 0, -1, 1, 1_000_000, 1e11, Date.now(), 8.64e15, Number.MAX_VALUE];
    for (const end of ends) {
      const session = createSession(policyWith({ expiresAt: () => end }), {}, 5);
      assertEquals(session.expiresAt, Number(end));
    }
    for (const none of [null, undefined, Infinity]) {
      assertEquals(
        "expiresAt" in createSession(policyWith({ expiresAt: () => none }), {}, 5),
        false,
      );
    }
    for (const seconds of [1e8, 1_800_000_000, 1_800_000_000.5, 1e11 - 1]) {
      for (const end of [seconds, new Date(seconds)]) {
        const policy = policyWith({ expiresAt: () => end });
        assertThrows(() => createSession(policy, {}, 5), RangeError, "multiply it by 1000");
      }
    }
  });
});
