// Where credentials come from: a function, one that is late, stale or wants to stop; a cookie.
import { assert, assertEquals, assertRejects, describe, it } from "#testing";
import { AuthError } from "../../mod.ts";
import { UnauthorizedError } from "../../src/client/client.ts";
import type { Question } from "../../src/client/session.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, transports } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";
import { ada, openSession, reach, signIn, userId } from "./session.ts";

const wrong = { ...ada, password: "no" };

for (const place of engineOnly) {
  describe(`a function with credentials (${place.name})`, () => {
    disposeAfterEach();

    it("is told why it is asked, how often, and when it is of no use any more", async () => {
      let refusals = 2;
      const world = await openWorld(place, {
        verify: () => {
          if (refusals-- > 0) throw new AuthError("Later", { code: "later", reconnect: true });
          return { name: "ada" };
        },
        userId,
      });
      const asked: [code: string | undefined, attempt: number][] = [];
      let signal: AbortSignal | undefined;
      const { session } = openSession(place, world.url, (question) => {
        asked.push([question.reason?.code, question.attempt]);
        signal = question.signal;
        return ada;
      });
      await session.ready;
      await session.refresh();
      assertEquals(asked, [[undefined, 1], ["later", 2], ["later", 3], [undefined, 3]]);
      assertEquals(signal!.aborted, false);
      session.stop();
      assertEquals(signal!.aborted, true);
    });

    it("is asked once while it is at work, through lost connections, too", async () => {
      const world = await openWorld(place);
      const asked = new EventQueue();
      const { session, socket } = openSession(
        place,
        world.url,
        () => new Promise<object>((bring) => asked.push("asked", bring)),
      );
      const [bring] = await asked.next("asked") as [(credentials: object) => void];
      for (let n = 0; n < 3; n++) {
        const again = new Promise<void>((resolve) => socket.io.once("open", () => resolve()));
        socket.io.engine.close();
        await again;
      }
      bring(ada);
      await session.ready;
      assertEquals(asked.names, ["asked"]);
    });

    it("may be late for a refresh, and the session goes on", async () => {
      const world = await openWorld(place, { userId });
      let asked = 0;
      const late = Promise.withResolvers<object>();
      const { session, events } = openSession(
        place,
        world.url,
        () => ++asked === 2 ? late.promise : ada,
        { credentialsTimeout: 50 },
      );
      await session.ready;
      await events.next("in");
      await assertRejects(() => session.refresh(), UnauthorizedError, "credentialsTimeout");
      assertEquals(session.state, "authenticated");
      late.resolve(ada);
      await events.next("in");
      assertEquals([asked, session.error, world.auth.stats().accepted], [2, undefined, 2]);
    });

    it("may be late with what was sent before, and the client signs in", async () => {
      const world = await openWorld(place);
      let asked = 0;
      const late = Promise.withResolvers<object>();
      const { session, socket } = openSession(
        place,
        world.url,
        () => ++asked === 2 ? late.promise : ada,
        { credentialsTimeout: 50 },
      );
      await session.ready;
      socket.io.engine.close();
      await reach(session, "waiting");
      late.resolve(ada);
      await session.ready;
      assertEquals([asked, world.auth.stats().accepted], [2, 2]);
    });

    it("is asked once more if what it has brought is refused, and what differs is tried", async () => {
      const world = await openWorld(place);
      const reasons: unknown[] = [];
      const { session, events } = openSession(place, world.url, ({ reason }: Question) => {
        reasons.push(reason?.code);
        return reason ? ada : wrong;
      });
      await session.ready;
      assertEquals(reasons, [undefined, "authentication_failed"]);
      assertEquals([world.auth.stats().accepted, world.auth.stats().refused], [1, 1]);
      assertEquals(events.names.filter((name) => name === "out").length, 1);
    });

    for (const handshake of [false, true]) {
      it(`stops if it brings the same again (handshake: ${handshake})`, async () => {
        let verified = 0;
        const world = await openWorld(place, { handshake, verify: () => ++verified && false });
        let asked = 0;
        const { session } = openSession(place, world.url, () => ++asked && wrong, { handshake });
        const { code } = await assertRejects(() => session.ready, UnauthorizedError);
        assertEquals([asked, verified, code], [2, 1, "authentication_failed"]);
        assertEquals(session.state, "stopped");
      });
    }

    it("stops if it brings something else that is refused, too", async () => {
      let verified = 0;
      const world = await openWorld(place, { verify: () => ++verified && false });
      let asked = 0;
      const { session } = openSession(place, world.url, () => ({ asked: ++asked }));
      await reach(session, "stopped");
      assertEquals([asked, verified], [2, 2]);
    });

    it("stops the client by an error that says so", async () => {
      const world = await openWorld(place);
      const { session, socket } = openSession(place, world.url, () => {
        throw Object.assign(new Error("login required"), { reconnect: false });
      });
      const error = await assertRejects(() => session.ready, UnauthorizedError, "login required");
      assertEquals([error.code, session.state], ["credentials_failed", "stopped"]);
      // When somebody has logged in.
      await signIn(socket, ada).session.ready;
    });

    it("is not called for again and again where the server says so oddly", async () => {
      const world = await openWorld(place, {
        verify: () => {
          throw new AuthError("Idle", { code: "expired", reconnect: false });
        },
      });
      let asked = 0;
      const { session } = openSession(place, world.url, () => ({ n: ++asked }));
      await reach(session, "stopped");
      assertEquals([asked, session.error?.code], [1, "expired"]);
    });
  });
}

