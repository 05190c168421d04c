import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { Session } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ANN, BOB, type Credentials, NOBODY, openHouse, signIn, type User } from "../kit/house.ts";
import { engineOnly } from "../kit/targets.ts";
import type { TimedWorld } from "../kit/timed.ts";
import { Visitor } from "../kit/visitor.ts";

describe("credentials that come with a CONNECT on a connection that is signed in", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`are another user's: only that namespace is refused (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      for (let i = 0; i < 2; i++) {
        visitor.ask("/", BOB);
        assertEquals(await visitor.refusal(), "/ subject_mismatch");
        house.clock.advance(1000);
        assertEquals(await visitor.left(), "/");
      }
      house.io.of("/chat").emit("news");
      assertEquals(await visitor.event(), "/chat news");
      assertEquals(house.doors.asked, [ANN, BOB, BOB]);
      assertEquals(house.log.names.filter((name) => name.startsWith("met")), ["met /chat"]);
      const { authenticated, pending } = house.auth.stats();
      assertEquals([authenticated, pending], [1, 0]);
    });

    it(`are those of the session: they join, and are not verified again (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/", { user: "ann", token: 1 });
      await signIn(visitor, "/chat", { token: 1, user: "ann" });
      await signIn(visitor, "/admin", { user: "ann", token: 1 });
      assertEquals(house.doors.asked.length, 1);
    });

    it(`are those of the session, several in one packet's time: one verification (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier ann");
      const visitor = await Visitor.open(house);
      for (const path of ["/", "/chat", "/admin"]) visitor.ask(path, ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier ann")!();
      for (const path of ["/", "/chat", "/admin"]) {
        await house.log.next(`met ${path}`);
      }
      assertEquals(house.doors.asked, [ANN]);
      assertEquals(house.auth.stats().accepted, 1);
    });

    it(`are others of the same user: a refresh (${place.name})`, async () => {
      const renewed: unknown[] = [];
      const house = await openHouse(place, {
        postRefresh: (socket: Socket, previous: Session<User>) =>
          renewed.push([socket.nsp.name, previous.expiresAt]),
      });
      const visitor = await Visitor.open(house);
      const soon = house.clock.now() + 5000;
      const later = house.clock.now() + 9000;
      await signIn(visitor, "/chat", { user: "ann", ends: soon });
      visitor.ask("/", { user: "ann", ends: later });
      assertEquals((await visitor.packet()).content[2], {
        expiresAt: later,
        expiresIn: 9000,
      });
      await visitor.connected();
      assertEquals(await visitor.event(), "/ authenticated");
      assertEquals(await house.log.next("met /"), ["ann"]);
      assertEquals(renewed, [["/chat", soon]]);
      house.clock.advance(5001);
      assertEquals(house.auth.stats().authenticated, 2);
      // What the session came of is what it was renewed with.
      await signIn(visitor, "/admin", { user: "ann", ends: later });
      assertEquals(house.doors.asked.length, 2);
    });

    it(`are others of the same user, whom a middleware refuses: nothing is renewed (${place.name})`, async () => {
      const house = await openHouse(place);
      house.io.of("/admin").use((_socket, next) => next(new Error("closed")));
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", { user: "ann" });
      visitor.ask("/admin", { user: "ann", ends: house.clock.now() + 5000 });
      await visitor.raw.packets.next("44");
      house.clock.advance(6000);
      assertEquals(house.auth.stats().authenticated, 1);
      assertEquals(visitor.raw.packets.names.filter((name) => name === "42").length, 1);
    });

    it(`are wrong: each is a failed attempt, and past the last one none is looked at (${place.name})`, async () => {
      const house = await openHouse(place, { attempts: 2 });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      const codes: string[] = [];
      for (const token of [1, 2, 3]) {
        visitor.ask("/", { user: "nobody", token });
        codes.push(await visitor.refusal());
      }
      assertEquals(codes, ["/ wrong", "/ wrong", "/ too_many_attempts"]);
      assertEquals(house.doors.asked.length, 3);
      // Whoever brings none, or those of the session, joins all the same.
      await signIn(visitor, "/", ANN);
      visitor.ask("/admin");
      await house.log.next("met /admin");
      assertEquals(house.auth.stats().authenticated, 3);
    });

    it(`are verified one at a time, while the rest wait (${place.name})`, async () => {
      const house = await openHouse(place, { attempts: 5 });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      house.doors.shut.add("verifier bob").add("verifier nobody");
      visitor.ask("/", BOB);
      visitor.ask("/admin", NOBODY);
      await visitor.allHaveCome();
      assertEquals(house.doors.asked, [ANN, BOB]);
      house.doors.open.get("verifier bob")!();
      assertEquals(await visitor.refusal(), "/ subject_mismatch");
      assertEquals(house.doors.asked, [ANN, BOB, NOBODY]);
      // Whoever brings none does not wait.
      visitor.ask("/");
      await visitor.connected();
      house.doors.open.get("verifier nobody")!();
      assertEquals(await visitor.refusal(), "/admin wrong");
    });

    it(`are nobody's business where users have no id (${place.name})`, async () => {
      const house = await openHouse(place, { userId: () => undefined });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", BOB);
      assertEquals(await visitor.refusal(), "/ subject_mismatch");
      assertEquals(house.doors.asked, [ANN]);
      await signIn(visitor, "/", ANN);
    });

    it(`are not looked for by a function (${place.name})`, async () => {
      let count = 0;
      const house = await openHouse(place, {
        handshake: ({ headers }) => (count++, headers.cookie ?? ANN),
      });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", BOB);
      visitor.ask("/", BOB);
      await house.log.next("met /");
      assertEquals([count, house.doors.asked], [1, [ANN]]);
    });

    it(`count under their own keys, not under those of a refresh (${place.name})`, async () => {
      const keys: string[] = [];
      const limiter = {
        consume: (key: string) => {
          keys.push(key);
          return Promise.resolve({ remainingPoints: 9, msBeforeNext: 1000 });
        },
      };
      const house = await openHouse(place, {
        throttle: { limiter, key: (_socket: Socket, { user }: Credentials) => user! },
      });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", { user: "ann", token: 2 });
      await house.log.next("met /");
      assertEquals(keys, ["ann", "ann"]);
    });

    it(`and a challenge: another user's socket goes again, the others stay (${place.name})`, async () => {
      const house = await openHouse(place, {
        async verify(_socket, { user }, { challenge }) {
          if (user === "bob") await challenge("code?");
          return { id: user! };
        },
      });
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", BOB);
      await visitor.connected();
      const { id } = await visitor.packet();
      visitor.answer("/", id, "1234");
      assertEquals(await visitor.event(), "/ unauthorized subject_mismatch");
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/");
      assertEquals(house.log.names.filter((name) => name.startsWith("met")), ["met /chat"]);
      assertEquals(house.auth.stats().authenticated, 1);
    });

    it(`are those of somebody who takes over, if the last socket leaves meanwhile (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier bob");
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", BOB);
      visitor.leave("/chat");
      await house.log.next("disconnected");
      house.doors.open.get("verifier bob")!();
      assertEquals(await house.log.next("met /"), ["bob"]);
    });

    it(`are refused if it is signed out meanwhile (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier bob");
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      await house.log.next("met /chat");
      const [socket] = house.io.of("/chat").sockets.values();
      visitor.ask("/", BOB);
      visitor.ask("/admin", NOBODY);
      await visitor.allHaveCome();
      house.auth.deauthenticate(socket!);
      const refusals = [await visitor.refusal(), await visitor.refusal()];
      assertEquals(refusals, ["/ signed_out", "/admin signed_out"]);
      house.doors.open.get("verifier bob")!();
      visitor.submit("/chat", ANN);
      await house.log.next("met /chat");
      assertEquals(house.auth.stats().authenticated, 1);
    });
  }
});

