import { assertEquals, assertThrows, describe, it } from "#testing";
import type { VerifyContext } from "../../mod.ts";
import { Connection } from "../../src/core/connection.ts";
import { type Outcome, unauthorized } from "../../src/protocol.ts";
import { FakePeer } from "./fakes.ts";
import { type Callback, type Scene, setUp } from "./set_up.ts";

const flush = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

describe("a connection", () => {
  it("tells first, then opens, then runs the hook, then delivers", () => {
    const { connection, peer, answers, hooks } = setUp();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    assertEquals(peer.done, ["authenticated", "open", "introduce", "deliver"]);
    assertEquals(hooks, ["post a"]);
    assertEquals(peer.session?.user, "ada");
  });

  it("is cut at the deadline to the millisecond, and leaves no timer", () => {
    const { clock, guard, peer } = setUp({ timeout: 1000 });
    clock.advance(999);
    assertEquals(peer.done, []);
    clock.advance(1);
    assertEquals(peer.done, ["unauthorized timeout", "disconnect"]);
    assertEquals(guard.isClosed, true);
    clock.advance(1000);
    assertEquals(clock.pending, 0);
  });

  it("drops a transport a second after it was closed, whatever is said of it", () => {
    for (const isGone of [false, true]) {
      const { clock, guard, connection } = setUp({ timeout: 1000 });
      clock.advance(1999);
      // What is closed above may still be open below.
      if (isGone) connection.close();
      assertEquals(guard.binding.dropped.size, 0);
      clock.advance(1);
      assertEquals([guard.binding.dropped.size, clock.pending], [1, 0]);
    }
  });

  it("counts a socket out that it has disconnected, should the binding forget to say so", () => {
    const { clock, guard, hooks } = setUp({ maxPending: 1 });
    clock.advance(1000);
    assertEquals([guard.journal.stats.pending, hooks], [0, ["gone a server disconnect"]]);
    const { connection, peer } = setUp();
    connection.close();
    connection.leave(peer, "too late");
    assertEquals(connection.guard.journal.stats.pending, 0);
  });

  it("counts the namespaces that are asked for from zero after each sign-in", () => {
    const { connection, peer, answers } = setUp();
    const ask = () => {
      for (let count = 0; count < 64; count++) {
        assertEquals(connection.refusalToJoin(undefined), undefined);
      }
    };
    ask();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    connection.signOut();
    ask();
    assertEquals(connection.refusalToJoin(undefined)?.code, "too_many_attempts");
  });

  it("counts no failure where authorize has not answered in time", () => {
    const { clock, connection, peer, answers } = setUp({
      timeout: "none",
      attempts: 3,
      authorize: () => new Promise(() => {}),
    });
    const outcomes: Outcome[] = [];
    connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
    answers[0]!(null, "ada");
    clock.advance(30_000);
    assertEquals(Object(outcomes[0]).code, "timeout");
    const { failures, errors } = Object(connection.state);
    assertEquals([failures, errors], [0, 1]);
  });

  it("lets a client come back whose rights have changed while authorize was asked", async () => {
    const decide = Promise.withResolvers<boolean>();
    const { clock, guard, connection, peer, answers } = setUp({
      timeout: 60_000,
      authorize: () => decide.promise,
    });
    const outcomes: Outcome[] = [];
    connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
    guard.revocations.revoke({ id: "1", target: { userId: "ada" }, age: 0, within: 1000 });
    answers[0]!(null, "ada");
    clock.advance(2000);
    decide.resolve(true);
    await flush();
    assertEquals(outcomes, [{ ok: false, ...unauthorized("expired") }]);
    assertEquals(unauthorized("expired").reconnect, true);
  });

  it("keeps its deadline when the wall clock jumps", () => {
    const { clock, peer } = setUp({ timeout: 1000 });
    clock.wallOffset -= 3_600_000;
    clock.advance(1000);
    assertEquals(peer.done[0], "unauthorized timeout");
  });

  it("a timeout of any length holds, without timers that overflow", () => {
    const days = 24 * 3_600_000;
    const { clock, peer } = setUp({ timeout: 60 * days });
    clock.advance(59 * days);
    assertEquals(peer.done, []);
    clock.advance(days);
    assertEquals(peer.done[0], "unauthorized timeout");
  });

  it("answers after the deadline run no hook", () => {
    const { clock, connection, peer, answers, hooks } = setUp();
    const outcomes: Outcome[] = [];
    connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
    clock.advance(1000);
    answers[0]!(null, "ada");
    answers[0]!(new Error("no"));
    assertEquals(peer.done, ["unauthorized timeout", "disconnect"]);
    assertEquals(hooks, ["gone a server disconnect"]);
    assertEquals(outcomes, [{ ok: false, ...unauthorized("timeout"), retryAfter: 500 }]);
  });

  it("an answer after the deadline is late, also if no timer has had its turn", () => {
    for (const way of ["callback", "verifier that blocks"]) {
      const scene = setUp(
        way === "callback" ? {} : {
          authenticate(_socket: string, _given: unknown, callback: Callback) {
            scene.clock.block(1000);
            callback(null, "ada");
          },
        },
      );
      const { clock, connection, peer, answers, hooks } = scene;
      connection.authenticate(peer, {}, undefined);
      clock.block(1000);
      answers[0]?.(null, "ada");
      assertEquals(peer.done, ["unauthorized timeout", "disconnect"], way);
      clock.advance(1000);
      assertEquals([hooks, clock.pending], [["gone a server disconnect"], 0], way);
    }
  });

  it("credentials after the deadline are not looked at, nor a refresh after the end", () => {
    const { clock, connection, peer, answers } = setUp({
      expiresAt: () => clock.now() + 500,
    });
    clock.block(1000);
    connection.authenticate(peer, {}, undefined);
    assertEquals([peer.done, answers], [["unauthorized timeout", "disconnect"], []]);

    const later = setUp({ expiresAt: () => later.clock.now() + 500 });
    later.connection.authenticate(later.peer, {}, undefined);
    later.answers[0]!(null, "ada");
    later.clock.block(500);
    later.connection.authenticate(later.peer, {}, undefined);
    assertEquals(later.answers.length, 1);
    assertEquals(later.peer.done.slice(-2), ["unauthorized expired", "disconnect"]);
  });

  it("an answer to a challenge after its time is late, also if no timer has had its turn", async () => {
    const { clock, connection, peer } = setUp({
      verify: async (_socket: string, _given: unknown, { challenge }: VerifyContext) =>
        await challenge("?", { timeout: 5000 }),
    });
    connection.authenticate(peer, {}, undefined);
    clock.block(5001);
    peer.answer!("yes");
    await flush();
    assertEquals(peer.done, ["challenge ?", "unauthorized timeout"]);
    clock.advance(1000);
    assertEquals(peer.done.at(-1), "disconnect");
  });

  it("an attempt without a deadline has 30 seconds, those of its challenges apart", async () => {
    const { clock, connection, peer } = setUp({
      timeout: "none",
      attempts: 2,
      verify: async (_socket: string, _given: unknown, { challenge }: VerifyContext) => {
        await challenge("?", { timeout: 100_000 });
        await new Promise(() => {});
      },
    });
    connection.authenticate(peer, {}, undefined);
    clock.advance(90_000);
    peer.answer!("yes");
    await flush();
    clock.advance(29_999);
    assertEquals(peer.done, ["challenge ?"]);
    clock.advance(1);
    assertEquals([peer.done.at(-1), clock.pending], ["unauthorized timeout", 0]);
    // It may try again, and hears of it again.
    connection.authenticate(peer, {}, undefined);
    peer.answer!("yes");
    await flush();
    clock.advance(31_000);
    assertEquals(peer.done.slice(-2), ["unauthorized timeout", "disconnect"]);
    clock.advance(1000);
    assertEquals(clock.pending, 0);
  });

  it("a second sign-in of a user without an id is declined unseen, and changes nothing", () => {
    const { clock, connection, peer, answers, errors } = setUp();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, true);
    const { session } = peer;
    const done = [...peer.done];
    const outcomes: Outcome[] = [];
    for (let i = 0; i < 3; i++) {
      connection.authenticate(peer, {}, (outcome) => void outcomes.push(outcome));
    }
    const declined: Outcome = { ok: false, ...unauthorized("subject_mismatch"), kept: true };
    assertEquals(outcomes, [declined, declined, declined]);
    clock.advance(60_000);
    assertEquals([answers.length, peer.done, peer.session === session], [1, done, true]);
    assertEquals(errors.map((error) => /userId\(user\)/.test(String(error))), [true]);
  });

  it("a deadline tells the operator its likely cause, once an hour", () => {
    const causes: [options: object, act: (scene: Scene) => void, told: RegExp | undefined][] = [
      [{}, () => {}, undefined],
      [
        {},
        ({ connection, peer }) => connection.authenticate(peer, {}, undefined),
        /not called back/,
      ],
      [
        { verify: () => new Promise(() => {}) },
        ({ connection, peer }) => connection.authenticate(peer, {}, undefined),
        /verify was still running/,
      ],
      [
        { throttle: { limiter: { consume: () => new Promise(() => {}) }, key: () => "key" } },
        ({ connection, peer }) => connection.authenticate(peer, {}, undefined),
        /before the verifier was asked/,
      ],
      [{}, ({ connection }) => void connection.refusalToJoin({ token: 1 }), /handshake: true/],
      [{}, ({ connection }) => void connection.refusalToJoin({ pid: 1, offset: 2 }), undefined],
      [{}, ({ connection }) => connection.heard("authenticate"), /"authenticate" instead/],
      [{}, ({ connection }) => connection.heard("chat"), undefined],
    ];
    for (const [options, act, told] of causes) {
      const scene = setUp(options);
      act(scene);
      scene.clock.advance(1000);
      assertEquals(scene.peer.done, ["unauthorized timeout", "disconnect"]);
      assertEquals(scene.errors.map((error) => told!.test(String(error))), told ? [true] : []);
    }
    const { guard, clock, connection, peer, errors } = setUp();
    connection.authenticate(peer, {}, undefined);
    for (const [hours, count] of [[0, 1], [0, 1], [1, 2]] as const) {
      clock.advance(hours * 3_600_000);
      const another = new Connection(guard, {});
      const client = new FakePeer("another");
      another.join(client);
      another.authenticate(client, {}, undefined);
      clock.advance(1000);
      assertEquals(errors.length, count);
    }
  });

  it("a refresh that is not answered is over after 30 seconds, and the session goes on", () => {
    const { clock, connection, peer, answers } = setUp();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    const done = [...peer.done];
    const outcomes: Outcome[] = [];
    connection.authenticate(peer, {}, (outcome) => void outcomes.push(outcome));
    clock.advance(29_999);
    assertEquals(outcomes, []);
    clock.advance(1);
    assertEquals(outcomes.map((it) => it.ok ? it : [it.code, it.kept]), [["timeout", true]]);
    answers[1]!(null, "ada");
    assertEquals([peer.done, peer.session !== undefined, clock.pending], [done, true, 0]);
  });

  it("an attempt whose sender has left is a failure once the verifier says no", () => {
    for (const isRight of [true, false]) {
      const { connection, peer, answers, guard, hooks } = setUp();
      const other = new FakePeer("b");
      connection.join(other);
      connection.authenticate(peer, {}, undefined);
      peer.connected = false;
      connection.leave(peer, "left");
      assertEquals([peer.done, hooks, other.done], [[], ["gone a left"], []]);
      answers[0]!(null, isRight && "ada");
      assertEquals([other.done, guard.isClosed], [[], false]);
      // The attempts of the transport are used up by that, or not.
      connection.authenticate(other, {}, undefined);
      answers[1]?.(null, "ada");
      assertEquals(other.done[0], isRight ? "authenticated" : "unauthorized too_many_attempts");
    }
  });

  it("an attempt that a throttle or the deadline has kept from the verifier is no failure", () => {
    const { clock, connection, guard, peer } = setUp({
      throttle: { limiter: { consume: () => new Promise(() => {}) }, key: () => "key" },
    });
    guard.binding.isInUse = true;
    connection.authenticate(peer, {}, undefined);
    clock.advance(1000);
    assertEquals(peer.done, ["unauthorized timeout", "disconnect"]);
    const again = new FakePeer("b");
    connection.join(again);
    assertEquals(again.done, []);
  });

  it("an attempt that whoever observes ends is a failure all the same", () => {
    const scene = setUp({
      observe({ type, ok }: { type: string; ok?: boolean }) {
        if (type !== "attempt" || ok) return;
        scene.peer.connected = false;
        scene.connection.leave(scene.peer, "server namespace disconnect");
      },
    });
    scene.guard.binding.isInUse = true;
    scene.connection.authenticate(scene.peer, {}, undefined);
    scene.answers[0]!(null, false);
    scene.clock.advance(1000);
    const again = new FakePeer("b");
    scene.connection.join(again);
    assertEquals(again.done, ["unauthorized too_many_attempts"]);
  });

  it("a refused client that is full meanwhile is closed a second later", () => {
    const { clock, guard, connection, peer, answers } = setUp({ maxPending: 1 });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, false);
    const late = new FakePeer("late");
    connection.join(late);
    assertEquals([guard.isClosed, late.done], [false, []]);
    clock.advance(1000);
    assertEquals([guard.isClosed, late.done, late.isOver], [true, ["disconnect"], true]);
  });

  it("an acknowledgement that throws does not stop the deadline", () => {
    const { clock, connection, peer } = setUp();
    const broken = () => {
      throw new Error("acknowledgement");
    };
    connection.authenticate(peer, {}, undefined);
    assertThrows(() => connection.authenticate(peer, {}, broken), Error, "acknowledgement");
    clock.advance(1000);
    assertEquals(peer.done, ["unauthorized timeout", "disconnect"]);
  });

  it("an attempt whose verifier disconnects its sender is aborted", async () => {
    const called = Promise.withResolvers<VerifyContext>();
    const { clock, connection, peer } = setUp({
      throttle: { limiter: { consume: async () => {} }, key: () => "key" },
      verify(_socket: string, _given: unknown, context: VerifyContext) {
        peer.connected = false;
        connection.leave(peer, "server namespace disconnect");
        called.resolve(context);
      },
    });
    connection.authenticate(peer, {}, undefined);
    const { signal, challenge } = await called.promise;
    assertEquals(signal.aborted, true);
    const refused = challenge("code?").catch((error: Error) => error.message);
    assertEquals(await refused, "Cannot challenge: the attempt is over.");
    connection.close();
    assertEquals(clock.pending, 0);
  });

  it("a verifier that ends its own attempt and then fails is reported", () => {
    const scene = setUp({
      verify() {
        scene.peer.connected = false;
        scene.connection.leave(scene.peer, "server namespace disconnect");
        throw new Error("a bug");
      },
    });
    scene.connection.authenticate(scene.peer, {}, undefined);
    assertEquals(scene.errors.map(String), ["Error: a bug"]);
  });

  it("a session is revoked by whoever hears of its attempt", () => {
    const scene = setUp({
      userId: (user: string) => user,
      observe({ type, userId }: { type: string; userId?: string }) {
        if (type === "attempt" && userId) void scene.guard.revoke({ target: { userId } });
      },
    });
    const outcomes: Outcome[] = [];
    scene.connection.authenticate(scene.peer, {}, (outcome) => void outcomes.push(outcome));
    scene.clock.advance(10);
    scene.answers[0]!(null, "ada");
    assertEquals(outcomes, [{ ok: false, ...unauthorized("revoked") }]);
    scene.clock.advance(1000);
    assertEquals([scene.peer.session, scene.peer.connected], [undefined, false]);
  });

  it("after a refresh each socket's hook is told of the session before", () => {
    const told: unknown[] = [];
    const errors: unknown[] = [];
    let ends = false;
    const scene = setUp({
      onError(error: unknown) {
        errors.push(String(error));
        if (ends) scene.connection.end(unauthorized("server_error"));
      },
      userId: () => "ada",
      postRefresh(socket: string, previous: { user: { role: string } }) {
        told.push([socket, previous.user.role, scene.peer.session?.user]);
        if (told.length === 1) throw new Error("a hook");
      },
    });
    const { connection, peer, answers } = scene;
    const other = new FakePeer("b");
    connection.join(other);
    for (const [i, role] of ["guest", "admin"].entries()) {
      connection.authenticate(peer, {}, undefined);
      answers[i]!(null, { role });
    }
    const now = { role: "admin" };
    assertEquals(told, [["a", "guest", now], ["b", "guest", now]]);
    assertEquals(errors, ["Error: a hook"]);
    // One that has ended the session is the last.
    connection.authenticate(peer, {}, undefined);
    ends = true;
    told.length = 0;
    answers[2]!(null, { role: "none" });
    assertEquals(told.length, 1);
  });

  it("a session is revoked that comes of a refresh in the same turn", () => {
    let hook = () => {};
    const scene = setUp({
      userId: (user: { id: string }) => user.id,
      sessionId: (user: { session: string }) => user.session,
      reply: () => (hook(), true),
    });
    scene.connection.authenticate(scene.peer, {}, undefined);
    scene.answers[0]!(null, { id: "ada", session: "1" });
    scene.connection.authenticate(scene.peer, {}, undefined);
    scene.clock.advance(10);
    hook = () => {
      hook = () => {};
      scene.answers[1]!(null, { id: "ada", session: "2" });
      void scene.guard.revoke({ target: { sessionId: "2" } });
    };
    scene.connection.join(new FakePeer("b"));
    assertEquals(scene.peer.done.slice(-2), ["unauthorized revoked", "disconnect"]);
  });

  it("a challenge that is over is taken back, however it ends", async () => {
    for (const end of ["timeout", "answer", "gone"]) {
      const { clock, connection, peer } = setUp({
        verify: (_socket: string, _given: unknown, { challenge }: VerifyContext) =>
          challenge("?", { timeout: 5000 }),
      });
      connection.authenticate(peer, {}, undefined);
      assertEquals(peer.done, ["challenge ?"]);
      if (end === "timeout") clock.advance(5000);
      if (end === "answer") peer.answer!("yes");
      if (end === "gone") connection.close();
      assertEquals(peer.answer, undefined);
      await flush();
      const told = { timeout: "unauthorized timeout", answer: "authenticated", gone: undefined };
      assertEquals(peer.done[1], told[end as keyof typeof told]);
    }
  });

  it("a socket that is not welcome is ended, also on a connection that was closed before", async () => {
    const { clock, guard, connection, peer } = setUp({ maxPending: 1 });
    guard.binding.isInUse = true;
    clock.advance(1000);
    connection.leave(peer, "server namespace disconnect");
    guard.journal.count("pendingConnections", 1); // somebody else
    const later = new FakePeer("b");
    connection.join(later);
    await flush();
    assertEquals(later.done, ["unauthorized server_busy", "disconnect"]);
  });

  it("does not close a transport that others use", () => {
    const { clock, guard, peer } = setUp();
    guard.binding.isInUse = true;
    clock.advance(1000);
    assertEquals([peer.connected, guard.isClosed], [false, false]);
  });

  it("admits a socket that joins later, in the same order", () => {
    const { connection, peer, answers, hooks } = setUp();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    const later = new FakePeer("b");
    connection.join(later);
    assertEquals(later.done, ["authenticated", "open", "introduce", "deliver"]);
    assertEquals(hooks, ["post a", "post b"]);
  });

  it("a socket that joins during a refresh leaves the refresh alone", () => {
    const { connection, peer, answers } = setUp();
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    const outcomes: Outcome[] = [];
    connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
    const late = new FakePeer("b");
    connection.join(late);
    assertEquals(late.done, ["authenticated", "open", "introduce", "deliver"]);
    assertEquals(outcomes, []);
    answers[1]!(new Error("no"));
    assertEquals(outcomes.map(({ ok }) => ok), [false]);
    assertEquals([peer.connected, late.connected], [false, false]);
  });

  it("a refresh keeps the gate open and runs no hook; a refused one ends the session", () => {
    const { connection, peer, answers, hooks } = setUp();
    const users = ["first", "second"].map((name) => ({ id: "ada", name }));
    for (const user of users) {
      connection.authenticate(peer, {}, undefined);
      answers.at(-1)!(null, user);
    }
    assertEquals(peer.done, ["authenticated", "open", "introduce", "deliver", "authenticated"]);
    assertEquals([peer.session?.user, hooks], [users[1], ["post a"]]);
    connection.authenticate(peer, {}, undefined);
    answers.at(-1)!(null, false);
    assertEquals(peer.done.slice(5), [
      "silence",
      "unauthorized authentication_failed",
      "disconnect",
    ]);
  });

  it("what a hook does takes effect at once, and nothing is delivered to what it has ended", () => {
    const { connection, peer, answers, hooks } = setUp({
      postAuthenticate: () => connection.end(unauthorized("revoked")),
    });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    assertEquals(peer.done, [
      "authenticated",
      "open",
      "introduce",
      "silence",
      "unauthorized revoked",
      "disconnect",
    ]);
    assertEquals(hooks, ["gone a server disconnect"]);
  });

  it("no hook runs for a session that a connection handler has ended, nor for its siblings", () => {
    const { connection, peer, answers, hooks } = setUp();
    const sibling = new FakePeer("b");
    connection.join(sibling);
    peer.introduce = () => {
      peer.done.push("introduce");
      connection.signOut();
    };
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    const end = ["silence", "unauthorized signed_out", "replace"];
    assertEquals(peer.done, ["authenticated", "open", "introduce", ...end]);
    assertEquals(sibling.done, ["authenticated", "open", ...end]);
    assertEquals(hooks, ["gone a server disconnect", "gone b server disconnect"]);
  });

  it("events wait for a postAuthenticate that returns a promise, however it ends", async () => {
    for (const how of ["resolve", "reject"] as const) {
      const hook = Promise.withResolvers<void>();
      const { connection, peer, answers, errors } = setUp({ postAuthenticate: () => hook.promise });
      connection.authenticate(peer, {}, undefined);
      answers[0]!(null, "ada");
      assertEquals(peer.done, ["authenticated", "open", "introduce"]);
      hook[how](new Error("hook") as never);
      await flush();
      assertEquals(peer.done.slice(3), ["deliver"]);
      assertEquals(errors.length, how === "reject" ? 1 : 0);
    }
  });

  it("nothing is delivered to a socket that is gone before that promise settles", async () => {
    const hook = Promise.withResolvers<void>();
    const { connection, peer, answers } = setUp({ postAuthenticate: () => hook.promise });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    connection.end(unauthorized("revoked"));
    hook.resolve();
    await flush();
    assertEquals(peer.done.at(-1), "disconnect");
  });

  it("the application meets a pending socket only if it has said so", () => {
    for (const connection of ["authenticated", "connected"]) {
      const { peer } = setUp({ connection });
      assertEquals(peer.done, connection === "connected" ? ["introduce"] : []);
    }
  });

  it("a signed-out client begins anew, with a deadline of its own, as anybody", () => {
    const { clock, guard, connection, peer, answers } = setUp({
      userId: (user: string) => user,
    });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    clock.advance(5000);
    connection.signOut();
    connection.leave(peer, "server namespace disconnect");
    const next = new FakePeer("next");
    connection.join(next);
    clock.advance(500);
    connection.authenticate(next, {}, undefined);
    answers[1]!(null, "eve");
    assertEquals(next.done, ["authenticated", "open", "introduce", "deliver"]);
    assertEquals([next.session?.user, peer.session?.user], ["eve", "ada"]);
    assertEquals(guard.journal.stats.authenticated, 1);
    // Nobody comes after that one: the deadline still runs, also without a socket.
    connection.signOut();
    clock.advance(1000);
    assertEquals(guard.isClosed, true);
    clock.advance(1000);
    assertEquals(clock.pending, 0);
  });

  it("a session does not outlive its sockets: whoever comes back signs in", () => {
    const { guard, clock, connection, peer, answers } = setUp({
      expiresAt: () => clock.now() + 60_000,
    });
    const sibling = new FakePeer("sibling");
    connection.join(sibling);
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    const leave = (peer: FakePeer) => {
      peer.connected = false;
      connection.leave(peer, "left");
    };
    leave(peer);
    const second = new FakePeer("second");
    connection.join(second);
    assertEquals(second.session?.user, "ada");
    leave(second);
    leave(sibling);
    assertEquals([guard.isClosed, clock.pending], [false, 0]);
    const stranger = new FakePeer("stranger");
    connection.join(stranger);
    assertEquals([stranger.done, clock.pending], [[], 1]);
    connection.authenticate(stranger, {}, undefined);
    answers[1]!(null, "eve");
    assertEquals(stranger.session?.user, "eve");
  });

  it("signing out does nothing to those who are not signed in", () => {
    const { connection, peer } = setUp();
    connection.signOut();
    assertEquals(peer.done, []);
  });

  it("an expired session ends once, when its grace is over, with traffic until then", () => {
    const { clock, connection, peer, answers } = setUp({
      expiresAt: () => clock.now() + 500,
      grace: 300,
    });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    clock.advance(799);
    assertEquals(peer.done, ["authenticated", "open", "introduce", "deliver"]);
    clock.advance(1);
    assertEquals(peer.done.slice(4), ["silence", "unauthorized expired", "disconnect"]);
    clock.advance(1000);
    assertEquals(clock.pending, 0);
  });

  it("a session that is past its end when it is created has the same grace", () => {
    for (const [late, told] of [[299, "authenticated"], [300, "unauthorized expired"]]) {
      const { clock, connection, peer, answers } = setUp({
        expiresAt: () => clock.now() - Number(late),
        grace: 300,
      });
      const outcomes: Outcome[] = [];
      connection.authenticate(peer, {}, (outcome) => outcomes.push(outcome));
      answers[0]!(null, "ada");
      assertEquals(peer.done[0], told);
      const expired = { ok: false, ...unauthorized("expired"), reconnect: false };
      if (late === 300) assertEquals(outcomes, [expired as Outcome]);
    }
  });

  it("a reply that throws ends the connection, and is reported", () => {
    const { clock, connection, peer, answers, errors } = setUp({
      reply() {
        throw new Error("reply");
      },
    });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    clock.advance(1000);
    assertEquals(peer.done, ["unauthorized server_error", "disconnect"]);
    assertEquals(errors.length, 1);
  });

  it("a reply that disconnects the socket and throws counts it once", () => {
    let replies = 0;
    const { guard, connection, peer, answers } = setUp({
      reply() {
        if (replies++ === 0) return;
        peer.connected = false;
        connection.leave(peer, "server namespace disconnect");
        throw new Error("reply");
      },
    });
    for (let i = 0; i < 2; i++) {
      connection.authenticate(peer, {}, undefined);
      answers[i]!(null, "ada");
    }
    const { pending, authenticated } = guard.journal.stats;
    assertEquals([pending, authenticated], [0, 0]);
  });

  it("hooks that throw or reject are reported, and nothing else happens", async () => {
    const { connection, peer, answers, errors } = setUp({
      postAuthenticate: () => Promise.reject(new Error("post")),
      disconnect() {
        throw new Error("disconnect");
      },
    });
    connection.authenticate(peer, {}, undefined);
    answers[0]!(null, "ada");
    connection.leave(peer, "left");
    await flush();
    assertEquals(errors.map((error) => (error as Error).message).sort(), ["disconnect", "post"]);
  });

  it("an onError that throws is nobody's problem", () => {
    const { connection, peer } = setUp({
      verify() {
        throw new Error("verifier");
      },
      onError() {
        throw new Error("onError");
      },
    });
    connection.authenticate(peer, {}, undefined);
    assertEquals(peer.done[0], "unauthorized server_error");
  });
});
