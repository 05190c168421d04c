// Clients that were not written for this, from the oldest that a server of Socket.IO 4 can let in.
import { assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { io as connectV4 } from "socket.io-client";
// @ts-expect-error -- it has no types
import connectV2 from "socket.io-client-v2";
// @ts-expect-error -- it has types that its package.json does not lead to
import { io as connectV3 } from "socket.io-client-v3";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { RawClient } from "../kit/raw.ts";
import { places } from "../kit/targets.ts";
import type { World } from "../kit/world.ts";
import { openApplication, verifyWithCode } from "./application.ts";

/** What the clients have in common. */
interface ForeignSocket {
  readonly id: string;
  readonly io: { socket(namespace: string): ForeignSocket };
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

type Connect = (url: string, options: object) => ForeignSocket;

const clients = { 2: connectV2, 3: connectV3, 4: connectV4 } as unknown as Record<string, Connect>;

const EVENTS = [
  "connect",
  "disconnect",
  "authenticated",
  "unauthorized",
  "challenge",
  "welcome",
  "said",
];
const RIGHT = { username: "ada", password: "right" };
const WRONG = { username: "ada", password: "wrong" };

/** A socket of a client, whose events are kept. */
class Foreign {
  readonly socket: ForeignSocket;
  readonly events: EventQueue = new EventQueue();

  constructor(socket: ForeignSocket) {
    this.socket = socket;
    for (const event of EVENTS) socket.on(event, (...args) => this.events.push(event, ...args));
    onDispose(() => socket.disconnect());
  }

  next(event: string): Promise<unknown[]> {
    return this.events.next(event);
  }

  async signIn(credentials: unknown = RIGHT): Promise<void> {
    this.socket.emit("authentication", credentials);
    assertEquals(await this.next("authenticated"), [true]);
  }

  /** Is told why, and closed. */
  async isRefused(message: string, code: string, reconnect: boolean): Promise<void> {
    assertEquals(await this.next("unauthorized"), [{ message, code, reconnect }]);
    assertEquals((await this.next("disconnect"))[0], "io server disconnect");
  }
}

for (const [version, connect] of Object.entries(clients)) {
  for (const place of places) {
    if (place.upgrades) continue;
    // That engine speaks revision 4 of Engine.IO only.
    if (place.engine === "bun-engine" && version === "2") continue;
    describe(`socket.io-client ${version} (${place.name})`, () => {
      disposeAfterEach();
      const server = version === "2" ? { allowEIO3: true } : {};
      const open = (options?: object) => openApplication(place, options, server);
      suite(version, open, async ({ url }) => {
        const options = { ...place.transport, forceNew: true, reconnection: false };
        const client = new Foreign(connect(url, options));
        await client.next("connect");
        return client;
      });
    });
  }
}

function suite(
  version: string,
  open: (options?: object) => Promise<World>,
  connect: (world: World) => Promise<Foreign>,
): void {
  it("signs in", async () => {
    const client = await connect(await open());
    await client.signIn();
    await client.next("welcome");
    client.socket.emit("say", "hello");
    assertEquals(await client.next("said"), ["hello"]);
  });

  it("is refused", async () => {
    const client = await connect(await open());
    client.socket.emit("authentication", WRONG);
    await client.isRefused("Authentication failure", "authentication_failed", false);
  });

  it("is told the outcome by an acknowledgement", async () => {
    const client = await connect(await open());
    const outcome = new Promise((resolve) => client.socket.emit("authentication", RIGHT, resolve));
    assertEquals(await outcome, { ok: true, reply: true });
  });

  it("is closed when it says nothing", async () => {
    const client = await connect(await open({ timeout: 300 }));
    await client.isRefused("Authentication timeout", "timeout", true);
  });

  it("answers a challenge", async () => {
    const client = await connect(await open({ verify: verifyWithCode }));
    client.socket.emit("authentication", RIGHT);
    const [question, answer] = await client.next("challenge") as [unknown, (a: unknown) => void];
    assertEquals(question, { type: "totp" });
    answer("123456");
    await client.next("welcome");
  });

  it("is signed in to a second namespace as well", async () => {
    const client = await connect(await open());
    const before = new Foreign(client.socket.io.socket("/chat"));
    await before.next("connect");
    await client.signIn();
    assertEquals(await before.next("authenticated"), [true]);
    const after = new Foreign(client.socket.io.socket("/later"));
    assertEquals(await after.next("authenticated"), [true]);
  });

  it("is signed out, and signs in again", async () => {
    const world = await open();
    const client = await connect(world);
    await client.signIn();
    const { id } = client.socket;
    const [socket] = await world.log.next("connection") as [Socket];
    world.auth.deauthenticate(socket);
    const signedOut = { message: "Signed out", code: "signed_out", reconnect: false };
    assertEquals(await client.next("unauthorized"), [signedOut]);
    await client.next("connect");
    // Clients of Socket.IO 2 take that of the transport.
    assertEquals(client.socket.id === id, version === "2");
    await client.signIn({ username: "grace", password: "right" });
    assertEquals(client.events.names.includes("disconnect"), false);
  });
}

const [place] = places;

describe("the wire of Socket.IO 2", () => {
  disposeAfterEach();

  async function joinChat(password: string): Promise<RawClient> {
    const server = { allowEIO3: true };
    const { url } = await openApplication(place!, { handshake: true }, server);
    const client = await RawClient.open(url, 3);
    assertEquals(await client.packets.next("40"), [""]);
    client.send(`40/chat?username=ada&password=${password}`);
    return client;
  }

  it("has no payload in CONNECT, but a query", async () => {
    const client = await joinChat("right");
    assertEquals(await client.packets.next("42"), ['["authenticated",true]']);
    assertEquals(await client.packets.next("40"), ["/chat,"]);
  });

  it("has no code in CONNECT_ERROR, but its text", async () => {
    const client = await joinChat("wrong");
    assertEquals(await client.packets.next("44"), ['/chat,"Authentication failure"']);
    await client.packets.next("close");
  });
});
