// Applications that do odd things at odd times, and servers that say odd things.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { type ClientSession, UnauthorizedError } from "../../src/client/client.ts";
import { AuthError } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, openSocket, reach, signIn, userId } from "./session.ts";

/** Has a server answer every event that wants it, and note them all with who has sent them. */
function listen(io: Server): unknown[][] {
  const heard: unknown[][] = [];
  io.on("connection", (socket) => {
    socket.onAny((...args) => {
      const acknowledge = args.at(-1);
      if (typeof acknowledge === "function") args.pop();
      heard.push(args);
      acknowledge?.("heard");
    });
  });
  return heard;
}

/** An event as if it came from the server. */
function receive(socket: Socket, ...event: unknown[]): void {
  (socket as unknown as { emitEvent(event: unknown[]): void }).emitEvent(event);
}

/** How `ready` ends. */
async function outcome(session: ClientSession): Promise<string> {
  return await session.ready.then(() => "in", (error: UnauthorizedError) => error.code);
}

for (const place of engineOnly) {
  describe(`an application that leaves (${place.name})`, () => {
    disposeAfterEach();

    it("while the client waits is not fetched back", async () => {
      const world = await openWorld(place, {
        verify: () => {
          throw new AuthError("Later", { retryAfter: 60_000 });
        },
      });
      const { session, socket } = openSession(place, world.url, ada);
      await reach(session, "waiting");
      const ready = outcome(session);
      socket.disconnect();
      assertEquals([await ready, session.state, session.retryAt], [
        "disconnected",
        "waiting",
        undefined,
      ]);
    });

    for (const late of ["a late answer", "a late failure"]) {
      it(`while there are no credentials is not connected by ${late}`, async () => {
        const world = await openWorld(place);
        const asked = new EventQueue();
        const { session, socket } = openSession(
          place,
          world.url,
          () => new Promise<object>((...settle) => asked.push("asked", ...settle)),
        );
        type Settle = [bring: (credentials: object) => void, fail: (error: Error) => void];
        const [bring, fail] = await asked.next("asked") as Settle;
        const ready = outcome(session);
        socket.disconnect();
        assertEquals(await ready, "disconnected");
        if (late === "a late answer") bring(ada);
        else fail(new Error("late"));
        // By the time that another one is connected this one would be, too.
        await world.connect();
        assertEquals([session.state, world.auth.stats().pending], ["waiting", 1]);
        socket.connect();
        if (late === "a late failure") (await asked.next("asked") as Settle)[0](ada);
        assertEquals(await outcome(session), "in");
        assertEquals(asked.names.length, late === "a late answer" ? 1 : 2);
      });
    }

    it("by its manager is told", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      (socket.io as unknown as { disconnect(): void }).disconnect();
      assertEquals([session.state, session.error?.code], ["waiting", "disconnected"]);
    });

    it("because Socket.IO has given up is told", async () => {
      const world = await openWorld(place);
      const { session } = openSession(place, world.url, ada, {
        client: { reconnectionAttempts: 2 },
      });
      await session.ready;
      await world.close();
      await reach(session, "waiting");
      assertEquals(session.error?.message, "disconnected: reconnect_failed");
    });
  });

  describe(`stop() (${place.name})`, () => {
    disposeAfterEach();

    it("while signed in takes nothing away", async () => {
      const world = await openWorld(
        place,
        { userId },
        { setUp: listen, server: { connectionStateRecovery: {} } },
      );
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      const answer = socket.emitWithAck("question");
      session.stop();
      assertEquals(await answer, "heard");
      assert((socket as unknown as { _pid: string })._pid);
    });

    it("before the sign-in lets go of what waits", async () => {
      let heard: unknown[][] = [];
      const world = await openWorld(place, {}, { setUp: (io) => heard = listen(io) });
      const { session, socket } = openSession(
        place,
        world.url,
        () => new Promise<object>(() => {}),
      );
      socket.emit("one");
      session.stop();
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      socket.emit("two");
      await new Promise((resolve) => {
        socket.once("authenticated", resolve);
        socket.emit("authentication", ada);
      });
      await socket.emitWithAck("three");
      assertEquals(heard, [["one"], ["two"], ["three"]]);
    });

    it("does not wait for callbacks that emit again", async () => {
      const world = await openWorld(place, {}, { setUp: listen });
      const { session, socket } = openSession(place, world.url, ada, {
        client: { retries: 2, ackTimeout: 10_000 },
      });
      await session.ready;
      socket.io.engine.close();
      let failures = 0;
      const say = () => {
        socket.emit("say", (error?: Error) => {
          if (error && ++failures < 1_000) say();
        });
      };
      say();
      session.stop();
      assertEquals(failures, 1);
    });
  });

  describe(`an application that reacts at once (${place.name})`, () => {
    disposeAfterEach();

    it("may sign in again in `disconnect`", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, { ...ada, password: "no" });
      const next = new Promise<string>((resolve) => {
        socket.once("disconnect", () => resolve(outcome(signIn(socket, ada).session)));
      });
      assertEquals(await outcome(session), "authentication_failed");
      assertEquals(await next, "in");
    });

    it("may stop in `authenticated`", async () => {
      const world = await openWorld(place);
      const { session, socket, events } = openSession(place, world.url, ada);
      socket.on("authenticated", () => session.stop());
      assertEquals(await outcome(session), "in");
      assertEquals(session.state, "stopped");
      assert(!events.names.includes("in"));
    });

    it("may listen no more, and hears nothing more", async () => {
      const world = await openWorld(place);
      const { session } = openSession(place, world.url, ada);
      await session.ready;
      let heard = 0;
      const unsubscribe = session.subscribe(() => heard++);
      session.stop();
      unsubscribe();
      await outcome(session);
      assertEquals(heard, 0);
    });

    it("may begin with events of `retries` on their way, which arrive once", async () => {
      let heard: unknown[][] = [];
      const world = await openWorld(place, {}, { setUp: (io) => heard = listen(io) });
      const socket = openSocket(place, world.url, { client: { retries: 3, ackTimeout: 10_000 } });
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      const answers = [1, 2, 3].map((n) => socket.emitWithAck("say", n));
      await signIn(socket, ada).session.ready;
      await Promise.all(answers);
      assertEquals(heard, [["say", 1], ["say", 2], ["say", 3]]);
    });
  });

  describe(`credentials (${place.name})`, () => {
    disposeAfterEach();

    for (const handshake of [false, true]) {
      it(`that cannot be sent are told (handshake: ${handshake})`, async () => {
        const world = await openWorld(place, { handshake });
        let asked = 0;
        const source = () => ++asked === 1 ? { ...ada, amount: 1n } : ada;
        const { session } = openSession(place, world.url, source, { handshake });
        assertEquals(await outcome(session), "credentials_failed");
        assertEquals(await outcome(session), "in");
      });
    }
  });

  describe(`a server of another kind (${place.name})`, () => {
    disposeAfterEach();

    for (const reason of [undefined, null, 1, "text", {}, { code: { toString: 1 } }]) {
      it(`may say ${JSON.stringify(reason)} with unauthorized, and close`, async () => {
        const world = await openWorld(place);
        const { session, socket, events } = openSession(place, world.url, ada);
        await session.ready;
        receive(socket, "unauthorized", reason);
        assertEquals(session.state, "authenticated");
        world.io.disconnectSockets();
        const [error] = await events.next("out");
        assert(error instanceof UnauthorizedError);
        assertEquals([session.state, session.error?.code], ["stopped", "authentication_error"]);
      });
    }

    it("may close without a DISCONNECT, and another session begins", async () => {
      const world = await openWorld(place);
      const reason = { code: "revoked", message: "Gone", reconnect: false };
      for (const isFollowed of [true, false]) {
        const next = Promise.withResolvers<ClientSession | undefined>();
        const { session, socket } = openSession(place, world.url, ada, {
          onUnauthorized: () => next.resolve(isFollowed ? signIn(socket, ada).session : undefined),
        });
        await session.ready;
        receive(socket, "unauthorized", reason);
        socket.io.engine.close();
        const follower = await next.promise;
        assertEquals(session.error?.code, "revoked");
        await follower?.ready;
        // The client leaves a moment after the close, if nothing follows.
        while (socket.active && !isFollowed) await new Promise((resolve) => setTimeout(resolve));
        await world.connect();
        assertEquals([socket.connected, socket.active], [isFollowed, isFollowed]);
      }
    });

    it("may say what makes no error", async () => {
      const world = await openWorld(place);
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      receive(socket, "unauthorized", JSON.parse('{"__proto__":{},"code":"x","message":"y"}'));
      world.io.disconnectSockets();
      await events.next("out");
      assert(session.error instanceof UnauthorizedError);
    });

    const odd = { toString: 1, valueOf: 1 };
    for (const value of ["100", -1e9, NaN, null, "soon", odd, [100]]) {
      it(`may want to wait ${JSON.stringify(value)} ms`, async () => {
        const world = await openWorld(place);
        const { session, socket, events } = openSession(place, world.url, ada);
        await session.ready;
        const start = Date.now();
        const reason = { code: "x", message: odd, reconnect: true, retryAfter: value };
        receive(socket, "unauthorized", reason);
        world.io.disconnectSockets();
        const [error] = await events.next("out") as [UnauthorizedError];
        assertEquals([error.message, error.retryAfter], ["x", undefined]);
        const wait = session.retryAt! - start;
        assert(wait >= 0 && wait < 3_500, `${wait}`);
      });
    }

    const infos = [undefined, null, 1, { expiresIn: "x" }, { expiresIn: 0 }, { expiresAt: 5 }];
    for (
      const info of [...infos, { expiresIn: odd, expiresAt: odd }, {
        expiresIn: [1],
        expiresAt: "2",
      }]
    ) {
      it(`may say ${JSON.stringify(info)} with authenticated`, async () => {
        const world = await openWorld(place);
        const { session, socket } = openSession(place, world.url, ada);
        await new Promise((resolve) => socket.once("connect", () => resolve(undefined)));
        receive(socket, "authenticated", true, info);
        assertEquals([session.state, session.expiresAt], ["authenticated", undefined]);
        await session.ready;
        receive(socket, "authenticated", true, info);
        assertEquals([session.state, session.expiresAt], ["authenticated", undefined]);
      });
    }

    it("may ask without wanting an answer, or out of the blue", async () => {
      const world = await openWorld(place, { userId });
      const { session, socket } = openSession(place, world.url, ada, { onChallenge: () => "yes" });
      await session.ready;
      let answered = 0;
      receive(socket, "challenge", "?");
      receive(socket, "challenge", "?", () => answered++);
      await session.refresh();
      assertEquals([session.state, answered], ["authenticated", 0]);
    });

    for (const name of ["__proto__", "constructor", "connect", "disconnect", "reconnect_failed"]) {
      it(`may send an event ${name}`, async () => {
        const world = await openWorld(place);
        const { session, socket } = openSession(place, world.url, ada);
        await session.ready;
        receive(socket, name, () => {});
        assertEquals(session.state, "authenticated");
      });
    }

    it("may end sessions at once, and is not asked for ever", async () => {
      let verified = 0;
      const world = await openWorld(place, {
        verify: () => ({ id: "ada", until: Date.now() + 20 + ++verified }),
        expiresAt: ({ until }: { until: number }) => until,
        grace: 60_000,
      });
      const { session, events } = openSession(place, world.url, ada);
      const start = Date.now();
      for (let n = 0; n < 10; n++) await events.next("in");
      assert(Date.now() - start >= 8 * 100, `${Date.now() - start}`);
      assertEquals(session.state, "authenticated");
    });

    it("may answer nothing at all", async () => {
      const world = await openWorld(place, { open: ["/"] });
      const { session } = openSession(place, world.url, ada, { timeout: 100 });
      assertEquals(await outcome(session), "no_answer");
      assertEquals(session.state, "waiting");
    });
  });
}