for (const place of transports) {
  describe(`a cookie (${place.name})`, () => {
    disposeAfterEach();

    /** A server that takes a cookie, and the sessions it knows: until when each is good. */
    async function openStore(sessions: Map<string, number | undefined>) {
      return await openWorld(place, {
        handshake: (handshake) => {
          const { cookie } = (handshake as { headers: { cookie?: string } }).headers;
          return cookie && { sid: cookie };
        },
        verify: (_socket: unknown, given: { sid?: string } | null) =>
          sessions.has(given?.sid ?? "") &&
          { name: "ada", id: "ada", until: sessions.get(given!.sid!) },
        expiresAt: ({ until }: { until?: number }) => until,
      });
    }

    it("that is missing is refused at once, and the client stops", async () => {
      const world = await openStore(new Map());
      const { session } = openSession(place, world.url);
      const error = await assertRejects(() => session.ready, UnauthorizedError);
      assertEquals([error.code, session.state], ["authentication_failed", "stopped"]);
    });

    it("is looked at again for each refresh, on the same connection", async () => {
      const sessions = new Map([["one", Date.now() + 2_000]]);
      const world = await openStore(sessions);
      const { session, socket, events } = openSession(place, world.url, undefined, {
        client: { extraHeaders: { cookie: "one" } },
      });
      await session.ready;
      await events.next("in");
      const { id } = socket;
      sessions.set("one", Date.now() + 3_600_000);
      await events.next("in");
      assert(session.expiresAt! > Date.now() + 3_000_000);
      assertEquals([socket.id, world.auth.stats().accepted], [id, 2]);
    });

    it("that is good no more has the client connect once, with the cookie of then", async () => {
      const sessions = new Map<string, number | undefined>([["one", undefined]]);
      const world = await openStore(sessions);
      const { session, socket, events } = openSession(place, world.url, undefined, {
        client: { extraHeaders: { cookie: "one" } },
      });
      await session.ready;
      await events.next("in");
      sessions.delete("one");
      sessions.set("two", undefined);
      (socket.io.opts as { extraHeaders: object }).extraHeaders = { cookie: "two" };
      const start = Date.now();
      const refreshed = session.refresh();
      await events.next("in");
      assertEquals(await refreshed, true);
      assert(Date.now() - start < 1_000);
      sessions.clear();
      session.refresh().catch(() => {});
      await reach(session, "stopped");
      assertEquals([session.error?.code, world.auth.stats().accepted], [
        "authentication_failed",
        2,
      ]);
    });
  });
}
