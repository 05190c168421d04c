import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { AuthError } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

type Callback = (error?: unknown, success?: unknown) => void;

const FAILED = {
  message: "Authentication failure",
  code: "authentication_failed",
  reconnect: false,
};
const SERVER_ERROR = { message: "Internal server error", code: "server_error", reconnect: true };

function refusedAs(message: string, code = "authentication_error") {
  return { message, code, reconnect: false };
}

/** How a verifier can say yes. */
const yes: Record<string, unknown> = {
  "a plain return": () => ({ name: "ada" }),
  "a promise": () => Promise.resolve({ name: "ada" }),
  "a callback": (_s: unknown, _c: unknown, done: Callback) => done(null, { name: "ada" }),
  "a late callback": (_s: unknown, _c: unknown, done: Callback) =>
    void setTimeout(done, 1, null, { name: "ada" }),
  "a callback of an async function": async (_s: unknown, _c: unknown, done: Callback) =>
    await Promise.resolve().then(() => done(null, { name: "ada" })),
};

/** How it can say no, and what the client is told. */
const no: Record<string, [verifier: unknown, told: unknown]> = {
  "returning false": [() => false, FAILED],
  "returning nothing": [() => undefined, FAILED],
  "resolving null": [() => Promise.resolve(null), FAILED],
  "a callback with false": [
    (_s: unknown, _c: unknown, done: Callback) => done(null, false),
    FAILED,
  ],
  "a callback with nothing": [(_s: unknown, _c: unknown, done: Callback) => done(), FAILED],
  "a callback error": [
    (_s: unknown, _c: unknown, done: Callback) => done(new Error("User not found")),
    refusedAs("User not found"),
  ],
  "a callback string": [
    (_s: unknown, _c: unknown, done: Callback) => done("No such user"),
    refusedAs("No such user"),
  ],
  "an AuthError": [
    () => {
      throw new AuthError("Account locked", { code: "account_locked" });
    },
    refusedAs("Account locked", "account_locked"),
  ],
  "an AuthError that is returned": [
    () => new AuthError("Account locked", { code: "account_locked" }),
    refusedAs("Account locked", "account_locked"),
  ],
  "an AuthError in the place of the user": [
    (_s: unknown, _c: unknown, done: Callback) => done(null, new AuthError("No such user")),
    refusedAs("No such user"),
  ],
  "a rejected AuthError": [
    () => Promise.reject(new AuthError("User not found")),
    refusedAs("User not found"),
  ],
};

describe("answers", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, authenticate] of Object.entries(yes)) {
      it(`${name} lets a client in (${place.name})`, async () => {
        const { io, auth, connect } = await openWorld(place, { authenticate } as never);
        const client = await connect();
        assertEquals(await client.signIn(), [true, {}]);
        const [socket] = [...io.sockets.sockets.values()] as [Socket & { auth: boolean }];
        assertEquals(socket.auth, true);
        assertEquals(auth.session(socket)?.user, { name: "ada" });
      });
    }

    for (const [name, [authenticate, told]] of Object.entries(no)) {
      it(`${name} keeps a client out (${place.name})`, async () => {
        const { errors, connect } = await openWorld(place, { authenticate } as never);
        const client = await connect();
        client.emit("authentication", {});
        assertEquals(await client.next("unauthorized"), [told]);
        assertEquals(await client.next("disconnect"), ["io server disconnect"]);
        assertEquals(errors, []);
      });
    }

    for (
      const [name, authenticate] of Object.entries({
        "a throw": () => {
          throw new Error("secret: database password");
        },
        "a rejection": () => Promise.reject(new Error("secret: database password")),
        "an error that is returned": () => new Error("secret: database password"),
        "an error in the place of the user": (_s: unknown, _c: unknown, done: Callback) =>
          done(null, new Error("secret: database password")),
      })
    ) {
      it(`${name} is a server error, told to onError only (${place.name})`, async () => {
        const { errors, connect } = await openWorld(place, { authenticate });
        const client = await connect();
        client.emit("authentication", {});
        assertEquals(await client.next("unauthorized"), [SERVER_ERROR]);
        await client.next("disconnect");
        assertEquals(errors.map(({ error }) => (error as Error).message), [
          "secret: database password",
        ]);
        assertEquals(errors[0]!.context.during, "authenticate");
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

    it(`the signal aborts with the connection (${place.name})`, async () => {
      const log = new EventQueue();
      const { connect } = await openWorld(place, {
        authenticate(_socket: unknown, _credentials: unknown, attempt: { signal: AbortSignal }) {
          attempt.signal.addEventListener("abort", () => log.push("abort"));
          log.push("asked");
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
      assertEquals(await client.next("authenticated"), ["ada", {}]);

      const refused = await connect();
      const no = await refused.socket.emitWithAck("authentication", { password: "wrong" });
      assertEquals(no, { ok: false, ...FAILED });
      await refused.next("unauthorized");
    });

    it(`a second attempt meanwhile is declined (${place.name})`, async () => {
      const log = new EventQueue();
      let answer!: Callback;
      const { connect } = await openWorld(place, {
        authenticate(_socket: unknown, credentials: unknown, done: Callback) {
          answer = done;
          log.push("asked", credentials);
        },
      });
      const client = await connect();
      client.emit("authentication", 1);
      const declined = await client.socket.emitWithAck("authentication", 2);
      assertEquals(declined.code, "attempt_in_progress");
      await log.next("asked");
      answer(null, true);
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
        authenticate: () => ++asked,
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