describe("a socket that was let into a session", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`does not come into the next one, which is somebody else's (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      await house.log.next("met /chat");
      const [socket] = house.io.of("/chat").sockets.values();
      house.doors.shut.add("/");
      visitor.ask("/", ANN);
      await house.log.next("middleware /");
      house.auth.deauthenticate(socket!);
      assertEquals(await visitor.refusal(), "/ signed_out");
      await visitor.connected();
      visitor.submit("/chat", BOB);
      assertEquals(await house.log.next("met /chat"), ["bob"]);
      house.doors.open.get("/")!();
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/");
      assertEquals(house.auth.stats().authenticated, 1);
      assert(!house.log.names.includes("met /"));
    });
  }
});

describe("credentials that come with a CONNECT on a connection that is being signed in", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`wait, and are another user's (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier ann");
      const visitor = await Visitor.open(house);
      visitor.ask("/chat");
      await visitor.connected();
      visitor.submit("/chat", ANN);
      visitor.ask("/", BOB);
      visitor.ask("/admin", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier ann")!();
      assertEquals(await visitor.refusal(), "/ subject_mismatch");
      await house.log.next("met /admin");
      assertEquals(house.doors.asked, [ANN, BOB]);
      assertEquals(house.auth.stats().authenticated, 2);
    });

    it(`wait, and are the first that are right, with attempts left (${place.name})`, async () => {
      const house = await openHouse(place, { attempts: 2 });
      house.doors.shut.add("verifier nobody");
      const visitor = await Visitor.open(house);
      visitor.ask("/chat", NOBODY);
      visitor.ask("/", NOBODY);
      visitor.ask("/admin", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier nobody")!();
      assertEquals(await visitor.refusal(), "/chat wrong");
      assertEquals(await visitor.refusal(), "/ wrong");
      await house.log.next("met /admin");
      assertEquals(house.doors.asked, [NOBODY, ANN]);
    });

    it(`are told so, too, if the attempt is refused (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier nobody");
      const visitor = await Visitor.open(house);
      visitor.ask("/chat", NOBODY);
      visitor.ask("/", NOBODY);
      visitor.ask("/admin", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier nobody")!();
      const refusals = [await visitor.refusal(), await visitor.refusal(), await visitor.refusal()];
      assertEquals(refusals, ["/chat wrong", "/ wrong", "/admin wrong"]);
      house.clock.advance(1000);
      await visitor.raw.packets.next("close");
      assertEquals(house.doors.asked, [NOBODY]);
      assertEquals(visitor.raw.packets.names.filter((name) => name === "41").length, 3);
    });

    it(`go on if the first one leaves while it is verified (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier ann");
      const visitor = await Visitor.open(house);
      visitor.ask("/chat");
      await visitor.connected();
      visitor.submit("/chat", ANN);
      visitor.ask("/", ANN);
      await visitor.allHaveCome();
      house.doors.shut.clear();
      visitor.leave("/chat");
      await house.log.next("met /");
      house.doors.open.get("verifier ann")!();
      assertEquals(house.doors.asked, [ANN, ANN]);
      assertEquals(house.auth.stats().authenticated, 1);
    });

    for (const how of ["refuses", "hangs"] as const) {
      it(`go on if a middleware ${how} for the first one (${place.name})`, async () => {
        const house = await openHouse(place);
        house.io.of("/chat").use((_socket, next) => {
          if (how === "refuses") next(new Error("closed"));
        });
        house.doors.shut.add("verifier ann");
        const visitor = await Visitor.open(house);
        visitor.ask("/chat", ANN);
        visitor.ask("/", ANN);
        await visitor.allHaveCome();
        house.doors.open.get("verifier ann")!();
        await house.log.next("met /");
        house.clock.advance(1000);
        assertEquals([house.doors.asked, house.auth.stats().authenticated], [[ANN], 1]);
      });
    }

    it(`join the session that is renewed while a middleware runs (${place.name})`, async () => {
      let goOn = () => {};
      const house = await openHouse(place);
      house.io.of("/chat").use((_socket, next) => void (goOn = next));
      house.doors.shut.add("verifier ann");
      const visitor = await Visitor.open(house);
      visitor.ask("/", ANN);
      visitor.ask("/chat", ANN);
      await visitor.allHaveCome();
      house.doors.shut.clear();
      house.doors.open.get("verifier ann")!();
      await house.log.next("met /");
      visitor.submit("/", ANN);
      await visitor.allHaveCome();
      assertEquals([house.doors.asked, house.auth.stats().accepted], [[ANN, ANN], 2]);
      goOn();
      await house.log.next("met /chat");
      assertEquals(house.auth.stats().authenticated, 2);
    });
  }
});

