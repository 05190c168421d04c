// `auth.refresh`: the rights of a user have changed, and sessions have to be renewed.
import { assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import type { CommonOptions } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { Visitor } from "../kit/visitor.ts";

interface User {
  readonly id: string;
  readonly session?: string;
  readonly ends?: number;
}

const ANN = { userId: "ann" };

interface House extends TimedWorld {
  /** Lets a verification go on that was told to wait. */
  readonly held: (() => void)[];
}

async function openHouse(
  place: Place,
  options: CommonOptions<Socket, User, User & { waits?: true }> = {},
  setUp: (io: Server) => unknown = (io) => io.of("/chat"),
  server: object = {},
): Promise<House> {
  const held: House["held"] = [];
  const world = await openTimedWorld(
    place,
    {
      async verify(_socket: Socket, { waits, ...user }: User & { waits?: true }) {
        if (waits) await new Promise<void>((resolve) => held.push(resolve));
        return user;
      },
      expiresAt: ({ ends }: User) => ends,
      sessionId: ({ session }: User) => session,
      ...options,
    },
    setUp,
    server,
  );
  return Object.assign(world, { held });
}

async function enter(house: House, user: User, ...paths: string[]): Promise<Visitor> {
  const visitor = await Visitor.open(house);
  await visitor.enter("/", ...paths);
  visitor.submit("/", user);
  for (const _ of ["/", ...paths]) await visitor.event();
  await visitor.outcome();
  return visitor;
}

/** What a client is told of the end of its session. */
async function told(visitor: Visitor): Promise<[path: string, name: unknown, expiresIn: number]> {
  const { path, content: [name, , info] } = await visitor.packet();
  return [path, name, (info as { expiresIn: number }).expiresIn];
}

describe("refresh", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`gives sessions another end, and says so to all their sockets (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await enter(house, { id: "ann" }, "/chat");
      const other = await enter(house, { id: "bob" });
      assertEquals(await house.auth.refresh(ANN, { within: 5000 }), 2);
      assertEquals([await told(visitor), await told(visitor)], [
        ["/", "authenticated", 5000],
        ["/chat", "authenticated", 5000],
      ]);
      const [socket] = house.io.sockets.sockets.values();
      assertEquals(house.auth.session(socket!)!.expiresAt, house.clock.now() + 5000);
      // Whoever joins meanwhile has that end, too.
      house.io.of("/later");
      await visitor.enter("/later");
      assertEquals(await told(visitor), ["/later", "authenticated", 5000]);
      house.clock.advance(4999);
      assertEquals(house.auth.stats().authenticated, 4);
      house.clock.advance(1);
      assertEquals(await visitor.events(3), [
        "/ unauthorized expired",
        "/chat unauthorized expired",
        "/later unauthorized expired",
      ]);
      house.io.emit("news");
      assertEquals(await other.event(), "/ news");
    });

    it(`a session that is renewed goes on, by its own end (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await enter(house, { id: "ann" });
      await house.auth.refresh(ANN, { within: 5000 });
      await told(visitor);
      house.clock.advance(1000);
      visitor.submit("/", { id: "ann" });
      assertEquals((await visitor.outcome()).ok, true);
      house.clock.advance(60_000);
      assertEquals(house.auth.stats().authenticated, 1);
    });

    it(`makes no session longer, and has none of its grace (${place.name})`, async () => {
      for (const [ends, left] of [[3000, 3000], [9000, 5000]] as const) {
        const house = await openHouse(place, { grace: 10_000 });
        const visitor = await enter(house, { id: "ann", ends: house.clock.now() + ends });
        await house.auth.refresh(ANN, { within: 5000 });
        // An end that stays as it was is not told.
        if (left < ends) assertEquals(await told(visitor), ["/", "authenticated", left]);
        house.clock.advance(left - 1);
        assertEquals(house.auth.stats().authenticated, 1);
        house.clock.advance(1);
        assertEquals(await visitor.event(), "/ unauthorized expired");
      }
    });

    it(`means attempts in flight, too (${place.name})`, async () => {
      const house = await openHouse(place, { timeout: 60_000 });
      const late = await Visitor.open(house);
      await late.enter("/");
      late.submit("/", { id: "ann", waits: true });
      await late.allHaveCome();
      house.clock.advance(1);
      await house.auth.refresh(ANN, { within: 5000 });
      house.clock.advance(1000);
      house.held.shift()!();
      assertEquals(await told(late), ["/", "authenticated", 4000]);
      // One that begins later is not meant.
      const fresh = await enter(house, { id: "ann" });
      house.clock.advance(4000);
      assertEquals(await late.event(), "/ unauthorized expired");
      house.io.emit("news");
      assertEquals(await fresh.event(), "/ news");
      // And one that takes longer than there is time is refused.
      const slow = await Visitor.open(house);
      await slow.enter("/");
      slow.submit("/", { id: "ann", waits: true });
      await slow.allHaveCome();
      await house.auth.refresh(ANN, { within: 0 });
      house.clock.advance(1);
      house.held.shift()!();
      const { content: [, refusal] } = await slow.packet();
      // With the same credentials it may come again.
      assertEquals(refusal, { message: "Session expired", code: "expired", reconnect: true });
    });

    it(`means a refresh in flight, which began before (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await enter(house, { id: "ann" });
      visitor.submit("/", { id: "ann", waits: true } as User);
      await visitor.allHaveCome();
      house.clock.advance(1);
      await house.auth.refresh(ANN, { within: 5000 });
      await told(visitor);
      house.held.shift()!();
      assertEquals(await told(visitor), ["/", "authenticated", 5000]);
    });

    it(`spares whom it is told to (${place.name})`, async () => {
      const house = await openHouse(place);
      const [phone, laptop] = [
        await enter(house, { id: "ann", session: "phone" }),
        await enter(house, { id: "ann", session: "laptop" }),
      ];
      const except = { sessionId: "phone" };
      assertEquals(await house.auth.refresh(ANN, { within: 5000, except }), 1);
      await told(laptop);
      house.clock.advance(5000);
      assertEquals(await laptop.event(), "/ unauthorized expired");
      house.io.emit("news");
      assertEquals(await phone.event(), "/ news");
    });

    it(`several of them: the strictest holds (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await enter(house, { id: "ann" });
      await house.auth.refresh(ANN, { within: 5000 });
      house.clock.advance(1000);
      await house.auth.refresh(ANN, { within: 9000 });
      // What is no news is not told.
      await visitor.allHaveCome();
      assertEquals(await told(visitor), ["/", "authenticated", 5000]);
      await house.auth.refresh(ANN, { within: 2000 });
      assertEquals(await told(visitor), ["/", "authenticated", 2000]);
      house.clock.advance(2000);
      assertEquals(await visitor.event(), "/ unauthorized expired");
    });

    it(`means the attempt that is being decided, whoever makes it then (${place.name})`, async () => {
      for (const hook of ["observe", "reply"]) {
        let count = 0;
        const refresh = () => {
          if (count++ === 0) void house.auth.refresh(ANN, { within: 5000 });
        };
        const house: House = await openHouse(
          place,
          hook === "reply"
            ? { reply: refresh }
            : { observe: ({ type }) => type === "attempt" ? refresh() : undefined },
        );
        const visitor = await Visitor.open(house);
        await visitor.enter("/");
        visitor.submit("/", { id: "ann" });
        assertEquals((await told(visitor))[2], 5000, hook);
        house.clock.advance(5000);
        assertEquals(await visitor.event(), "/ unauthorized expired");
      }
    });

    it(`holds though the wall clock is set back (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await enter(house, { id: "ann" });
      await house.auth.refresh(ANN, { within: 5000 });
      await told(visitor);
      house.clock.wallOffset -= 3_600_000;
      house.clock.advance(60_000);
      assertEquals(await visitor.event(), "/ unauthorized expired");
    });

    it(`means a lost connection that is back, and has not signed in (${place.name})`, async () => {
      const house = await openHouse(place, { timeout: "none" }, () => {}, {
        connectionStateRecovery: {},
      });
      const lost = await Visitor.open(house);
      lost.ask("/");
      const { pid } = await lost.connected();
      lost.submit("/", { id: "ann" });
      await lost.event();
      house.io.emit("news");
      const offset = (await lost.packet()).content.at(-1);
      lost.raw.close();
      await house.log.next("disconnected");
      const again = await Visitor.open(house);
      again.ask("/", { pid, offset });
      assertEquals((await again.connected()).pid, pid);
      house.clock.advance(1);
      await house.auth.refresh(ANN, { within: 5000 });
      house.clock.advance(5000);
      house.io.emit("missed");
      again.submit("/", { id: "ann" });
      assertEquals(await again.event(), "/ unauthorized expired");
    });

    it(`weakens no revocation (${place.name})`, async () => {
      const house = await openHouse(place, { timeout: 60_000 });
      const late = await Visitor.open(house);
      await late.enter("/");
      late.submit("/", { id: "ann", waits: true });
      await late.allHaveCome();
      house.clock.advance(1);
      await house.auth.revoke(ANN);
      house.clock.advance(1);
      await house.auth.refresh(ANN, { within: 5000 });
      house.held.shift()!();
      assertEquals(await late.event(), "/ unauthorized revoked");
    });

    it(`leaves nothing to recover once the time is over (${place.name})`, async () => {
      for (const after of [1000, 6000]) {
        const house = await openHouse(place, {}, () => {}, { connectionStateRecovery: {} });
        const lost = await Visitor.open(house);
        lost.ask("/");
        const { pid } = await lost.connected();
        lost.submit("/", { id: "ann" });
        await lost.event();
        house.io.emit("news");
        const offset = (await lost.packet()).content.at(-1);
        lost.raw.close();
        await house.log.next("disconnected");
        house.clock.advance(1);
        await house.auth.refresh(ANN, { within: 5000 });
        house.clock.advance(after);
        house.io.emit("missed");
        const again = await Visitor.open(house);
        again.ask("/", { pid, offset });
        assertEquals((await again.connected()).pid === pid, after < 5000);
      }
    });
  }
});
