import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { admit, AuthError, type Callback, type VerifyContext } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

const FAILED = {
  message: "Authentication failure",
  code: "authentication_failed",
  reconnect: false,
};
const SERVER_ERROR = { message: "Internal server error", code: "server_error", reconnect: true };

function refusedAs(message: string, code = "authentication_error") {
  return { message, code, reconnect: false };
}

/** A policy whose verifier calls back. */
function callingBack(...answer: Parameters<Callback>): object {
  return {
    authenticate: (_socket: unknown, _data: unknown, callback: Callback) => callback(...answer),
  };
}

/** How a verifier can say yes. */
const yes: Record<string, object> = {
  "a plain return": { verify: () => ({ name: "ada" }) },
  "a promise": { verify: () => Promise.resolve({ name: "ada" }) },
  "a thenable": { verify: () => ({ then: (resolve: Callback) => resolve({ name: "ada" }) }) },
  "a callback": callingBack(null, { name: "ada" }),
  "a late callback": {
    authenticate: (_socket: unknown, _data: unknown, callback: Callback) =>
      void setTimeout(callback, 1, null, { name: "ada" }),
  },
  "a callback of an async function": {
    authenticate: async (_socket: unknown, _data: unknown, callback: Callback) =>
      await Promise.resolve().then(() => callback(null, { name: "ada" })),
  },
};

/** How it can say no, and what the client is told. */
const no: Record<string, [policy: object, told: unknown]> = {
  ...Object.fromEntries(
    [false, undefined, null, 0, NaN, 0n, ""].flatMap((nobody) => {
      const name = typeof nobody === "string" ? "empty text" : `${typeof nobody} ${nobody}`;
      return [
        [`returning ${name}`, [{ verify: () => nobody }, FAILED]],
        [`resolving ${name}`, [{ verify: () => Promise.resolve(nobody) }, FAILED]],
        [`a callback with ${name}`, [callingBack(null, nobody as never), FAILED]],
        [`admitting ${name}`, [{ verify: () => admit(nobody, { userId: "ada" }) }, FAILED]],
      ];
    }),
  ),
  "a callback with nothing": [callingBack(), FAILED],
  "a callback error": [callingBack(new Error("User not found")), refusedAs("User not found")],
  "a callback string": [callingBack("No such user"), refusedAs("No such user")],
  "an AuthError": [
    {
      verify() {
        throw new AuthError("Account locked", { code: "account_locked" });
      },
    },
    refusedAs("Account locked", "account_locked"),
  ],
  "an AuthError that is returned": [
    { verify: () => new AuthError("Account locked", { code: "account_locked" }) },
    refusedAs("Account locked", "account_locked"),
  ],
  "an AuthError in the place of the user": [
    callingBack(null, new AuthError("No such user")),
    refusedAs("No such user"),
  ],
  "a rejected AuthError": [
    { verify: () => Promise.reject(new AuthError("User not found")) },
    refusedAs("User not found"),
  ],
};

const secret = new Error("secret: database password");

/** How it can fail. */
const failing: Record<string, object> = {
  "a throw": {
    verify() {
      throw secret;
    },
  },
  "a rejection": { verify: () => Promise.reject(secret) },
  "an error that is returned": { verify: () => secret },
  "an error that is resolved with": { verify: () => Promise.resolve(secret) },
  "an error in the place of the user": callingBack(null, secret),
  "an error that is admitted": { verify: () => admit(secret) },
};

/** What is truthy and stands for nobody, and what the operator is told of it. */
const cannotBeUsers: Record<string, [make: () => unknown, told: RegExp]> = {
  "an empty array": [() => [], /an array/],
  "rows": [() => [{ name: "ada" }], /an array/],
  "a Response": [() => new Response(), /a Response/],
  "a boxed boolean": [() => Object(false), /a boxed Boolean/],
  "a boxed text": [() => Object("ada"), /a boxed String/],
  "a boxed number": [() => Object(1), /a boxed Number/],
  "a function": [() => () => true, /a function/],
  "a symbol": [() => Symbol("ada"), /a symbol/],
  "an admission in an admission": [() => admit(admit(true)), /admit the user itself/],
};

