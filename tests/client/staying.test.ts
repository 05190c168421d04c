// How a client stays signed in, and how it ends.
import { assert, assertEquals, assertRejects, describe, it } from "#testing";
import type { VerifyContext } from "../../mod.ts";
import { UnauthorizedError } from "../../src/client/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, openSocket, reach, signIn, userId } from "./session.ts";

interface Member {
  readonly id: string;
  readonly until?: number;
}

/** A world whose sessions last as long as their credentials say. */
const lasting = {
  verify: (_socket: unknown, { id, ms }: { id: string; ms?: number }) => ({
    id,
    ...ms && { until: Date.now() + ms },
  }),
  expiresAt: ({ until }: Member) => until,
};

for (const place of engineOnly) {
  describe(`a session that ends (${place.name})`, () => {
    disposeAfterEach();

    it("is refreshed before it does, again and again", async () => {
      const world = await openWorld(place, lasting);
      let asked = 0;
      const { session, socket, events } = openSession(
        place,
        world.url,
        () => ({ id: "ada", ms: ++asked < 4 ? 1_000 : 3_600_000 }),
      );
      await session.ready;
      const { id } = socket;
      for (let n = 0; n < 4; n++) await events.next("in");
      assertEquals([socket.id, session.state, world.auth.stats().expired], [
        id,
        "authenticated",
        0,
      ]);
      assert(session.expiresAt! > Date.now() + 3_000_000);
      assertEquals(events.names.filter((name) => name === "connecting"), []);
    });

    it("is renewed soon if the server has shortened it, and stays", async () => {
      const world = await openWorld(place, lasting);
      const { session, socket, events } = openSession(place, world.url, { id: "ada" });
      await session.ready;
      await events.next("in");
      const { id } = socket;
      const begun = Date.now();
      assertEquals(await world.auth.refresh({ userId: "ada" }, { within: 2000 }), 1);
      await events.next("in"); // it is told
      assert(session.expiresAt! <= begun + 2100);
      await events.next("in"); // it has renewed it
      assertEquals([session.expiresAt, socket.id, session.state], [
        undefined,
        id,
        "authenticated",
      ]);
      assertEquals(world.auth.stats().accepted, 2);
    });

    it("may be shorter after a refresh, which is over then", async () => {
      const world = await openWorld(place, lasting);
      let ms = 3_600_000;
      const { session } = openSession(place, world.url, () => ({ id: "ada", ms }));
      await session.ready;
      const { expiresAt } = session;
      ms = 1_800_000;
      await session.refresh();
      assert(session.expiresAt! < expiresAt!);
      assertEquals([session.state, world.auth.stats().accepted], ["authenticated", 2]);
    });

    it("goes on with its own refresh if the server has shortened it meanwhile", async () => {
      const world = await openWorld(place, { userId: () => "ada" });
      let asked = 0;
      const brought = Promise.withResolvers<object>();
      const { session, events } = openSession(
        place,
        world.url,
        () => ++asked === 2 ? brought.promise : { id: "ada", password: "right" },
      );
      await session.ready;
      await events.next("in");
      const refreshed = session.refresh();
      await world.auth.refresh({ userId: "ada" }, { within: 600_000 });
      await events.next("in"); // it is told
      assertEquals(world.auth.stats().accepted, 1);
      brought.resolve({ id: "ada", password: "right" });
      await refreshed;
      assertEquals([world.auth.stats().accepted, session.expiresAt], [2, undefined]);
    });

    it("is refreshed without credentials where the server has found them", async () => {
      const world = await openWorld(place, {
        handshake: () => ({ id: "ada" }),
        verify: () => ({ id: "ada" }),
      });
      const { session, events } = openSession(place, world.url);
      await session.ready;
      await events.next("in");
      await world.auth.refresh({ userId: "ada" }, { within: 2_000 });
      await events.next("in"); // it is told
      assert(session.expiresAt);
      await events.next("in"); // it has refreshed
      assertEquals([session.state, session.expiresAt, world.auth.stats().accepted], [
        "authenticated",
        undefined,
        2,
      ]);
      await session.refresh();
      assertEquals(world.auth.stats().accepted, 3);
    });

    it("is refreshed once, whoever asks", async () => {
      let verified = 0;
      const world = await openWorld(place, { verify: () => ({ id: "ada", n: ++verified }) });
      const { session } = openSession(place, world.url, ada);
      await session.ready;
      await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
      assertEquals(verified, 2);
      assertEquals(session.state, "authenticated");
    });

    it("goes on when there are no credentials for a refresh, and tries again", async () => {
      const world = await openWorld(place, lasting);
      let asked = 0;
      const { session, events } = openSession(place, world.url, () => {
        if (++asked === 2) throw new Error("no network");
        return { id: "ada", ms: 30_000 };
      });
      await session.ready;
      await assertRejects(() => session.refresh(), UnauthorizedError, "no network");
      assertEquals([session.state, session.error?.code], ["authenticated", "credentials_failed"]);
      await events.next("in");
      await events.next("in");
      assertEquals(session.error, undefined);
    });

    it("goes on when the server declines a refresh, and keeps it", async () => {
      let verified = 0;
      // Nobody can tell whose session it is.
      const world = await openWorld(place, { verify: () => ({ n: ++verified }) });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      const { id } = socket;
      const { code } = await assertRejects(() => session.refresh(), UnauthorizedError);
      assertEquals([code, session.state, session.error?.code, socket.id, verified], [
        ...["subject_mismatch", "authenticated", "subject_mismatch", id, 1],
      ]);
      session.stop();
      assertEquals(events.names.includes("unauthorized"), false);
    });

    it("begins anew where a user whom nobody can tell apart is signed in already", async () => {
      const world = await openWorld(place);
      const first = openSession(place, world.url, ada);
      await first.session.ready;
      const { id } = first.socket;
      first.session.stop();
      await signIn(first.socket, ada).session.ready;
      assert(first.socket.connected && first.socket.id !== id);
    });

    it("is renewed once it has ended, with fresh credentials", async () => {
      const world = await openWorld(place, lasting);
      const told: unknown[] = [];
      let asked = 0;
      const { session, events } = openSession(
        place,
        world.url,
        ({ reason }) =>
          told.push(reason?.code) && { id: "ada", ms: ++asked === 1 ? 300 : 3_600_000 },
        { refreshMargin: -10_000 },
      );
      await session.ready;
      assertEquals(((await events.next("out"))[0] as UnauthorizedError).code, "expired");
      await session.ready;
      assertEquals(told, [undefined, "expired"]);
    });

    it("is not tried for again with what has expired", async () => {
      let verified = 0;
      const world = await openWorld(place, {
        ...lasting,
        verify: () => ({ id: "ada", until: Date.now() - ++verified }),
      });
      const { session } = openSession(place, world.url, () => ({}));
      const error = await assertRejects(() => session.ready, UnauthorizedError);
      assertEquals([error.code, verified, session.state], ["expired", 1, "stopped"]);
    });

    it("is not refreshed more than once a second if that gains nothing", async () => {
      let verified = 0;
      const until = Date.now() + 600;
      const world = await openWorld(place, {
        verify: () => ++verified && { id: "ada", until },
        expiresAt: (user: Member) => user.until,
        grace: 1_500,
      });
      const { session, events } = openSession(place, world.url, ada);
      await session.ready;
      await events.next("out");
      // At half its time, then a second later, and once more when it has ended.
      assert(verified <= 4, `${verified}`);
    });

    it("is over for good when it is revoked", async () => {
      const world = await openWorld(place, lasting);
      const { session, socket } = openSession(place, world.url, { id: "ada" });
      await session.ready;
      await world.auth.revoke({ userId: "ada" });
      await reach(session, "stopped");
      assertEquals([session.error?.code, socket.active], ["revoked", false]);
    });

    it("ends when it is refreshed as somebody else", async () => {
      const world = await openWorld(place, lasting);
      let id = "ada";
      const { session } = openSession(place, world.url, () => ({ id }));
      await session.ready;
      id = "eve";
      await assertRejects(() => session.refresh(), UnauthorizedError, "Signed in as another user");
      assertEquals(session.state, "stopped");
    });

    it("ends without a word if the application says so, and begins when it connects", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, ada);
      await session.ready;
      socket.disconnect();
      assertEquals([session.state, session.retryAt], ["waiting", undefined]);
      assertEquals(session.error?.message, "disconnected: io client disconnect");
      socket.connect();
      await session.ready;
      assertEquals(session.error, undefined);
    });
  });
}

