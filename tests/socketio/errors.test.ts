import { assertEquals, assertThrows, describe, it } from "#testing";
import { AuthError, type AuthErrorOptions, type Callback } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

// A second copy of the package, as npm installs it where versions differ.
const copy = "../../src/core/errors.ts?copy";
const { AuthError: ForeignAuthError }: { AuthError: typeof AuthError } = await import(copy);

/** Ways to refuse with an error: options of a policy that does. */
const ways = {
  throws: (error: unknown) => ({
    verify() {
      throw error;
    },
  }),
  rejects: (error: unknown) => ({ verify: () => Promise.reject(error) }),
  returns: (error: unknown) => ({ verify: () => error }),
  "calls back": (error: unknown) => ({
    authenticate: (_socket: unknown, _data: unknown, callback: Callback) => callback(error),
  }),
  "throws from authenticate": (error: unknown) => ({
    authenticate() {
      throw error;
    },
  }),
  "rejects from authenticate": (error: unknown) => ({ authenticate: () => Promise.reject(error) }),
};

/** What a client is told that is refused with an error. */
async function toldOf(
  place: Place,
  policy: object,
): Promise<{ told: unknown; errors: unknown[] }> {
  const world = await openWorld(place, policy);
  const client = await world.connect();
  client.emit("authentication", {});
  const [told] = await client.next("unauthorized");
  return { told, errors: world.errors.map(({ error }) => error) };
}

const wishes: [options: AuthErrorOptions, told: object][] = [
  [{}, { code: "authentication_error", reconnect: false }],
  [{ code: "locked" }, { code: "locked", reconnect: false }],
  [{ code: "server_busy" }, { code: "server_busy", reconnect: true }],
  [{ retryAfter: 500 }, { code: "authentication_error", reconnect: true, retryAfter: 500 }],
  [{ reconnect: true }, { code: "authentication_error", reconnect: true }],
  [
    { code: "locked", retryAfter: 0, reconnect: false },
    { code: "locked", reconnect: false, retryAfter: 0 },
  ],
  [{ code: "server_busy", reconnect: false }, { code: "server_busy", reconnect: false }],
];

describe("an AuthError", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [options, told] of wishes) {
      it(`tells the client what it says: ${JSON.stringify(options)} (${place.name})`, async () => {
        for (const way of Object.values(ways)) {
          const result = await toldOf(place, way(new AuthError("No", options)));
          assertEquals(result, { told: { message: "No", ...told }, errors: [] });
        }
      });
    }

    it(`of a second copy of this package is one, too (${place.name})`, async () => {
      const error = new ForeignAuthError("No", { code: "locked" });
      assertEquals(error instanceof AuthError, false);
      for (const way of Object.values(ways)) {
        const { told, errors } = await toldOf(place, way(error));
        assertEquals(told, { message: "No", code: "locked", reconnect: false });
        assertEquals(errors, []);
      }
    });

    it(`tells onError what led to it, if that is the server's fault (${place.name})`, async () => {
      const cause = new Error("no database");
      for (const [code, reported] of [["server_error", [cause]], ["locked", []]] as const) {
        for (const way of Object.values(ways)) {
          const { told, errors } = await toldOf(place, way(new AuthError("No", { code, cause })));
          const reconnect = code === "server_error";
          assertEquals({ told, errors }, {
            told: { message: "No", code, reconnect },
            errors: [...reported],
          });
        }
      }
    });

    it(`that says nothing any more is a refusal, and reported (${place.name})`, async () => {
      for (const name of ["code", "message"]) {
        const error = Object.defineProperty(new AuthError("No"), name, { value: 10n });
        const { told, errors } = await toldOf(place, ways.throws(error));
        const message = name === "code" ? "No" : "Authentication error";
        assertEquals(told, { message, code: "authentication_error", reconnect: false });
        assertEquals(errors, [error]);
      }
    });
  }

  it("takes nothing that it cannot tell", () => {
    const wrong: [options: object, Class: typeof Error, includes: string][] = [
      [{ code: 11_000 }, TypeError, "code must be text, not number"],
      [{ code: 10n }, TypeError, "code must be text, not bigint"],
      [{ code: "" }, TypeError, "code must be text"],
      [{ retryAfter: "1" }, TypeError, "retryAfter must be a number, not string"],
      [{ retryAfter: -1 }, RangeError, "not negative, got -1"],
      [{ retryAfter: Infinity }, RangeError, "finite"],
      [{ retryAfter: NaN }, RangeError, "got NaN"],
      [{ reconnect: "yes" }, TypeError, "reconnect must be true or false, not string"],
    ];
    for (const [options, Class, includes] of wrong) {
      assertThrows(() => new AuthError("No", options), Class, includes);
    }
  });

  it("keeps its cause to itself", () => {
    const cause = new Error("row not found");
    assertEquals([new AuthError("No", { cause }).cause, "cause" in new AuthError("No")], [
      cause,
      false,
    ]);
  });
});