/** The same, where only a callback or an admission can have it: a promise of them is waited for. */
const cannotBeCalledBack: typeof cannotBeUsers = {
  ...cannotBeUsers,
  "a promise": [() => Promise.resolve({ name: "ada" }), /a promise or a query: await it/],
  "a promise that rejects": [() => Promise.reject(secret), /a promise or a query: await it/],
  "a thenable": [() => ({ then() {} }), /a promise or a query: await it/],
};

/** Who may be signed in. */
const users: Record<string, () => unknown> = {
  "true": () => true,
  "text": () => "ada",
  "a number": () => -1.5,
  "a bigint": () => 7n,
  "an object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "an instance": () => new (class Account {})(),
  "a map": () => new Map(),
};

describe("answers", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, policy] of Object.entries(yes)) {
      it(`${name} lets a client in (${place.name})`, async () => {
        const { io, auth, connect } = await openWorld(place, policy);
        const client = await connect();
        assertEquals(await client.signIn(), [true]);
        const [socket] = [...io.sockets.sockets.values()] as [Socket & { auth: boolean }];
        assertEquals(socket.auth, true);
        assertEquals(auth.session(socket)?.user, { name: "ada" });
      });
    }

    for (const [name, [policy, told]] of Object.entries(no)) {
      it(`${name} keeps a client out (${place.name})`, async () => {
        const { errors, connect } = await openWorld(place, policy);
        const client = await connect();
        client.emit("authentication", {});
        assertEquals(await client.next("unauthorized"), [told]);
        assertEquals(errors, []);
      });
    }

    for (const [name, policy] of Object.entries(failing)) {
      it(`${name} is a server error, told to onError only (${place.name})`, async () => {
        const { errors, connect } = await openWorld(place, policy);
        const client = await connect();
        client.emit("authentication", {});
        assertEquals(await client.next("unauthorized"), [SERVER_ERROR]);
        const [during] = Object.keys(policy);
        assertEquals(errors.map(({ error, context }) => [error, context.during]), [
          [secret, during],
        ]);
      });
    }

    for (const [name, [make, told]] of Object.entries(cannotBeCalledBack)) {
      it(`${name} is no user, and a server error (${place.name})`, async () => {
        const policies = [
          { authenticate: (_s: unknown, _d: unknown, done: Callback) => done(null, make()) },
          { verify: () => admit(make()) },
          ...name in cannotBeUsers
            ? [{ verify: make }, { verify: () => Promise.resolve(make()) }]
            : [],
        ];
        for (const policy of policies) {
          const { errors, connect } = await openWorld(place, policy);
          const client = await connect();
          client.emit("authentication", {});
          assertEquals(await client.next("unauthorized"), [SERVER_ERROR]);
          assertEquals(errors.length, 1);
          const { error, context } = errors[0]!;
          assertEquals(context.during, Object.keys(policy)[0]!);
          assertMatch((error as TypeError).message, /^A user must be true, text, a number/);
          assertMatch((error as TypeError).message, told);
        }
      });
    }

    for (const [name, make] of Object.entries(users)) {
      it(`${name} can be a user (${place.name})`, async () => {
        const user = make();
        for (const policy of [{ verify: () => user }, callingBack(null, user as object)]) {
          const { io, auth, errors, connect } = await openWorld(place, policy);
          await (await connect()).signIn();
          const [socket] = [...io.sockets.sockets.values()] as [Socket];
          assert(Object.is(auth.user(socket), user));
          assertEquals(errors, []);
        }
      });
    }

    it(`the first answer counts (${place.name})`, async () => {
      const { connect, errors } = await openWorld(place, {
        authenticate(_socket: unknown, _credentials: unknown, done: Callback) {
          done(null, { name: "ada" });
          done(new Error("too late"));
          done(null, false);
          throw new Error("later still");
        },
      }, {
        setUp: (io) =>
          io.on("connection", (socket) => socket.on("probe", (reply) => reply("still here"))),
      });
      const client = await connect();
      await client.signIn();
      assertEquals(await client.socket.emitWithAck("probe"), "still here");
      assertEquals(client.received, ["authenticated"]);
      // Nobody else would hear of it.
      assertEquals(errors.map(({ error }) => (error as Error).message), ["later still"]);
    });

    it(`an answer after the disconnect does nothing (${place.name})`, async () => {
      const log = new EventQueue();
      let answer!: Callback;
      const { connect, io, errors } = await openWorld(place, {
        authenticate(_socket: unknown, _credentials: unknown, done: Callback) {
          answer = done;
          log.push("asked");
        },
        postAuthenticate: () => log.push("postAuthenticate"),
        disconnect: (_socket: unknown, reason: string) => log.push("disconnect", reason),
      });
      const client = await connect();
      client.emit("authentication", {});
      await log.next("asked");
      client.socket.disconnect();
      await log.next("disconnect");
      answer(null, { name: "ada" });
      answer(new Error("no"));
      await new Promise((resolve) => setImmediate(resolve));
      assertEquals(log.names, ["asked", "disconnect"]);
      assertEquals(errors, []);
      assertEquals(io.sockets.sockets.size, 0);
    });

    it(`an error after the disconnect is nobody's (${place.name})`, async () => {
      const log = new EventQueue();
      const { connect, errors } = await openWorld(place, {
        async verify(_socket: unknown, _given: unknown, { signal }: VerifyContext) {
          log.push("asked");
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          log.push("aborted");
          signal.throwIfAborted();
        },
      });
      const client = await connect();
      client.emit("authentication", {});
      await log.next("asked");
      client.socket.disconnect();
      await log.next("aborted");
      await new Promise((resolve) => setImmediate(resolve));
      assertEquals(errors, []);
    });

    it(`the signal aborts with the connection (${place.name})`, async () => {
      const log = new EventQueue();
      const { connect } = await openWorld(place, {
        verify(_socket: unknown, _given: unknown, { signal }: VerifyContext) {
          signal.addEventListener("abort", () => log.push("abort"));
          return new Promise(() => log.push("asked"));
        },
      });
      const client = await connect();
      client.emit("authentication", {});
      await log.next("asked");
      client.socket.disconnect();
      await log.next("abort");
    });
  }

  for (const place of places) {
    it(`the acknowledgement carries the outcome too (${place.name})`, async () => {
      const { connect } = await openWorld(place, { reply: (user: { name: string }) => user.name });
      const client = await connect();
      const credentials = { username: "ada", password: "right" };
      const outcome = await client.socket.emitWithAck("authentication", credentials);
      assertEquals(outcome, { ok: true, reply: "ada" });
      assertEquals(await client.next("authenticated"), ["ada"]);

      const refused = await connect();
      const no = await refused.socket.emitWithAck("authentication", { password: "wrong" });
      assertEquals(no, { ok: false, ...FAILED });
      await refused.next("unauthorized");
    });

    it(`a second attempt meanwhile is declined (${place.name})`, async () => {
      const log = new EventQueue();
      const answer = Promise.withResolvers<true>();
      const { connect } = await openWorld(place, {
        verify(_socket: unknown, credentials: unknown) {
          log.push("asked", credentials);
          return answer.promise;
        },
      });
      const client = await connect();
      client.emit("authentication", 1);
      const declined = await client.socket.emitWithAck("authentication", 2);
      assertEquals(declined.code, "attempt_in_progress");
      await log.next("asked");
      answer.resolve(true);
      await client.next("authenticated");
      assertEquals(log.all, [["asked", 1]]);
    });
  }

  it("credentials that are too large or too deep never reach the verifier", async () => {
    let nested: unknown = "core";
    for (let i = 0; i < 33; i++) nested = [nested];
    const limits = [[{}, 16_384], [{ maxCredentials: 100 }, 100], [
      { maxCredentials: 60_000 },
      60_000,
    ]];
    for (const [options, limit] of limits as [object, number][]) {
      let asked = 0;
      const { connect } = await openWorld(engineOnly[0]!, {
        verify: () => ++asked,
        ...options,
      });
      const tooMuch = ["x".repeat(limit), { blob: new Uint8Array(limit) }, nested];
      for (const credentials of tooMuch) {
        const client = await connect();
        client.emit("authentication", credentials);
        const [refusal] = await client.next("unauthorized") as [{ code: string }];
        assertEquals(refusal.code, "invalid_credentials");
        await client.next("disconnect");
      }
      assertEquals(asked, 0);
      const client = await connect();
      assert(await client.signIn("x".repeat(limit - 1)));
    }
  });
});
