// The first sign-in, and those that follow.
import { assert, assertEquals, assertRejects, assertThrows, describe, it } from "#testing";
import { AuthError } from "../../mod.ts";
import { authenticate, type ClientSession, UnauthorizedError } from "../../src/client/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, openSocket, signIn } from "./session.ts";

for (const place of places) {
  describe(`a client signs in (${place.name})`, () => {
    disposeAfterEach();

    it("before the socket is connected", async () => {
      const world = await openWorld(place, { reply: (user: { name: string }) => user.name });
      const { session, events } = openSession(place, world.url, ada);
      assertEquals(session.state, "connecting");
      assertEquals(await session.ready, "ada");
      assertEquals(session.state, "authenticated");
      await events.next("in");
      const names = events.names.filter((name) => !name.startsWith("event"));
      assertEquals(names, ["authenticating", "authenticated", "in"]);
    });

    it("after it, with what has been emitted meanwhile", async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) => io.on("connection", (socket) => socket.on("say", (...a) => a.at(-1)(a[0]))),
      });
      const socket = openSocket(place, world.url);
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      const { session } = signIn(socket, () => Promise.resolve(ada));
      const answers = [1, 2, 3].map((n) => socket.emitWithAck("say", n));
      await session.ready;
      assertEquals(await Promise.all(answers), [1, 2, 3]);
    });

    it("again after a lost connection, with fresh credentials", async () => {
      const asked: unknown[] = [];
      const world = await openWorld(place, {
        verify: (_: unknown, { n }: { n: number }) => asked.push(n) && { name: `user ${n}` },
      });
      let n = 0;
      const { session, socket, events } = openSession(place, world.url, () => ({ n: ++n }));
      await session.ready;
      socket.io.engine.close();
      assertEquals(session.state, "connecting");
      await session.ready;
      await events.next("in");
      await events.next("in");
      assertEquals(asked, [1, 2]);
    });

    it("with nothing left behind after stop()", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      session.stop();
      assertEquals(session.state, "stopped");
      assertEquals(socket.connected, true);
      const own = Object.getOwnPropertyNames(socket);
      assertEquals(own.filter((name) => /^emit|packet|notify|drain/.test(name)), []);
      assertEquals(socket.auth, undefined);
      await assertRejects(() => session.ready, UnauthorizedError, "stopped");
    });

    it("with the application's own `auth` left as it is", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      const auth = { tenant: "x" };
      socket.auth = auth;
      session.stop();
      assert(socket.auth === auth);
    });

    it("after another session was stopped while credentials were on their way", async () => {
      const world = await openWorld(place);
      const socket = openSocket(place, world.url);
      const former = await new Promise<ClientSession>((resolve) => {
        const session = authenticate(socket, () => {
          resolve(session);
          return new Promise(() => {});
        });
      });
      former.stop();
      const { session } = signIn(socket, ada);
      await session.ready;
      assertEquals(session.state, "authenticated");
    });
  });
}

