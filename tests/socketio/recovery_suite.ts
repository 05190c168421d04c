import { assert, assertEquals, describe, it } from "#testing";
import type { Server, ServerOptions, Socket } from "socket.io";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld, type User, type World } from "../kit/world.ts";

const GRACE = { username: "grace", password: "right" };

/** What connection state recovery must be, over an adapter that can do it. */
export function describeRecovery(
  name: string,
  useAdapter: (io: Server) => unknown,
): void {
  for (const skipMiddlewares of [true, false]) {
    describe(`recovery, ${name}, skipMiddlewares: ${skipMiddlewares}`, () => {
      disposeAfterEach();
      for (const place of engineOnly) suite(place, useAdapter, skipMiddlewares);
    });
  }
}

function suite(
  place: Place,
  useAdapter: (io: Server) => unknown,
  skipMiddlewares: boolean,
): void {
  const server: Partial<ServerOptions> = {
    connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares },
  };

  async function open(options: object = {}): Promise<World> {
    const world: World = await openWorld(place, {
      userId: (user: User) => user.name,
      // To have pending sockets in hand.
      connection: "connected",
      disconnect: (socket: Socket) => world.log.push("gone", socket),
      ...options,
    }, {
      server,
      setUp: async (io) => {
        await useAdapter(io);
        io.of("/other");
        io.use((socket, next) => (world.log.push("middleware", socket.recovered), next()));
      },
    });
    return world;
  }

  /** Signs in, joins "room", and has seen one packet, so that there is an offset. */
  async function member(world: World): Promise<{ client: Client; socket: Socket; pid: string }> {
    const client = await world.connect();
    await client.signIn();
    const [socket] = await world.log.next("connection") as [Socket];
    socket.data = { color: "red", size: 0 };
    await socket.join("room");
    world.io.emit("first");
    await client.next("first");
    return { client, socket, pid: socket["pid"] };
  }

  /** Breaks the connection, and waits until the server has noticed. */
  async function lose(world: World, client: Client): Promise<void> {
    await client.drop();
    await world.log.next("gone");
  }

  const offsetOf = (client: Client) =>
    String(client.events.all.find(([e]) => e === "first")!.at(-1));

  it(`the same user gets rooms and missed packets, once and in order (${place.name})`, async () => {
    const world = await open();
    const { client, socket } = await member(world);
    await lose(world, client);
    world.io.emit("missed", 1);
    world.io.to("room").emit("missed", 2);
    world.io.to("elsewhere").emit("not mine");
    world.io.to(socket.id).emit("missed", 3);

    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals([again.recovered, client.socket.recovered], [true, true]);
    // Its data is the user's, and comes with the sign-in.
    assertEquals([again.id, again.data], [socket.id, {}]);
    // Nobody has signed in yet: what is sent now is missed as well.
    world.io.to("room").emit("missed", 4);
    again.emit("held");
    assertEquals(world.io.of("/").adapter.sids.has(again.id), false);
    assertEquals((await world.io.fetchSockets()).length, 0);
    again.data.size = 1;
    await client.signIn();
    await client.next("held");
    assertEquals(again.data, { color: "red", size: 1 });
    world.io.to("room").emit("live");
    await client.next("live");

    const received = client.events.all.filter(([event]) => !event.includes("connect"));
    assertEquals(received.map(([event, n]) => typeof n === "number" ? `${event} ${n}` : event), [
      "authenticated",
      "first",
      "authenticated",
      "missed 1",
      "missed 2",
      "missed 3",
      "missed 4",
      "held",
      "live",
    ]);
    assertEquals([...again.rooms].sort(), [again.id, "room"].sort());
    assertEquals(world.errors, []);
  });

  it(`what is sent to the socket while its client is away is missed as well (${place.name})`, async () => {
    const world = await open({ connection: "authenticated" });
    const { client, socket } = await member(world);
    socket.on("disconnect", () => socket.emit("missed", 0));
    await lose(world, client);
    socket.emit("missed", 1);
    world.io.to(socket.id).emit("missed", 2);
    await client.reconnect();
    // Not to whoever has come back, before it is known who that is.
    socket.emit("missed", 3);
    await client.signIn();
    await world.log.next("connection");
    // The same user by the same id, on whichever object.
    socket.emit("missed", 4);
    for (const n of [0, 1, 2, 3, 4]) assertEquals((await client.next("missed"))[0], n);
    assertEquals(client.received.slice(2, 3), ["authenticated"]);
  });

  it(`nor does another user, or a revoked one, get that (${place.name})`, async () => {
    for (const end of ["another", "revoked"]) {
      const world = await open({ connection: "authenticated" });
      const { client, socket } = await member(world);
      await lose(world, client);
      socket.emit("secret");
      if (end === "revoked") await world.auth.revoke({ userId: "ada" });
      socket.emit("secret");
      await client.reconnect();
      socket.emit("secret");
      if (end === "another") {
        client.emit("authentication", GRACE);
        await client.next("unauthorized");
      } else {
        await client.signIn();
        await world.log.next("connection");
        socket.emit("secret");
        world.io.emit("public");
        await client.next("public");
      }
      assert(!client.received.includes("secret"), `${end}: ${client.received}`);
    }
  });

  it(`the application meets it once, recovered and in its rooms (${place.name})`, async () => {
    const world = await open({ connection: "authenticated" });
    const { client } = await member(world);
    await lose(world, client);
    world.io.to("room").emit("missed");
    world.io.on("connection", (socket) => {
      world.log.push("met", socket.recovered, socket.rooms.has("room"), socket.data);
    });
    await client.reconnect();
    await client.signIn();
    assertEquals(await world.log.next("met"), [true, true, { color: "red", size: 0 }]);
    await client.next("missed");
    assertEquals(world.log.names.filter((name) => name === "met").length, 1);
  });

  it(`its handlers find it in its rooms (${place.name})`, async () => {
    const seen: unknown[] = [];
    const world = await open({
      connection: "authenticated",
      postAuthenticate: (socket: Socket) => seen.push(socket.rooms.has("room")),
    });
    const { client } = await member(world);
    await lose(world, client);
    world.io.on("connection", async (socket) => {
      world.io.to("room").emit("joined");
      const inRoom = await world.io.local.in("room").fetchSockets();
      world.log.push("found", inRoom.map(({ id }) => id).includes(socket.id));
    });
    await client.reconnect();
    await client.signIn();
    assertEquals(await world.log.next("found"), [true]);
    await client.next("joined");
    assertEquals(seen, [false, true]);
  });

  it(`a room that the application takes away meanwhile is not made up for (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    await lose(world, client);
    world.io.to("room").emit("secret");
    world.io.emit("missed");
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    again.leave("room");
    await client.signIn();
    await client.next("missed");
    assertEquals(client.received.slice(2), ["authenticated", "missed"]);
  });

  it(`again and again, also before anything new has come (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    for (const n of [1, 2, 3]) {
      await lose(world, client);
      world.io.to("room").emit("missed", n);
      await client.reconnect();
      await client.signIn();
      assertEquals((await client.next("missed"))[0], n);
    }
    assertEquals(client.received.filter((event) => event === "missed").length, 3);
  });

  it(`nothing from before the session: the next user of a socket (${place.name})`, async () => {
    const world = await open();
    const { client, socket } = await member(world);
    world.auth.deauthenticate(socket);
    await client.next("connect");
    const [next] = await world.log.next("connection") as [Socket];
    await world.log.next("gone");
    world.io.emit("between");
    const witness = await world.connect();
    await witness.signIn();
    // What was sent has been taken by the adapter by then.
    world.io.to(witness.socket.id!).emit("probe");
    await witness.next("probe");
    await client.signIn(GRACE);
    await next.join("room");
    await lose(world, client);
    world.io.to("room").emit("missed");
    await client.reconnect();
    assertEquals(client.socket.recovered, true);
    await client.signIn(GRACE);
    await client.next("missed");
    assertEquals(client.received.includes("between"), false);
  });

  it(`nothing from before the session, whatever offset the client names (${place.name})`, async () => {
    const world = await open({ open: "/open" });
    world.io.of("/open");
    const { client, socket } = await member(world);
    const old = offsetOf(client);
    const bystander = client.sibling("/open");
    await bystander.next("connect");
    world.io.of("/open").emit("first");
    const [foreign] = await bystander.next("first") as [string];
    world.io.to("room").emit("before");
    await client.next("before");
    client.socket.disconnect();
    await world.log.next("gone");

    const credentials = JSON.stringify({ username: "ada", password: "right" });
    /** Signs in by hand, and waits for an event. */
    const enter = async (payload: object, awaited: string) => {
      const raw = await RawClient.open(world.url);
      raw.send(`40${JSON.stringify(payload)}`);
      const [text] = await raw.packets.next("40");
      const { pid } = JSON.parse(String(text)) as { pid: string };
      raw.send(`42["authentication",${credentials}]`);
      await raw.packets.next("42");
      const { log } = world;
      await log.next("connection");
      for (const { id } of world.io.of("/").sockets.values()) world.io.in(id).socketsJoin("room");
      world.io.to("room").emit(awaited);
      const names = () => raw.events.map((event) => (event as string[])[0]);
      while (!names().includes(awaited)) await raw.packets.next("42");
      return { raw, pid, names: names() };
    };
    for (const offset of [old, foreign, "0-0", "9999999999999-0", "nonsense", ""]) {
      const { raw, pid } = await enter({}, "since");
      raw.close();
      await world.log.next("gone");
      const again = await enter({ pid, offset }, "live");
      const leaked = again.names.filter((name) => name === "before" || name === "first");
      assertEquals([offset, leaked], [offset, []]);
      again.raw.close();
      await world.log.next("gone");
    }
    assert(socket.disconnected);
  });

  it(`a room that it was put out of before it was lost again is not entered (${place.name})`, async () => {
    const hook = Promise.withResolvers<void>();
    let isSlow = false;
    const world = await open({
      connection: "authenticated",
      postAuthenticate: () => isSlow && hook.promise,
    });
    const { client } = await member(world);
    isSlow = true;
    await lose(world, client);
    await client.reconnect();
    client.emit("authentication", { username: "ada", password: "right" });
    const [again] = await world.log.next("connection") as [Socket];
    again.leave("room");
    await client.next("authenticated");
    await lose(world, client);
    world.io.to("room").emit("secret");
    world.io.emit("missed");
    isSlow = false;
    await client.reconnect();
    await client.signIn();
    await client.next("missed");
    assertEquals(client.received.includes("secret"), false);
    hook.resolve();
  });

  it(`is in no room after a sign-in that has failed at its end (${place.name})`, async () => {
    let fails = false;
    const world = await open({
      attempts: 3,
      reply() {
        if (fails) throw new Error("reply");
        return true;
      },
    });
    const { client } = await member(world);
    await lose(world, client);
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    fails = true;
    client.emit("authentication", { username: "ada", password: "right" });
    await client.next("unauthorized");
    await again.join("room");
    world.io.to("room").emit("missed");
    fails = false;
    await client.signIn();
    await client.next("missed");
    assertEquals(client.received, [
      "authenticated",
      "first",
      "unauthorized",
      "authenticated",
      "missed",
    ]);
  });

  it(`another user gets neither, and is told so (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    await lose(world, client);
    world.io.to("room").emit("secret");
    await client.reconnect();
    client.emit("authentication", GRACE);
    const [refusal] = await client.next("unauthorized") as [{ code: string; reconnect: boolean }];
    assertEquals([refusal.code, refusal.reconnect], ["subject_mismatch", false]);
    assertEquals(client.received, ["authenticated", "first", "unauthorized"]);
  });

  it(`a client that stays silent gets nothing (${place.name})`, async () => {
    const world = await open({ timeout: 1000 });
    const { client } = await member(world);
    await lose(world, client);
    world.io.emit("secret");
    await client.reconnect();
    const [refusal] = await client.next("unauthorized") as [{ code: string }];
    assertEquals(refusal.code, "timeout");
    await client.next("disconnect");
    assertEquals(client.received, ["authenticated", "first", "unauthorized"]);
  });

  it(`a pid is good for one connection (${place.name})`, async () => {
    const world = await open();
    const { client, pid } = await member(world);
    await lose(world, client);
    world.io.emit("secret");
    await client.reconnect();
    const thief = await RawClient.open(world.url);
    thief.send(`40${JSON.stringify({ pid, offset: offsetOf(client) })}`);
    const [answer] = await thief.packets.next("40");
    assertEquals(JSON.parse(String(answer)).pid === pid, false);
    // Not even to somebody who may sign in, and not even as the same user.
    thief.send(
      `42${JSON.stringify(["authentication", { username: "undefined", password: "right" }])}`,
    );
    await thief.packets.next("42");
    await client.signIn();
    await client.next("secret");
    world.io.emit("end");
    await thief.packets.next("42");
    assertEquals(thief.events.map((event) => (event as unknown[])[0]), ["authenticated", "end"]);
  });

  it(`a pid is good for one namespace (${place.name})`, async () => {
    const world = await open();
    const { client, pid } = await member(world);
    await lose(world, client);
    world.io.of("/other").to("room").emit("secret");
    const thief = await RawClient.open(world.url);
    thief.send(`40/other,${JSON.stringify({ pid, offset: offsetOf(client) })}`);
    const [answer] = await thief.packets.next("40");
    assertEquals(String(answer).includes(pid), false);
  });

  it(`a client that was never authenticated recovers nothing (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    const stranger = await world.connect();
    const [socket] = await world.log.next("connection") as [Socket];
    await stranger.drop();
    await world.log.next("gone");
    world.io.emit("secret");
    for (const pid of [socket["pid"], "", "__proto__", "socketio-auth:/:x", 7, null]) {
      const raw = await RawClient.open(world.url);
      raw.send(`40${JSON.stringify({ pid, offset: offsetOf(client) })}`);
      await raw.packets.next("40");
      const [again] = await world.log.next("connection") as [Socket];
      assertEquals(again.recovered, false);
      raw.send('42["authentication",{"username":"eve","password":"right"}]');
      await raw.packets.next("42");
      assertEquals(raw.events.length, 1);
    }
  });

  it(`without userId nobody can be told to be the same, and nothing is kept (${place.name})`, async () => {
    const world = await open({ userId: undefined });
    const { client } = await member(world);
    await lose(world, client);
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals(again.recovered, false);
  });

  it(`a connection that the server ended is not recoverable (${place.name})`, async () => {
    const world = await open();
    const { client, pid } = await member(world);
    client.emit("authentication", { username: "ada", password: "wrong" });
    await client.next("disconnect");
    const thief = await RawClient.open(world.url);
    thief.send(`40${JSON.stringify({ pid, offset: offsetOf(client) })}`);
    const [answer] = await thief.packets.next("40");
    assertEquals(String(answer).includes(pid), false);
  });

  it(`a recovered namespace of a signed-in connection gets its own (${place.name})`, async () => {
    const world = await open();
    world.io.of("/other").on("connection", (socket) => void world.log.push("other", socket));
    const main = await world.connect();
    const other = main.sibling("/other");
    await other.next("connect");
    await main.signIn();
    await other.next("authenticated");
    world.io.of("/other").emit("first");
    await other.next("first");
    await main.drop();
    await world.log.next("gone");
    await world.log.next("gone");
    world.io.of("/other").emit("missed");
    await main.reconnect();
    await main.signIn();
    await other.next("connect"); // by itself, like all namespaces of a connection
    await other.next("missed");
    assertEquals(other.received.slice(2), ["authenticated", "missed"]);
  });

  it(`what is sent all the while comes once and in order (${place.name})`, async () => {
    const world = await open({ connection: "authenticated" });
    const { client } = await member(world);
    let last = 0;
    let isSending = true;
    const sending = (async () => {
      while (isSending) {
        world.io.to("room").emit("room", ++last);
        world.io.to("elsewhere").emit("room", -1);
        world.io.emit("room", ++last);
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    })();
    const numbers: number[] = [];
    client.socket.on("room", (n: number) => numbers.push(n));
    for (let i = 0; i < 5; i++) {
      await client.next("room");
      await lose(world, client);
      await client.reconnect();
      await client.signIn();
      assert(client.socket.recovered);
      await client.next("room");
    }
    isSending = false;
    await sending;
    world.io.emit("end");
    await client.next("end");
    assertEquals(numbers, numbers.map((_, i) => numbers[0]! + i));
  });

  it(`handlers may send as much as they like (${place.name})`, async () => {
    const text = "x".repeat(1000);
    const world = await open({
      connection: "authenticated",
      holdLimit: { events: 5, bytes: 500 },
      postAuthenticate: (socket: Socket) => send(socket, "hook"),
    });
    function send(socket: Socket, name: string): void {
      for (let n = 0; n < 50; n++) socket.emit(name, n, { text });
      socket.join(`${name} room`);
      world.io.to(`${name} room`).emit(`${name} broadcast`);
    }
    const { client } = await member(world);
    await client.next("hook broadcast");
    world.io.on("connection", (socket) => send(socket, "handler"));
    await lose(world, client);
    world.io.emit("missed");
    await client.reconnect();
    await client.signIn();
    await client.next("hook broadcast");
    const since = client.received.lastIndexOf("authenticated");
    assertEquals(client.received.slice(since), [
      "authenticated",
      "missed",
      ...Array.from({ length: 50 }, () => "handler"),
      "handler broadcast",
      ...Array.from({ length: 50 }, () => "hook"),
      "hook broadcast",
    ]);
    assertEquals(world.errors, []);
  });

  it(`no client can name what is kept, in no namespace (${place.name})`, async () => {
    const world = await open({ open: "/open" });
    world.io.of("/open");
    world.io.of("/open").on("connection", (socket) => void world.log.push("open", socket));
    const { client, pid } = await member(world);
    await lose(world, client);
    world.io.of("/open").emit("secret");
    const names = [pid, `socketio-auth:/:${pid}`, `/:${pid}`, `socketio-auth:${pid}`];
    for (const name of names) {
      for (const nsp of ["/open", "/other"]) {
        const thief = await RawClient.open(world.url);
        thief.send(`40${nsp},${JSON.stringify({ pid: name, offset: offsetOf(client) })}`);
        const [answer] = await thief.packets.next("40");
        assert(!String(answer).includes(pid), String(answer));
        if (nsp === "/other") continue;
        const [socket] = await world.log.next("open") as [Socket];
        assertEquals([socket.recovered, socket.data], [false, {}]);
        assertEquals([...socket.rooms], [socket.id]);
      }
    }
    // And it is still there for whose it is.
    await client.reconnect();
    await client.signIn();
    assert(client.socket.recovered);
  });

  it(`data that cannot be kept costs the recovery at most (${place.name})`, async () => {
    const world = await open();
    const { client, socket } = await member(world);
    const cycle: Record<string, unknown> = { big: 10n, call: () => {} };
    socket.data = Object.assign(cycle, { cycle });
    await lose(world, client);
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    assertEquals(again.recovered, world.errors.length === 0);
    await client.signIn();
    world.io.emit("live");
    await client.next("live");
  });

  it(`emits to a pending client leave its offset as it is (${place.name})`, async () => {
    const world = await open({ outgoing: "pass" });
    const { client } = await member(world);
    await lose(world, client);
    world.io.emit("missed", 1);
    await client.reconnect();
    const [again] = await world.log.next("connection") as [Socket];
    again.emit("text", "at the end");
    await client.next("text");
    await lose(world, client);
    world.io.emit("missed", 2);
    await client.reconnect();
    assert(client.socket.recovered);
    await client.signIn();
    world.io.emit("end");
    await client.next("end");
    const since = client.events.all.filter(([event]) => !event.includes("connect")).slice(2);
    assertEquals(since.map(([event, n]) => event === "missed" ? `missed ${n}` : event), [
      "text",
      "authenticated",
      "missed 1",
      "missed 2",
      "end",
    ]);
  });

  it(`lost again before it has signed in, it is no worse off (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    await lose(world, client);
    world.io.to("room").emit("missed", 1);
    for (let n = 2; n < 4; n++) {
      await client.reconnect();
      const [again] = await world.log.next("connection") as [Socket];
      again.emit("missed", n);
      await lose(world, client);
    }
    await client.reconnect();
    await client.signIn();
    for (const n of [1, 2, 3]) assertEquals((await client.next("missed"))[0], n);
  });

  it(`lost again while a middleware runs, or its handshake, neither (${place.name})`, async () => {
    for (const handshake of [false, true]) {
      const held: (() => void)[] = [];
      let isSlow = false;
      const world = await open({
        handshake,
        verify: async (_socket: unknown, { username }: { username: string }) => {
          if (isSlow && handshake) await new Promise<void>((resolve) => held.push(resolve));
          return { name: username };
        },
      });
      world.io.use((_socket, next) => {
        if (!isSlow || handshake) return next();
        world.log.push("asked");
        held.push(next);
      });
      const { client } = await member(world);
      await lose(world, client);
      world.io.emit("missed");
      isSlow = true;
      if (handshake) client.socket.auth = { username: "ada" };
      client.socket.connect();
      // With skipMiddlewares there is nothing to wait for.
      if (!handshake && skipMiddlewares) await client.next("connect");
      else while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      client.socket.io.engine.close();
      isSlow = false;
      while (world.io.engine.clientsCount > 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (const go of held) go();
      client.socket.auth = {};
      client.socket.connect();
      await client.next("connect");
      await client.signIn({ username: "ada", password: "right" });
      await client.next("missed");
      assert(client.socket.recovered);
      client.socket.disconnect();
    }
  });

  it(`signed out right after that, nothing of it is left on the client (${place.name})`, async () => {
    const world = await open({ connection: "authenticated" });
    const { client } = await member(world);
    await lose(world, client);
    await client.reconnect();
    await client.signIn();
    const [again] = await world.log.next("connection") as [Socket];
    world.auth.deauthenticate(again);
    await client.next("connect");
    await client.signIn({ username: "grace", password: "right" });
    const [next] = await world.log.next("connection") as [Socket];
    for (const socket of [again, next]) {
      assertEquals(Object.hasOwn(socket.client, "writeToEngine"), false);
      assertEquals(Object.hasOwn(socket, "notifyOutgoingListeners"), false);
    }
    assertEquals(next.client === again.client, true);
  });

  it(`middleware runs for a recovered client only if it is asked to (${place.name})`, async () => {
    const world = await open();
    const { client } = await member(world);
    await lose(world, client);
    await client.reconnect();
    const runs = world.log.all.filter(([event]) => event === "middleware").map(([, r]) => r);
    assertEquals(runs, skipMiddlewares ? [false] : [false, true]);
  });
}
