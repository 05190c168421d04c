import { EventEmitter } from "node:events";
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import { type Auth, type AuthEvent, type Options, socketioAuth } from "../../mod.ts";
import { normalizeAddress } from "../../src/socketio/address.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { openClient } from "../kit/client.ts";
import { createServer, type Place, places, start } from "../kit/targets.ts";

type Guard = (io: Server, options: Options<Socket, true, unknown>) => Auth<true>;

/** Connects once, with headers if need be, and returns what the first event says. */
async function addressOf(
  place: Place,
  guard: Guard,
  address?: (socket: Socket) => string | undefined,
  headers: Record<string, string> = {},
): Promise<{ address: string | undefined; handshake: string }> {
  const io = createServer();
  const log = new EventQueue();
  guard(io, {
    verify: () => true,
    observe: (event: AuthEvent) => log.push(event.type, event.address),
    connection: "connected",
    ...address && { address },
  });
  io.on("connection", ({ handshake }) => log.push("handshake", handshake.address));
  const { url, close } = await start(place, io);
  onDispose(close);
  openClient(place, url, { headers });
  const [seen] = await log.next("pending");
  const [handshake] = await log.next("handshake");
  return { address: seen as string | undefined, handshake: handshake as string };
}

/** What the one proxy in front of the server has seen, whatever the client says. */
function behindOneProxy({ handshake }: Socket): string | undefined {
  return String(handshake.headers["x-forwarded-for"]).split(",").at(-1)?.trim();
}

describe("the client's address", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`is known, in its own notation (${place.name})`, async () => {
      const { address, handshake } = await addressOf(place, socketioAuth as Guard);
      assertEquals(address, "127.0.0.1");
      assert(handshake.endsWith("127.0.0.1"));
    });

    it(`is what the application says (${place.name})`, async () => {
      const { address } = await addressOf(
        place,
        socketioAuth as Guard,
        ({ id }) => `socket ${typeof id}`,
      );
      assertEquals(address, "socket string");
    });

    it(`behind a proxy is the part of the header that the proxy wrote (${place.name})`, async () => {
      const { address } = await addressOf(place, socketioAuth as Guard, behindOneProxy, {
        "x-forwarded-for": "6.6.6.6, 203.0.113.9",
      });
      assertEquals(address, "203.0.113.9");
    });
  }

  for (const place of places) {
    it(`is there for a throttle, also on an engine of one's own (${place.name})`, async () => {
      const keys = new EventQueue();
      const limiter = { consume: (key: string) => Promise.resolve(keys.push("key", key)) };
      for (const order of ["guard first", "engine first"]) {
        const io = createServer();
        const guard = () => void socketioAuth(io, { verify: () => true, throttle: { limiter } });
        if (order === "guard first") guard();
        const { url, close } = await start(place, io);
        onDispose(close);
        if (order === "engine first") guard();
        const client = openClient(place, url);
        await client.next("connect");
        await client.signIn({});
        assertEquals(await keys.next("key"), ["127.0.0.1"]);
      }
    });
  }

  it("is not looked for on an engine that has nothing but events", () => {
    const io = createServer();
    socketioAuth(io, { verify: () => true });
    io.bind(new EventEmitter());
  });

  it("of IPv4 looks the same on every socket", () => {
    assertEquals(normalizeAddress("::ffff:192.0.2.1"), "192.0.2.1");
    assertEquals(normalizeAddress("::FFFF:192.0.2.1"), "192.0.2.1");
    assertEquals(normalizeAddress("192.0.2.1"), "192.0.2.1");
    assertEquals(normalizeAddress("2001:db8::1"), "2001:db8::1");
    assertEquals(normalizeAddress(undefined), undefined);
  });
});