for (const place of engineOnly) {
  describe(`a client that is refused (${place.name})`, () => {
    disposeAfterEach();

    it("stays down, and says why", async () => {
      const world = await openWorld(place);
      const { session, socket, events } = openSession(place, world.url, { ...ada, password: "no" });
      const error = await session.ready.then(() => undefined, (error) => error);
      assert(error instanceof UnauthorizedError);
      assertEquals([error.code, error.reconnect], ["authentication_failed", false]);
      assertEquals(session.state, "stopped");
      assertEquals(session.error, error);
      assertEquals((await events.next("out"))[0], error);
      // The server closes, and the client leaves that to it.
      const reason = await new Promise((resolve) => socket.once("disconnect", resolve));
      assertEquals([reason, socket.active], ["io server disconnect", false]);
    });

    it("may be signed in anew, on the same socket", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, { ...ada, password: "no" });
      await assertRejects(() => session.ready);
      await signIn(socket, ada).session.ready;
    });

    it("stays connected where an attempt is left, and uses it", async () => {
      const world = await openWorld(place, { attempts: 2 });
      const { session, socket } = openSession(place, world.url, { ...ada, password: "no" });
      await assertRejects(() => session.ready);
      const { id } = socket;
      // A second later, the server would have closed.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await signIn(socket, ada).session.ready;
      assertEquals([socket.id, world.auth.stats().accepted], [id, 1]);
    });

    it("comes back when it is told to, and not before", async () => {
      let refused = 0;
      const world = await openWorld(place, {
        verify: () => {
          if (refused) return { name: "ada" };
          refused = Date.now();
          throw new AuthError("Later", { retryAfter: 100 });
        },
      });
      const { session, events } = openSession(place, world.url, ada);
      const [error] = await events.next("out") as [UnauthorizedError];
      assertEquals([error.message, error.reconnect, error.retryAfter], ["Later", true, 100]);
      assertEquals(session.state, "waiting");
      assert(session.retryAt! >= refused + 100);
      await session.ready;
      assert(Date.now() >= refused + 100);
    });

    it("says no time if it does not come back by itself", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      socket.disconnect();
      assertEquals([session.state, session.retryAt], ["waiting", undefined]);
      socket.connect();
      await session.ready;
    });

    it("tells of credentials that cannot be had, and asks again", async () => {
      const world = await openWorld(place);
      let asked = 0;
      const { session, events } = openSession(place, world.url, () => {
        if (++asked === 1) throw new Error("no token");
        return Promise.resolve(ada);
      });
      await assertRejects(() => session.ready, UnauthorizedError, "credentials_failed: no token");
      assertEquals(((await events.next("out"))[0] as Error).cause instanceof Error, true);
      await session.ready;
      assertEquals(asked, 2);
    });

    it("tells of credentials that do not come, and uses them when they do", async () => {
      const world = await openWorld(place);
      let asked = 0;
      const brought = Promise.withResolvers<object>();
      const { session } = openSession(place, world.url, () => ++asked && brought.promise, {
        credentialsTimeout: 50,
      });
      await assertRejects(
        () => session.ready,
        UnauthorizedError,
        "credentials_failed: timed out, see credentialsTimeout",
      );
      assertEquals([session.state, session.retryAt], ["waiting", undefined]);
      brought.resolve(ada);
      await session.ready;
      assertEquals(asked, 1);
    });
  });

  describe(`a client on a socket (${place.name})`, () => {
    disposeAfterEach();

    it("is the only one", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      assertThrows(() => authenticate(socket, ada), Error, "has a session");
      session.stop();
      await signIn(socket, ada).session.ready;
    });

    it("needs one of socket.io-client", () => {
      for (const stranger of [undefined, null, "socket", {}, { connected: false, io: {} }]) {
        assertThrows(() => authenticate(stranger as never, ada), TypeError, "socket must be");
      }
    });

    const mistakes: Record<string, [options: unknown, error: typeof TypeError, text: string]> = {
      "an option that there is not": [
        { refreshmargin: 1 },
        TypeError,
        "there is no option refreshmargin",
      ],
      "an option that every object has": [{ toString() {} }, TypeError, "no option toString"],
      "options that are none": ["options", TypeError, "options must be an object"],
      "options of null": [null, TypeError, "options must be an object"],
      "text for a time": [{ timeout: "1000" }, TypeError, "timeout must be number"],
      "a time that is over": [{ credentialsTimeout: -1 }, RangeError, "credentialsTimeout"],
      "no number": [{ refreshMargin: NaN }, RangeError, "refreshMargin must be milliseconds"],
      "no function": [{ onChallenge: "yes" }, TypeError, "onChallenge must be function"],
      "a number for a boolean": [{ handshake: 1 }, TypeError, "handshake must be boolean"],
    };
    for (const [what, [options, error, text]] of Object.entries(mistakes)) {
      it(`takes no ${what.replace(/^(an?|no) /, "")}, and leaves the socket as it was`, async () => {
        const world = await openWorld(place);
        const socket = openSocket(place, world.url, { client: { autoConnect: false } });
        const { auth } = socket;
        const prototype = Object.getPrototypeOf(socket);
        assertThrows(() => authenticate(socket, ada, options as never), error, text);
        assertEquals([socket.active, socket.auth === auth], [false, true]);
        assert(Object.getPrototypeOf(socket) === prototype);
      });
    }

    it("takes options that are undefined for those that are not given", async () => {
      const world = await openWorld(place);
      const { session } = openSession(place, world.url, ada, {
        timeout: undefined,
        onChallenge: undefined,
        handshake: undefined,
      } as never);
      await session.ready;
    });

    it("takes text for an event, but not for a CONNECT", async () => {
      const world = await openWorld(place, { verify: (_socket, token) => token === "a.b.c" && {} });
      const socket = openSocket(place, world.url);
      const wrong = () => authenticate(socket, "a.b.c", { handshake: true });
      assertThrows(wrong, TypeError, "handshake takes an object");
      await signIn(socket, "a.b.c").session.ready;
    });
  });
}
