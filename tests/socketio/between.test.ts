// What breaks between features: credentials in CONNECT, rights, recovery, challenges, sign-outs and
// refusals of one namespace among others, two or three of them together.
import { assert, assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ANN, BOB, type House, NOBODY, openHouse, signIn, type User } from "../kit/house.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { Visitor } from "../kit/visitor.ts";

const butAdmin = { authorize: (_user: User, { nsp }: Socket) => nsp.name !== "/admin" };

/** Who was met, and where. */
function met({ log }: House): string[] {
  return log.all.filter(([name]) => name.startsWith("met")).map(([name, id]) => `${name} ${id}`);
}

/** A right that is granted or not when the test says so. */
function deciding(): { rights: Promise<unknown>; decide: (mayHave: boolean) => void } {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return { rights: promise, decide: resolve };
}

describe("recovery and credentials in CONNECT", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const how of ["with the same credentials", "with others of the same user"]) {
      it(`hand nothing of another user's to a session, ${how} (${place.name})`, async () => {
        const house = await openHouse(place, {}, () => {}, { connectionStateRecovery: {} });
        const chat = house.io.of("/chat");
        const bob = await Visitor.open(house);
        bob.ask("/chat", BOB);
        const { pid } = await bob.connected();
        await bob.event();
        const [socket] = [...chat.sockets.values()] as [Socket];
        socket.data.secret = "bob's";
        await socket.join("bob's room");
        chat.emit("news");
        const offset = (await bob.packet()).content.at(-1);
        bob.raw.close();
        await house.log.next("disconnected");
        chat.to("bob's room").emit("missed");

        const visitor = await Visitor.open(house);
        const mine = how === "with the same credentials" ? ANN : { ...ANN, token: 2 };
        if (mine !== ANN) await signIn(visitor, "/admin", ANN);
        house.doors.shut.add("verifier ann");
        visitor.ask("/", mine);
        visitor.ask("/chat", { ...mine, pid, offset });
        await visitor.allHaveCome();
        house.doors.open.get("verifier ann")!();
        assertEquals(await visitor.refusal(), "/chat subject_mismatch");
        chat.to("bob's room").emit("for bob");
        await house.log.next("met /");
        assert(!chat.adapter.rooms.has("bob's room"));
      });
    }
  }
});

describe("one namespace that is refused among others", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`may be left and asked for again at once (${place.name})`, async () => {
      const house = await openHouse(place, butAdmin);
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/", ANN);
      for (let i = 0; i < 3; i++) {
        visitor.ask("/admin", { ...ANN, token: i });
        assertEquals(await visitor.refusal(), "/admin forbidden");
      }
      await visitor.enter("/admin");
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      visitor.leave("/admin");
      // Socket.IO takes a DISCONNECT one tick later than a CONNECT.
      await house.log.next("disconnected");
      visitor.ask("/admin");
      await visitor.connected();
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      house.io.emit("news");
      assertEquals(await visitor.event(), "/ news");
    });

    it(`may be sent what was on its way: the others stay (${place.name})`, async () => {
      const house = await openHouse(place, butAdmin);
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/", ANN);
      await visitor.enter("/admin");
      await visitor.event();
      house.clock.advance(1000);
      visitor.emit("/admin", "in flight");
      assertEquals(await visitor.left(), "/admin");
      visitor.emit("/admin", "in flight");
      await visitor.allHaveCome();
      house.io.emit("news");
      assertEquals(await visitor.event(), "/ news");
      // For ever it is not.
      house.clock.advance(1000);
      visitor.emit("/admin", "nonsense");
      await visitor.closed();
    });

    it(`may be left by socket.io-client, which asks again (${place.name})`, async () => {
      const house = await openHouse(place, butAdmin);
      const client = openClient(place, house.url, { auth: { ...ANN } });
      await client.next("authenticated");
      const admin = client.sibling("/admin");
      await admin.next("connect");
      for (let i = 0; i < 3; i++) {
        await admin.next("unauthorized");
        admin.socket.disconnect();
        await house.log.next("disconnected");
        admin.socket.connect();
        await admin.next("connect");
      }
      house.io.emit("news");
      await client.next("news");
    });

    it(`is refused alone, though it has brought the credentials (${place.name})`, async () => {
      const house = await openHouse(place, butAdmin);
      const visitor = await Visitor.open(house);
      await visitor.enter("/");
      visitor.ask("/admin", ANN);
      assertEquals(await visitor.refusal(), "/admin forbidden");
      assertEquals(await visitor.event(), "/ authenticated");
      assertEquals(met(house), ["met / ann"]);
    });

    it(`is not told to stay away where an attempt is left (${place.name})`, async () => {
      const house = await openHouse(place, { attempts: 3, timeout: 10_000 });
      const visitor = await Visitor.open(house);
      visitor.ask("/", NOBODY);
      assertEquals(await visitor.refusal(), "/ wrong");
      house.clock.advance(2000);
      visitor.ask("/", ANN);
      await visitor.connected();
      assert(!visitor.raw.packets.names.includes("41"));
    });

    it(`hears nothing of a middleware that fails later (${place.name})`, async () => {
      const house = await openHouse(place);
      let late: (error: Error) => void = () => {};
      let count = 0;
      house.io.of("/").use((_socket, next) => count++ === 0 ? late = next : next());
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", { ...ANN, token: 2 });
      await house.log.next("middleware /");
      await visitor.allHaveCome();
      house.clock.advance(30_000);
      assertEquals(await visitor.refusal(), "/ timeout");
      await visitor.enter("/");
      late(new Error("late"));
      await visitor.allHaveCome();
    });
  }
});

