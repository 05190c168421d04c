// What servers and clients of the original module look like, and what docs/moving-over.md
// says to do about each. The callbacks themselves are in socketio/callbacks.test.ts, the original's
// own README in socketio/original.test.ts, and `require` in the check of the package.
import { assertEquals, assertThrows, describe, it } from "#testing";
import type { Socket } from "socket.io";
import byDefault, { socketioAuth } from "../mod.ts";
import type { Client } from "./kit/client.ts";
import { disposeAfterEach } from "./kit/disposal.ts";
import { createServer, engineOnly } from "./kit/targets.ts";
import { openWorld } from "./kit/world.ts";

type Callback = (error?: unknown, success?: unknown) => void;

/** Verifiers say no in several ways; this is what clients saw of each, or should have seen. */
const refusals: Record<string, [error: unknown, message: string]> = {
  "an Error": [new Error("User not found"), "User not found"],
  "an object with a message": [{ message: "Wrong token" }, "Wrong token"],
  "a library's own error": [
    Object.assign(new Error("jwt expired"), { name: "TokenExpiredError", expiredAt: new Date() }),
    "jwt expired",
  ],
  "text": ["Unknown room", "Unknown room"],
  "nothing": [null, "Authentication failure"],
};

function answering(error: unknown, success?: unknown) {
  return (_socket: unknown, _data: unknown, callback: Callback) => {
    setTimeout(() => callback(error, success), 1);
  };
}

async function messageTo(client: Client): Promise<string> {
  const [{ message }] = await client.next("unauthorized") as [{ message: string }];
  return message;
}

const place = engineOnly[0]!;

describe("moving over: the verifier", () => {
  disposeAfterEach();

  for (const [name, [error, message]] of Object.entries(refusals)) {
    it(`the reason is told, given as ${name}`, async () => {
      const { connect } = await openWorld(place, { authenticate: answering(error, false) });
      const client = await connect();
      client.emit("authentication", {});
      assertEquals(await messageTo(client), message);
      await client.next("disconnect");
    });
  }

  it("one of version 0.0 works with a socket in front, and without one is reported", async () => {
    const old = (data: { token: string }, callback: Callback) => callback(null, data.token === "x");
    const moved = await openWorld(place, {
      authenticate: (_socket: unknown, data: { token: string }, callback: Callback) =>
        old(data, callback),
    });
    await (await moved.connect()).signIn({ token: "x" });

    const { connect, errors } = await openWorld(place, { authenticate: old as never });
    const client = await connect();
    client.emit("authentication", { token: "x" });
    assertEquals(await messageTo(client), "Internal server error");
    assertEquals(errors.map(({ error }) => error instanceof TypeError), [true]);
  });

  it("a path that never answers holds up the next try, until the deadline", async () => {
    const { connect } = await openWorld(place, {
      timeout: 1000,
      authenticate(_socket: unknown, data: { user?: string }, callback: Callback) {
        if (data.user) callback(null, true);
      },
    });
    const client = await connect();
    client.emit("authentication", {});
    const { code } = await client.socket.emitWithAck("authentication", { user: "ada" });
    assertEquals([code, await messageTo(client)], [
      "attempt_in_progress",
      "Authentication timeout",
    ]);
  });

  it("what it emits before a refusal is lost, but for `outgoing: pass`", async () => {
    const heard: string[][] = [];
    for (const outgoing of ["hold", "pass"] as const) {
      const { connect } = await openWorld(place, {
        outgoing,
        connection: "connected",
        authenticate(socket: Socket, _data: unknown, callback: Callback) {
          socket.emit("hint", "wrong room");
          callback(new Error("no"));
        },
      });
      const client = await connect();
      client.emit("authentication", {});
      await client.next("disconnect");
      heard.push(client.received);
    }
    assertEquals(heard, [["unauthorized"], ["hint", "unauthorized"]]);
  });

  it("keeps a user on the client, where other code looks for it", async () => {
    const { io, connect } = await openWorld(place, {
      authenticate(socket: Socket, { name }: { name: string }, callback: Callback) {
        Object.assign(socket.client, { user: { name } });
        callback(null, true);
      },
    });
    await (await connect()).signIn({ name: "ada" });
    const [socket] = [...io.sockets.sockets.values()];
    assertEquals((socket!.client as unknown as { user: unknown }).user, { name: "ada" });
  });
});

describe("moving over: the options", () => {
  disposeAfterEach();

  it("the default import is the same function", () => {
    assertEquals(byDefault, socketioAuth);
  });

  it("what used to be forgiven is an error", () => {
    const authenticate = () => true;
    const forgiven = [
      { timeout: 0 },
      { timeout: "1000" },
      { postAuthenticate: null },
      { disconnect: "yes" },
      { requireAuth: true },
    ];
    for (const options of forgiven) {
      assertThrows(() => socketioAuth(createServer(), { authenticate, ...options } as never));
    }
    assertThrows(() => socketioAuth(createServer(), undefined as never), TypeError);
  });

  it("a second try on one connection takes `attempts`", async () => {
    const { connect } = await openWorld(place, {
      attempts: 2,
      authenticate: (_socket: unknown, data: unknown, callback: Callback) =>
        callback(null, data === "right"),
    });
    const client = await connect();
    client.emit("authentication", "wrong");
    assertEquals(await messageTo(client), "Authentication failure");
    await client.signIn("right");
  });
});

describe("moving over: the clients", () => {
  disposeAfterEach();

  it("are told what was called back with only by `reply`", async () => {
    const told: unknown[] = [];
    for (const options of [{}, { reply: (user: { name: string }) => ({ name: user.name }) }]) {
      const authenticate = answering(null, { name: "ada", hash: "secret" });
      const { connect } = await openWorld(place, { authenticate, ...options });
      const [reply] = await (await connect()).signIn();
      told.push(reply);
    }
    assertEquals(told, [true, { name: "ada" }]);
  });

  it("hear of the deadline before they are closed", async () => {
    const { connect } = await openWorld(place, { timeout: 100 });
    const client = await connect();
    assertEquals(await messageTo(client), "Authentication timeout");
    assertEquals(await client.next("disconnect"), ["io server disconnect"]);
  });
});

describe("moving over: listeners of one's own", () => {
  disposeAfterEach();

  it("do not see the credentials of the first sign-in", async () => {
    const seen: unknown[] = [];
    const { connect } = await openWorld(place, {}, {
      setUp: (io) =>
        io.on("connection", (socket) => {
          socket.onAny((event) => seen.push(event));
          socket.on("authentication", () => seen.push("own listener"));
          socket.use(([event], next) => {
            seen.push(event);
            next();
          });
        }),
    });
    await (await connect()).signIn();
    assertEquals(seen, []);
  });
});
