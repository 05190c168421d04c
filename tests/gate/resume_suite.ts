import { assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

/** What `recovery: "resume"` must be, over an adapter that can recover. */
export function describeResumption(name: string, useAdapter: (io: Server) => unknown): void {
  for (const skipMiddlewares of [true, false]) {
    describe(`resumption, ${name}, skipMiddlewares: ${skipMiddlewares}`, () => {
      disposeAfterEach();
      for (const place of engineOnly) suite(place, useAdapter, skipMiddlewares);
    });
  }
}

interface Lost {
  readonly world: World;
  readonly client: Client;
  readonly socket: Socket;
}

function suite(
  place: Place,
  useAdapter: (io: Server) => unknown,
  skipMiddlewares: boolean,
): void {
  /** A client that was signed in, in "room", and has lost its connection. */
  async function lose(options: object = {}, credentials?: object): Promise<Lost> {
    const world: World = await openWorld(place, {
      userId: (user: User) => user.name,
      recovery: "resume",
      disconnect: (socket: Socket) => world.log.push("gone", socket),
      postAuthenticate: (socket: Socket) => world.log.push("welcome", socket),
      ...options,
    }, {
      server: { connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares } },
      setUp: useAdapter,
    });
    const client = await world.connect();
    await client.signIn(credentials);
    const [socket] = await world.log.next("connection") as [Socket];
    await world.log.next("welcome");
    await socket.join("room");
    world.io.emit("first");
    await client.next("first");
    await client.drop();
    await world.log.next("gone");
    return { world, client, socket };
  }

  async function expectPending({ world, client }: Lost, recovered: boolean): Promise<void> {
    await client.reconnect();
    const [socket] = await world.log.next("connection") as [Socket];
    assertEquals([socket.recovered, world.auth.session(socket)], [recovered, undefined]);
    if (recovered) world.io.emit("missed");
    await client.signIn();
    world.io.emit("public");
    await client.next("public");
  }

  it(`goes on at once, with what was missed (${place.name})`, async () => {
    const { world, client, socket } = await lose();
    const before = world.auth.session(socket)!;
    world.io.to("room").emit("missed");
    await client.reconnect();
    await client.next("authenticated");
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals(await world.log.next("welcome"), [again]);
    assertEquals(world.auth.session(again), before);
    assertEquals(before.user, { name: "ada" });
    await client.next("missed");
    world.io.to("room").emit("live");
    await client.next("live");
    client.emit("hello");
    assertEquals(client.received.slice(1), ["first", "authenticated", "missed", "live"]);
    assertEquals([client.socket.recovered, world.errors], [true, []]);
    // Time and again.
    await client.drop();
    await world.log.next("gone");
    await client.reconnect();
    await client.next("authenticated");
  });

  it(`not if the session has expired meanwhile (${place.name})`, async () => {
    let lifetime = 100;
    const lost = await lose({ expiresAt: () => Date.now() + lifetime });
    const { expiresAt } = lost.world.auth.session(lost.socket)!;
    while (Date.now() < expiresAt!) await new Promise((resolve) => setTimeout(resolve, 10));
    lifetime = 60_000;
    await expectPending(lost, true);
    assertEquals(lost.client.received, [
      ...["authenticated", "first", "authenticated", "missed", "public"],
    ]);
  });

  it(`and still expires on time (${place.name})`, async () => {
    const { client } = await lose({ expiresAt: () => Date.now() + 400 });
    await client.reconnect();
    const [refusal] = await client.next("unauthorized") as [{ code: string }];
    assertEquals(refusal.code, "expired");
    assertEquals(client.received, ["authenticated", "first", "authenticated", "unauthorized"]);
  });

  it(`not if it was revoked, nor is anything else handed over (${place.name})`, async () => {
    const lost = await lose();
    lost.world.io.to("room").emit("missed");
    await lost.world.auth.revoke({ userId: "ada" });
    await expectPending(lost, false);
    assertEquals(lost.client.received, ["authenticated", "first", "authenticated", "public"]);
  });

  it(`can be revoked afterwards (${place.name})`, async () => {
    const { world, client } = await lose();
    await client.reconnect();
    await client.next("authenticated");
    assertEquals(await world.auth.revoke({ userId: "ada" }), 1);
    const [refusal] = await client.next("unauthorized") as [{ code: string }];
    assertEquals(refusal.code, "revoked");
  });

  it(`is for the namespace it was lost in, only (${place.name})`, async () => {
    const { world, client, socket } = await lose();
    world.io.of("/other");
    const auth = { pid: socket["pid"], offset: String(offsetOf(client)) };
    const other = openClient(place, world.url, { path: "/other", auth });
    await other.next("connect");
    assertEquals([other.socket.recovered, other.received], [false, []]);
  });

  it(`gives way to other credentials in the handshake (${place.name})`, async () => {
    const { client } = await lose({ handshake: true });
    client.socket.auth = { username: "grace", password: "right" };
    client.socket.connect();
    const [{ data }] = await client.next("connect_error") as [{ data: { code: string } }];
    assertEquals(data.code, "subject_mismatch");
  });
}

const offsetOf = (client: Client) => client.events.all.find(([event]) => event === "first")!.at(-1);