describe("those that wait for an attempt", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    const options = (house: () => House, onOut: (socket: Socket) => unknown) => ({
      attempts: 5,
      timeout: "none" as const,
      verify(socket: Socket, { user }: { user?: string }): unknown {
        house().doors.asked.push({ ...user && { user } });
        if (user === "slow") return house().doors.pass("verifier slow").then(() => false);
        if (user === "out") onOut(socket);
        return user === "out" ? false : { id: user };
      },
    });

    it(`are not verified once the transport is closed, and leave nothing (${place.name})`, async () => {
      const house: House = await openHouse(
        place,
        options(() => house, ({ conn }) => conn.close()) as never,
      );
      house.doors.shut.add("verifier slow");
      const visitor = await Visitor.open(house);
      visitor.ask("/", { user: "slow" });
      visitor.ask("/chat", { user: "out" });
      visitor.ask("/admin", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier slow")!();
      await visitor.closed();
      assertEquals(house.doors.asked.map(({ user }) => user), ["slow", "out"]);
      const { pending, pendingConnections } = house.auth.stats();
      assertEquals([pending, pendingConnections], [0, 0]);
    });

    it(`are not verified after a sign-out, which the next sign-in does not wait for (${place.name})`, async () => {
      const chat = (): Socket => [...house.io.of("/chat").sockets.values()][0]!;
      const house: House = await openHouse(
        place,
        options(() => house, () => house.auth.deauthenticate(chat())) as never,
      );
      house.doors.shut.add("verifier slow");
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", { user: "slow" });
      visitor.ask("/admin", { user: "out" });
      house.io.of("/other");
      visitor.ask("/other", BOB);
      await visitor.allHaveCome();
      house.doors.open.get("verifier slow")!();
      const refusals = [await visitor.refusal(), await visitor.refusal(), await visitor.refusal()];
      assertEquals(refusals.sort(), [
        "/ authentication_failed",
        "/admin signed_out",
        "/other signed_out",
      ]);
      assertEquals(await visitor.event(), "/chat unauthorized signed_out");
      visitor.submit("/chat", ANN);
      assertEquals(await visitor.event(), "/chat authenticated");
      assertEquals(house.doors.asked.map(({ user }) => user), ["ann", "slow", "out", "ann"]);
    });

    it(`are told so, all of them, when the last attempt is refused at once (${place.name})`, async () => {
      const house: House = await openHouse(place, {
        ...options(() => house, () => {}) as object,
        attempts: 2,
      });
      house.doors.shut.add("verifier slow");
      const visitor = await Visitor.open(house);
      visitor.ask("/", { user: "slow" });
      visitor.ask("/chat", { user: "out" });
      visitor.ask("/admin", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier slow")!();
      for (const path of ["/", "/chat", "/admin"]) {
        assertEquals(await visitor.refusal(), `${path} authentication_failed`);
      }
    });

    it(`are verified though an observer disconnects the last socket (${place.name})`, async () => {
      const house: House = await openHouse(place, {
        attempts: 5,
        observe({ type, namespace }) {
          if (type !== "unauthorized" || namespace !== "/") return;
          for (const socket of house.io.of("/chat").sockets.values()) socket.disconnect();
        },
      });
      house.doors.shut.add("verifier nobody");
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", NOBODY);
      visitor.ask("/admin", { ...ANN, token: 2 });
      await visitor.allHaveCome();
      house.doors.open.get("verifier nobody")!();
      await house.log.next("met /admin");
      assertEquals(house.auth.stats().authenticated, 1);
    });

    it(`do not, if they are those of the session: they join at once (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("verifier bob");
      const visitor = await Visitor.open(house);
      await signIn(visitor, "/chat", ANN);
      visitor.ask("/", BOB);
      visitor.ask("/admin", ANN);
      await house.log.next("met /admin");
      assertEquals(house.doors.asked.length, 2);
    });

    it(`are compared with what came, whatever a verifier makes of it (${place.name})`, async () => {
      const used = new Set<unknown>();
      const house: House = await openHouse(
        place,
        {
          async verify(_socket: Socket, credentials: { user?: string; token?: number }) {
            const { user, token } = credentials;
            delete credentials.token;
            await house.doors.pass("verifier");
            if (used.has(token)) return false;
            used.add(token);
            return { id: user! };
          },
        } as never,
      );
      house.doors.shut.add("verifier");
      const visitor = await Visitor.open(house);
      for (const path of ["/", "/chat"]) visitor.ask(path, { ...ANN, token: 1 });
      await visitor.allHaveCome();
      house.doors.open.get("verifier")!();
      await house.log.next("met /");
      await house.log.next("met /chat");
      visitor.ask("/admin", ANN);
      house.doors.shut.clear();
      await house.log.next("met /admin");
      assertEquals(used, new Set([1, undefined]));
    });
  }
});

describe("rights that are asked about", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`do not begin a session before a socket is in that may have it (${place.name})`, async () => {
      const { rights, decide } = deciding();
      const house = await openHouse(place, {
        authorize: (_user, { nsp }) => nsp.name === "/admin" ? rights : true,
      });
      house.doors.shut.add("/");
      const visitor = await Visitor.open(house);
      await visitor.enter("/admin");
      visitor.submit("/admin", ANN);
      visitor.ask("/", ANN);
      await visitor.allHaveCome();
      decide(false);
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      await house.log.next("middleware /");
      await visitor.enter("/chat");
      assertEquals(met(house), []);
      house.clock.advance(1000);
      assertEquals(await visitor.refusal(), "/ timeout");
    });

    it(`leave no session where its only socket goes at that moment (${place.name})`, async () => {
      const house = await openHouse(place, {
        ...butAdmin,
        reply(_user, socket) {
          if (socket.nsp.name === "/") socket.disconnect();
          return true;
        },
      });
      const visitor = await Visitor.open(house);
      await visitor.enter("/", "/admin");
      visitor.submit("/admin", ANN);
      await house.log.next("disconnected");
      await visitor.enter("/chat");
      await visitor.allHaveCome();
      assertEquals([met(house), house.auth.stats().authenticated], [[], 0]);
    });

    it(`go on for others with the same credentials if the sender leaves (${place.name})`, async () => {
      const { rights, decide } = deciding();
      const house = await openHouse(place, {
        authorize: (_user, { nsp }) => nsp.name === "/" ? rights : true,
      });
      house.doors.shut.add("verifier ann");
      const visitor = await Visitor.open(house);
      await visitor.enter("/chat");
      visitor.submit("/chat", ANN);
      visitor.ask("/", ANN);
      await visitor.allHaveCome();
      house.doors.open.get("verifier ann")!();
      await visitor.allHaveCome();
      visitor.leave("/chat");
      await house.log.next("disconnected");
      decide(true);
      assertEquals(await house.log.next("met /"), ["ann"]);
    });

    it(`are asked about once for each socket (${place.name})`, async () => {
      const asked: string[] = [];
      const { rights, decide } = deciding();
      const house = await openHouse(place, {
        authorize(_user, { nsp }) {
          asked.push(nsp.name);
          return rights;
        },
      });
      const visitor = await Visitor.open(house);
      for (const path of ["/", "/chat", "/admin"]) visitor.ask(path, ANN);
      await visitor.allHaveCome();
      decide(true);
      for (const path of ["/", "/chat", "/admin"]) await house.log.next(`met ${path}`);
      assertEquals(asked.sort(), ["/", "/admin", "/chat"]);
    });
  }
});

/** Ann is signed in on /chat. */
async function begin(place: Place): Promise<{ house: House; visitor: Visitor }> {
  const house = await openHouse(place);
  const visitor = await Visitor.open(house);
  await signIn(visitor, "/chat", ANN);
  return { house, visitor };
}

describe("a session whose last socket leaves while others come", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`is over, though another user's socket is connected for a challenge (${place.name})`, async () => {
      const { house, visitor } = await begin(place);
      visitor.ask("/", { ...BOB, isAsked: true });
      await visitor.connected();
      const { id } = await visitor.packet();
      visitor.leave("/chat");
      await house.log.next("disconnected");
      await visitor.enter("/admin");
      visitor.answer("/", id, "1234");
      assertEquals(await house.log.next("met /"), ["bob"]);
      assertEquals(met(house), ["met /chat ann", "met / bob", "met /admin bob"]);
    });

    it(`leaves the time for a question as it is (${place.name})`, async () => {
      const { house, visitor } = await begin(place);
      house.doors.shut.add("/");
      visitor.ask("/", { ...BOB, isAsked: true });
      await house.log.next("middleware /");
      visitor.leave("/chat");
      await house.log.next("disconnected");
      house.doors.open.get("/")!();
      await visitor.connected();
      const { id } = await visitor.packet();
      house.clock.advance(5000);
      visitor.answer("/", id, "1234");
      assertEquals(await house.log.next("met /"), ["bob"]);
    });

    it(`leaves who is let in to a revocation (${place.name})`, async () => {
      const { house, visitor } = await begin(place);
      house.doors.shut.add("/");
      visitor.ask("/", { ...ANN, token: 2 });
      await house.log.next("middleware /");
      visitor.leave("/chat");
      await house.log.next("disconnected");
      await house.auth.revoke({ userId: "ann" });
      assertEquals(await visitor.refusal(), "/ revoked");
    });

    it(`tells those why that were let in, and have not come (${place.name})`, async () => {
      const { house, visitor } = await begin(place);
      house.doors.shut.add("/");
      visitor.ask("/", ANN);
      await house.log.next("middleware /");
      await house.auth.revoke({ userId: "ann" });
      assertEquals(await visitor.refusal(), "/ revoked");
      assertEquals(await visitor.event(), "/chat unauthorized revoked");
    });
  }
});

describe("a policy that comes while a handshake is on its way", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`is the only one that the socket is under (${place.name})`, async () => {
      const house = await openHouse(place);
      house.doors.shut.add("/chat");
      const visitor = await Visitor.open(house);
      visitor.ask("/chat", ANN);
      await house.log.next("middleware /chat");
      socketioAuth(house.io.of("/chat"), {
        verify: (_socket: Socket, { user }: { user: string }) => ({ id: user }),
        timeout: "none",
      });
      house.doors.open.get("/chat")!();
      await visitor.connected();
      visitor.submit("/chat", BOB);
      assertEquals(await visitor.event(), "/chat authenticated");
      house.clock.advance(2500);
      house.io.of("/chat").emit("news");
      assertEquals(await visitor.event(), "/chat news");
    });
  }
});