describe("a verdict on a handshake", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`comes into force with the socket: until then nobody is signed in (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("/");
      house.io.of("/").use((socket, next) => {
        house.log.push("session", house.auth.session(socket));
        next();
      });
      const visitor = await Visitor.open(house);
      visitor.ask("/", ANN);
      await house.log.next("middleware /");
      visitor.ask("/chat");
      await visitor.connected();
      assertEquals(house.auth.stats().authenticated, 0);
      house.doors.open.get("/")!();
      assertEquals(await house.log.next("session"), [undefined]);
      await house.log.next("met /");
      assertEquals(await house.log.next("met /chat"), ["ann"]);
    });

    it(`leaves nothing behind if a middleware refuses the socket later (${place.name})`, async () => {
      const house = await openHouse(place);
      house.io.of("/").use((_socket, next) => next(new Error("maintenance")));
      house.doors.shut.add("/");
      const visitor = await Visitor.open(house);
      visitor.ask("/", ANN);
      await house.log.next("middleware /");
      visitor.ask("/chat");
      await visitor.connected();
      house.doors.open.get("/")!();
      await visitor.raw.packets.next("44");
      assertEquals(house.auth.stats().authenticated, 0);
      assert(!house.log.names.some((name) => name.startsWith("met")));
      house.clock.advance(1000);
      assertEquals(await visitor.event(), "/chat unauthorized timeout");
    });

    const ends: Record<string, [how: (house: TimedWorld) => unknown, told: string]> = {
      "revocation": [({ auth }) => auth.revoke({ userId: "ann" }), "revoked"],
      "expiry": [({ clock }) => clock.advance(500), "expired"],
      "the deadline": [({ clock }) => clock.advance(1000), "timeout"],
    };
    for (const [what, [end, told]] of Object.entries(ends)) {
      it(`is looked at again then: ${what} (${place.name})`, async () => {
        const house = await openHouse(place);
        house.doors.shut.add("/");
        const visitor = await Visitor.open(house);
        visitor.ask("/", { user: "ann", ends: house.clock.now() + 500 });
        await house.log.next("middleware /");
        if (what === "the deadline") house.clock.wallOffset -= 1000;
        await end(house);
        house.doors.open.get("/")!();
        if (what === "expiry") {
          await visitor.connected();
          assertEquals(await visitor.event(), `/ unauthorized ${told}`);
        } else assertEquals(await visitor.refusal(), `/ ${told}`);
        assertEquals(house.auth.stats().authenticated, 0);
        if (what === "the deadline") {
          const { error, context } = house.errors[0]!;
          assertEquals(context.during, "gate");
          assert(String(error).includes("a middleware of the namespace"));
        }
      });
    }
  }
});