for (const place of places) {
  describe(`signing in again at once (${place.name})`, () => {
    disposeAfterEach();

    it("works in `onUnauthorized`", async () => {
      const world = await openWorld(place);
      const { socket, events } = openSession(place, world.url, { ...ada, password: "no" });
      await events.next("out");
      await signIn(socket, ada).session.ready;
      const next = new Promise<ClientSession>((resolve) => {
        const wrong = openSession(place, world.url, { ...ada, password: "no" }, {
          onUnauthorized: () => resolve(signIn(wrong.socket, ada).session),
        });
      });
      assertEquals(await outcome(await next), "in");
    });

    it("works after a sign-out, with credentials that are good once", async () => {
      const used = new Set();
      const world = await openWorld(place, {
        timeout: "none",
        verify: (_socket, { id, code }: { id: string; code: number }) => {
          if (used.has(code)) throw new AuthError("Used");
          used.add(code);
          return { id };
        },
      }, { setUp: listen });
      const socket = openSocket(place, world.url);
      const next = new Promise<ClientSession>((resolve) => {
        signIn(socket, { id: "ada", code: 1 }, {
          onUnauthorized: () => resolve(signIn(socket, { id: "grace", code: 2 }).session),
        });
      });
      const [connection] = await world.log.next("connection") as [ServerSocket];
      world.auth.deauthenticate(connection);
      const session = await next;
      assertEquals(await outcome(session), "in");
      // A second try would have been refused by the time this is answered.
      assertEquals(await socket.emitWithAck("question"), "heard");
      assertEquals([session.state, used.size], ["authenticated", 2]);
    });
  });
}