for (const place of places) {
  describe(`signing out (${place.name})`, () => {
    disposeAfterEach();

    it("leaves the connection to whoever signs in next", async () => {
      const world = await openWorld(place, { timeout: "none" });
      const { session, socket, events } = openSession(place, world.url, ada);
      await session.ready;
      const transport = socket.io.engine.id;
      const unanswered = socket.timeout(500).emitWithAck("nobody listens");
      const [[connection]] = await Promise.all([world.log.next("connection")]);
      world.auth.deauthenticate(connection as never);
      assertEquals(((await events.next("out"))[0] as UnauthorizedError).code, "signed_out");
      assertEquals(session.state, "stopped");
      await assertRejects(() => unanswered);
      const next = signIn(socket, { ...ada, username: "grace" });
      await next.session.ready;
      assertEquals(socket.io.engine.id, transport);
    });
  });

  describe(`a challenge (${place.name})`, () => {
    disposeAfterEach();
    const twoFactors = {
      verify: async (_socket: unknown, _credentials: unknown, { challenge }: VerifyContext) =>
        await challenge({ type: "totp" }) === "123456" && { name: "ada" },
      userId,
    };

    for (const handshake of [false, true]) {
      it(`is answered (handshake: ${handshake})`, async () => {
        const world = await openWorld(place, { ...twoFactors, handshake });
        const { session, events } = openSession(place, world.url, ada, {
          handshake,
          onChallenge: async ({ type }) => await Promise.resolve(type === "totp" && "123456"),
        });
        await session.ready;
        await events.next("in");
        // With the first `authenticating`, unless the challenge comes along with CONNECT.
        const states = events.names.filter((name) => !name.startsWith("event")).slice(-4);
        assertEquals(states, ["challenged", "authenticating", "authenticated", "in"]);
        assertEquals(world.auth.stats().accepted, 1);
      });
    }

    it("ends the session if nobody answers it", async () => {
      const world = await openWorld(place, twoFactors);
      const { session } = openSession(place, world.url, ada);
      const error = await assertRejects(() => session.ready, UnauthorizedError);
      assertEquals([error.code, session.state], ["challenge_failed", "stopped"]);
    });

    it("may be answered in a refresh that the server declines", async () => {
      let isDown = false;
      const world = await openWorld(place, {
        verify: async (_socket: unknown, _credentials: unknown, { challenge }: VerifyContext) => {
          const code = await challenge("?");
          if (isDown) throw new Error("no database");
          return code === "123456" && { name: "ada" };
        },
        userId,
      });
      const { session, socket } = openSession(place, world.url, ada, {
        onChallenge: () => "123456",
      });
      await session.ready;
      const { id } = socket;
      isDown = true;
      const { code } = await assertRejects(() => session.refresh(), UnauthorizedError);
      assertEquals([code, session.state, socket.id], ["server_error", "authenticated", id]);
    });

    it("is answered in a refresh while the session goes on", async () => {
      const world = await openWorld(place, twoFactors);
      const challenges = new EventQueue();
      const { session, events } = openSession(place, world.url, ada, {
        onChallenge: () => new Promise((answer) => challenges.push("challenge", answer)),
      });
      const answerNext = async () => {
        const [answer] = await challenges.next("challenge") as [(answer: unknown) => void];
        assertEquals(session.state, states.shift());
        answer("123456");
      };
      const states = ["challenged", "authenticated"];
      await Promise.all([session.ready, answerNext()]);
      await Promise.all([session.refresh(), answerNext()]);
      assertEquals(events.names.filter((name) => name === "authenticated"), ["authenticated"]);
    });
  });

  describe(`credentials in CONNECT (${place.name})`, () => {
    disposeAfterEach();

    it("sign in without another message, where the server takes them", async () => {
      const world = await openWorld(place, { handshake: true });
      const payloads: unknown[] = [];
      const { session, socket } = openSession(place, world.url, () => ada, {
        handshake: true,
        client: { auth: { tenant: "x" } },
      });
      const { io } = socket as unknown as { io: { _packet(packet: { data: unknown }): void } };
      const write = io._packet.bind(io);
      io._packet = (packet) => {
        payloads.push(packet.data);
        write(packet);
      };
      await session.ready;
      assertEquals(payloads, [{ tenant: "x", ...ada }]);
      session.stop();
      assertEquals(socket.auth, { tenant: "x" });
    });

    it("are sent by an event where it does not", async () => {
      const world = await openWorld(place);
      const { session } = openSession(place, world.url, ada, { handshake: true });
      await session.ready;
      assertEquals(world.auth.stats().accepted, 1);
    });

    it("are refused in words", async () => {
      const world = await openWorld(place, { handshake: true });
      const { session } = openSession(place, world.url, { ...ada, password: "no" }, {
        handshake: true,
      });
      const error = await assertRejects(() => session.ready, UnauthorizedError);
      assertEquals([error.code, error.reconnect], ["authentication_failed", false]);
      assertEquals(session.state, "stopped");
    });

    it("need not be any of the client's, where the server finds a cookie", async () => {
      const world = await openWorld(place, {
        handshake: (handshake) => ({
          username: (handshake as { headers: { cookie: string } }).headers.cookie,
          password: "right",
        }),
        reply: ({ name }: { name: string }) => name,
        userId,
      });
      const { session } = openSession(place, world.url, undefined, {
        client: { extraHeaders: { cookie: "ada" } },
      });
      assertEquals(await session.ready, "ada");
      assertEquals(await session.refresh(), "ada");
    });

    it("that a middleware refuses say so", async () => {
      const world = await openWorld(place, {}, {
        setUp: (io) => io.use((_socket, next) => next(new Error("no tenant"))),
      });
      const { session } = openSession(place, world.url, ada);
      const error = await assertRejects(() => session.ready, UnauthorizedError, "no tenant");
      assertEquals([error.code, session.state], ["connect_error", "stopped"]);
    });
  });

  describe(`several namespaces (${place.name})`, () => {
    disposeAfterEach();

    it("sign in over one connection, verified once", async () => {
      let verified = 0;
      const world = await openWorld(place, {
        verify: () => ++verified && { name: "ada" },
      }, { setUp: (io) => ["/a", "/b"].map((name) => io.of(name)) });
      const main = openSession(place, world.url, ada);
      const others = ["/a", "/b"].map((name) => signIn(main.socket.io.socket(name), ada));
      await Promise.all([main, ...others].map(({ session }) => session.ready));
      assertEquals([verified, world.auth.stats().authenticated], [1, 3]);
      main.socket.io.engine.close();
      await Promise.all([main, ...others].map(({ session }) => session.ready));
      assertEquals([verified, world.auth.stats().authenticated], [2, 3]);
    });

    it("sign in under policies of their own", async () => {
      const world = await openWorld(place, {}, { setUp: (io) => io.of("/admin") });
      const main = openSession(place, world.url, ada);
      const other = signIn(openSocket(place, world.url, { path: "/admin" }), ada);
      await Promise.all([main.session.ready, other.session.ready]);
    });
  });
}
