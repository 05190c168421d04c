import { assert, assertEquals, assertRejects, describe, it } from "#testing";
import type { Socket } from "socket.io";
// @ts-expect-error -- it has no types
import clientV2 from "socket.io-client-v2";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, type User, type World } from "../kit/world.ts";

/** Users are who they say they are. */
const options = {
  verify: (_socket: unknown, { username }: { username: string }) => ({ name: username }),
  userId: (user: User) => user.name,
};

/** It has no types, and does not need to be told anything. */
interface SocketV2 {
  readonly io: { socket(namespace: string): SocketV2; close(): void };
  on(event: string, listener: () => void): void;
  emit(event: string, ...args: unknown[]): void;
}

type Answer = (error: null, isThere: boolean) => void;

const connectV2 = clientV2 as unknown as (url: string, options: object) => SocketV2;

const SIGNED_OUT = { message: "Signed out", code: "signed_out", reconnect: false };

async function enter(world: World, username: string): Promise<{ client: Client; socket: Socket }> {
  const client = await world.connect();
  await client.signIn({ username });
  const [socket] = await world.log.next("connection") as [Socket];
  return { client, socket };
}

/** Signs a client out, and waits until a new socket is there for it. */
async function signOut(world: World, client: Client, socket: Socket): Promise<void> {
  const connected = client.next("connect");
  world.auth.deauthenticate(socket);
  assertEquals(await client.next("unauthorized"), [SIGNED_OUT]);
  await connected;
}

describe("deauthenticate", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`ends the socket and begins a new one on the same transport (${place.name})`, async () => {
      const world: World = await openWorld(place, options, {
        setUp: (io) =>
          io.on("connection", (socket) => {
            const { name } = world.auth.session(socket)!.user;
            socket.on("who", (reply) => reply(name));
            socket.on("disconnect", (reason) => {
              world.log.push("left", reason, world.auth.session(socket)!.user.name);
            });
          }),
      });
      const { client, socket } = await enter(world, "ada");
      const { id, io: { engine } } = client.socket;
      socket.data.role = "admin";
      await socket.join("room");
      await signOut(world, client, socket);
      assertEquals(await world.log.next("left"), ["server namespace disconnect", "ada"]);
      assertEquals([client.socket.io.engine === engine, client.socket.id !== id], [true, true]);
      assertEquals([socket.connected, (socket as unknown as { auth: boolean }).auth], [
        false,
        false,
      ]);

      world.io.emit("secret");
      world.io.to("room").emit("secret");
      world.io.to(socket.id).emit("secret");
      const who = client.socket.emitWithAck("who");
      await client.signIn({ username: "grace" });
      const [next] = await world.log.next("connection") as [Socket];
      assertEquals(await who, "grace");
      // Nothing of the former user is left.
      assertEquals([next === socket, next.data, [...next.rooms]], [false, {}, [next.id]]);
      assertEquals([world.auth.session(next)?.userId, world.auth.session(socket)?.userId], [
        "grace",
        "ada",
      ]);
      world.io.to("room").emit("secret");
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated", "public"]);
    });

    it(`is for every namespace, with its middleware (${place.name})`, async () => {
      const world: World = await openWorld(place, options, {
        server: { cleanupEmptyChildNamespaces: true },
        setUp(io) {
          io.of("/static").use((_socket, next) => void setTimeout(next, 5));
          io.of(/^\/pattern-/).on("connection", (s) => world.log.push("met", s.nsp.name));
          io.of(
            ((name, _auth, next) => next(null, name === "/function")) as Parameters<
              typeof io.of
            >[0] as never,
          ).on("connection", (s: Socket) => world.log.push("met", s.nsp.name));
          io.of("/static").on("connection", (s) => world.log.push("met", s.nsp.name));
        },
      });
      const { client, socket } = await enter(world, "ada");
      const paths = ["/static", "/pattern-1", "/function"];
      const siblings = paths.map((path) => client.sibling(path));
      for (const sibling of siblings) await sibling.next("authenticated");
      for (const sibling of siblings) await sibling.next("connect");
      const ids = siblings.map((sibling) => sibling.socket.id);
      world.auth.deauthenticate(socket);
      for (const sibling of siblings) {
        assertEquals(await sibling.next("unauthorized"), [SIGNED_OUT]);
        await sibling.next("connect");
      }
      for (const [i, sibling] of siblings.entries()) assert(sibling.socket.id !== ids[i]);
      await client.signIn({ username: "grace" });
      for (const sibling of siblings) await sibling.next("authenticated");
      for (const path of paths) {
        world.io.of(path).emit("public");
        assertEquals(world.io.of(path).sockets.size, 1);
      }
      for (const sibling of siblings) await sibling.next("public");
      // Made by the same parents as before, with their handlers.
      const met = world.log.all.filter(([name]) => name === "met").map(([, path]) => path);
      assertEquals(met.sort(), [...paths, ...paths].sort());
    });
  }

  for (const place of engineOnly) {
    it(`the deadline runs again (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, timeout: 1000 });
      const { client, socket } = await enter(world, "ada");
      await signOut(world, client, socket);
      const [refusal] = await client.next("unauthorized") as [{ code: string }];
      assertEquals(refusal.code, "timeout");
      await client.next("disconnect");
    });

    it(`the deadline runs, too, while a middleware holds the new socket up (${place.name})`, async () => {
      let isHeldUp = false;
      const world = await openWorld(place, { ...options, timeout: 1000 }, {
        setUp: (io) => io.use((_socket, next) => isHeldUp || next()),
      });
      const { client, socket } = await enter(world, "ada");
      isHeldUp = true;
      world.auth.deauthenticate(socket);
      await client.next("unauthorized");
      await client.next("disconnect");
    });

    it(`what the client sends before it knows is lost, and closes nothing (${place.name})`, async () => {
      const next = Promise.withResolvers<() => void>();
      let isFirst = true;
      const heard: string[] = [];
      const world: World = await openWorld(place, options, {
        setUp(io) {
          io.use((_socket, proceed) => {
            if (!isFirst) return next.resolve(proceed);
            isFirst = false;
            proceed();
          });
          io.on("connection", (socket) => {
            socket.onAny((event) => heard.push(event));
            socket.on("logout", () => world.auth.deauthenticate(socket));
          });
        },
      });
      const { client } = await enter(world, "ada");
      const connected = client.next("connect");
      for (const event of ["logout", "one", "two"]) client.emit(event);
      await client.next("unauthorized");
      const proceed = await next.promise;
      client.emit("three");
      // Behind the others on the same transport.
      const other = client.sibling("/other");
      await other.next("connect_error");
      proceed();
      await connected;
      await client.signIn({ username: "ada" });
      client.emit("four");
      const [socket] = await world.log.next("connection") as [Socket];
      await new Promise<void>((resolve) => socket.once("four", resolve));
      // Those that came in one burst were on their way to it already.
      assertEquals(heard.filter((event) => ["three", "four"].includes(event)), ["four"]);
    });

    it(`a client that leaves and comes back meanwhile gets one socket (${place.name})`, async () => {
      const next = Promise.withResolvers<() => void>();
      let visits = 0;
      const world = await openWorld(place, { ...options, connection: "connected" }, {
        setUp: (io) => io.use((_s, proceed) => ++visits === 2 ? next.resolve(proceed) : proceed()),
      });
      const raw = await RawClient.connect(world.url);
      raw.send('42["authentication",{"username":"ada"}]');
      await raw.packets.next("42");
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await raw.packets.next("42");
      const proceed = await next.promise;
      // Not in one burst, which Socket.IO itself does not take.
      for (const packet of ["41", "40"]) {
        raw.send(packet);
        raw.send("40/nowhere");
        await raw.packets.next("44");
      }
      proceed();
      await raw.packets.next("40");
      raw.send('42["authentication",{"username":"grace"}]');
      await raw.packets.next("42");
      // It has come in by the request of its own, and not by the other one.
      assertEquals([visits, world.io.sockets.sockets.size], [3, 1]);
      assertEquals(world.auth.stats().pending, 0);
      assertEquals(raw.packets.all.filter(([type]) => type === "40").length, 2);
    });

    it(`a client that leaves meanwhile has left (${place.name})`, async () => {
      const next = Promise.withResolvers<() => void>();
      let visits = 0;
      const world = await openWorld(place, { ...options, handshake: true, open: "/open" }, {
        setUp(io) {
          io.of("/open");
          io.use((_socket, proceed) => ++visits === 2 ? next.resolve(proceed) : proceed());
        },
      });
      const { client, socket } = await enter(world, "ada");
      const other = client.sibling("/open");
      await other.next("connect");
      world.auth.deauthenticate(socket);
      await client.next("unauthorized");
      const proceed = await next.promise;
      client.socket.disconnect();
      // Behind it on the same transport.
      await client.sibling("/nowhere").next("connect_error");
      proceed();
      await client.sibling("/nowhere-else").next("connect_error");
      assertEquals([world.io.sockets.sockets.size, world.auth.stats().pending], [0, 0]);
      // It has credentials this time, which are looked at.
      client.socket.auth = { username: "grace" };
      client.socket.connect();
      await client.next("authenticated");
      const [again] = await world.log.next("connection") as [Socket];
      assertEquals(world.auth.session(again)?.userId, "grace");
      assertEquals(other.received.includes("disconnect"), false);
      assert(other.socket.connected);
    });

    it(`a dynamic namespace is asked what it was asked before (${place.name})`, async () => {
      const world = await openWorld(place, options, {
        server: { cleanupEmptyChildNamespaces: true },
        setUp: (io) =>
          io.of((_name, auth, next) => next(null, Boolean(auth.username)))
            .on("connection", (socket) => world.log.push("child", socket)),
      });
      const main = await world.connect();
      const client = main.sibling("/child");
      await client.next("connect_error");
      client.socket.auth = { username: "ada" };
      client.socket.connect();
      await client.signIn({ username: "ada" });
      const [socket] = await world.log.next("child") as [Socket];
      await signOut(world, client, socket);
      client.emit("authentication", { username: "grace" });
      const [again] = await world.log.next("child") as [Socket];
      assertEquals(again.handshake.auth, { username: "ada" });
      assertEquals(world.auth.session(again)?.userId, "grace");
    });

    it(`a client of many namespaces is in all of them again (${place.name})`, async () => {
      const world = await openWorld(place, options);
      world.io.of(/^\/room-/);
      const { client, socket } = await enter(world, "ada");
      const others = Array.from({ length: 70 }, (_, i) => client.sibling(`/room-${i}`));
      for (const other of others) await other.next("authenticated");
      await signOut(world, client, socket);
      for (const other of others) await other.next("connect");
      for (const other of others) await other.next("connect");
      assertEquals(world.auth.stats().pending, 71);
      await client.signIn({ username: "grace" });
    });

    it(`a client that leaves before it is answered has left (${place.name})`, async () => {
      const asked = new EventQueue();
      const world = await openWorld(place, options, {
        server: { cleanupEmptyChildNamespaces: true },
        setUp: (io) =>
          io.of((_name, _auth, next) => asked.push("asked", next))
            .on("connection", (socket) => world.log.push("child", socket)),
      });
      const nextAnswer = async () => (await asked.next("asked") as [Answer])[0];
      const main = await world.connect();
      const client = main.sibling("/child");
      (await nextAnswer())(null, true);
      await client.next("connect");
      await client.signIn({ username: "ada" });
      const [socket] = await world.log.next("child") as [Socket];
      world.auth.deauthenticate(socket);
      await client.next("unauthorized");
      const answer = await nextAnswer();
      client.socket.disconnect();
      // Behind it on the same transport, and then behind the answer.
      const other = client.sibling("/other");
      const deny = await nextAnswer();
      answer(null, true);
      deny(null, false);
      await other.next("connect_error");
      assertEquals(world.io.of("/child").sockets.size, 0);
    });

    it(`one that is denied now has been left (${place.name})`, async () => {
      let isThere = true;
      const world = await openWorld(place, { ...options, handshake: true, open: "/open" }, {
        server: { cleanupEmptyChildNamespaces: true },
        setUp(io) {
          io.of("/open");
          io.of((_name, _auth, next) => next(null, isThere))
            .on("connection", (socket) => world.log.push("child", socket));
        },
      });
      const main = await world.connect();
      const [client, other] = ["/child", "/open"].map((name) => main.sibling(name));
      await Promise.all([client!, other!].map((each) => each.next("connect")));
      await client!.signIn({ username: "ada" });
      const [socket] = await world.log.next("child") as [Socket];
      isThere = false;
      world.auth.deauthenticate(socket);
      await client!.next("unauthorized");
      assertEquals(await client!.next("disconnect"), ["io server disconnect"]);
      isThere = true;
      client!.socket.auth = { username: "grace" };
      client!.socket.connect();
      await client!.next("authenticated");
      const [again] = await world.log.next("child") as [Socket];
      assertEquals(world.auth.session(again)?.userId, "grace");
      assert(other!.socket.connected);
    });

    it(`credentials of a handshake are not taken twice (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, handshake: true });
      const first = await world.connect();
      first.socket.disconnect();
      first.socket.auth = { username: "ada" };
      first.socket.connect();
      await first.next("connect");
      await first.next("authenticated");
      const [socket] = await world.log.next("connection") as [Socket];
      await signOut(world, first, socket);
      await first.signIn({ username: "grace" });
      const [next] = await world.log.next("connection") as [Socket];
      assertEquals(next.handshake.auth, {});
      assertEquals(world.auth.session(next)?.userId, "grace");
    });

    it(`credentials that a middleware puts into the payload are not taken (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, handshake: true }, {
        setUp: (io) =>
          io.use((socket, next) => {
            socket.handshake.auth = { username: "ada" };
            next();
          }),
      });
      const { client, socket } = await enter(world, "ada");
      await signOut(world, client, socket);
      world.io.emit("secret");
      await client.signIn({ username: "grace" });
      const [next] = await world.log.next("connection") as [Socket];
      assertEquals(world.auth.session(next)?.userId, "grace");
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated"]);
    });

    it(`a client of many namespaces may wait for all of them at once (${place.name})`, async () => {
      const waiting: (() => void)[] = [];
      let isHeldUp = false;
      const world = await openWorld(place, options, {
        setUp: (io) =>
          io.of(/^\/room-/).use((_socket, next) => isHeldUp ? waiting.push(next) : next()),
      });
      const { client, socket } = await enter(world, "ada");
      const siblings = Array.from({ length: 70 }, (_, i) => client.sibling(`/room-${i}`));
      for (const sibling of siblings) await sibling.next("authenticated");
      isHeldUp = true;
      await signOut(world, client, socket);
      await client.signIn({ username: "grace" });
      for (const next of waiting) next();
      for (const sibling of siblings) await sibling.next("authenticated");
    });

    it(`begins nothing on a transport that is being closed (${place.name})`, async () => {
      let count = 0;
      const world = await openWorld(place, options, {
        setUp: (io) =>
          io.use((_socket, next) => {
            count++;
            next();
          }),
      });
      const { client, socket } = await enter(world, "ada");
      const left = client.next("disconnect");
      // The close waits for what has to be sent before.
      for (let i = 0; i < 10; i++) socket.emit("news");
      socket.conn.close();
      world.auth.deauthenticate(socket);
      await left;
      await engineIsEmpty(world.io);
      assertEquals([count, world.auth.stats().pending], [1, 0]);
    });

    it(`what a middleware looks for in the payload is still there (${place.name})`, async () => {
      const world = await openWorld(place, options, {
        setUp: (io) =>
          io.use((socket, next) => next(socket.handshake.auth.app ? undefined : new Error("app"))),
      });
      const raw = await RawClient.open(world.url);
      raw.send('40{"app":1}');
      await raw.packets.next("40");
      raw.send('42["authentication",{"username":"ada"}]');
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await raw.packets.next("40");
    });

    it(`nothing can be recovered of it (${place.name})`, async () => {
      const world: World = await openWorld(place, options, {
        server: { connectionStateRecovery: {} },
      });
      const { client, socket } = await enter(world, "ada");
      await socket.join("room");
      world.io.emit("first");
      await client.next("first");
      await signOut(world, client, socket);
      await client.drop();
      world.io.to("room").emit("secret");
      await client.reconnect();
      assertEquals(client.socket.recovered, false);
      await client.signIn({ username: "ada" });
      assertEquals(client.received.includes("secret"), false);
    });

    it(`as often as somebody likes (${place.name})`, async () => {
      const world = await openWorld(place, options);
      const client = await world.connect();
      for (let i = 0; i < 100; i++) {
        await client.signIn({ username: `user ${i}` });
        const [socket] = await world.log.next("connection") as [Socket];
        await signOut(world, client, socket);
      }
      assertEquals([world.io.sockets.sockets.size, world.auth.stats().pending], [1, 1]);
      assertEquals(world.io.of("/").adapter.sids.size, 0);
    });

    it(`does nothing to a socket that is not signed in, or over (${place.name})`, async () => {
      const world = await openWorld(place, { ...options, connection: "connected" });
      const client = await world.connect();
      const [socket] = await world.log.next("connection") as [Socket];
      world.auth.deauthenticate(socket);
      await client.signIn({ username: "ada" });
      await signOut(world, client, socket);
      await client.signIn({ username: "grace" });
      // The socket of before belongs to nobody who is here.
      world.auth.deauthenticate(socket);
      world.io.emit("public");
      await client.next("public");
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated", "public"]);
      await assertRejects(async () => await world.auth.deauthenticate({}), TypeError, "policy");
    });

    it(`aborts a refresh in flight, whose answer admits nobody (${place.name})`, async () => {
      const asked = Promise.withResolvers<(user: unknown) => void>();
      const world = await openWorld(place, {
        ...options,
        verify: (_socket: unknown, { slow }: { slow?: true }) =>
          slow ? new Promise(asked.resolve) : { name: "ada" },
      });
      const { client, socket } = await enter(world, "ada");
      const connected = client.next("connect");
      const outcome = client.socket.emitWithAck("authentication", { slow: true });
      (await asked.promise)({ name: "ada" });
      world.auth.deauthenticate(socket);
      assertEquals((await outcome).code, "signed_out");
      await connected;
      await client.signIn({ username: "ada" });
      assertEquals(client.received, ["authenticated", "unauthorized", "authenticated"]);
    });

    it(`works for clients of Socket.IO 2, in all their namespaces (${place.name})`, async () => {
      if (place.engine === "bun-engine") return; // it speaks revision 4 of Engine.IO only
      const world = await openWorld(place, options, {
        server: { allowEIO3: true },
        setUp: (io) => void io.of("/chat"),
      });
      const main = connectV2(world.url, { forceNew: true });
      const chat = main.io.socket("/chat");
      onDispose(() => main.io.close());
      const log = new EventQueue();
      for (const [name, socket] of [["main", main], ["chat", chat]] as const) {
        for (const event of ["connect", "authenticated", "unauthorized", "disconnect", "public"]) {
          socket.on(event, () => log.push(`${name} ${event}`));
        }
      }
      for (const username of ["ada", "grace"]) {
        await log.next("main connect");
        await log.next("chat connect");
        main.emit("authentication", { username });
        await log.next("main authenticated");
        await log.next("chat authenticated");
        const [socket] = [...world.io.sockets.sockets.values()];
        assertEquals(world.auth.session(socket!)?.userId, username);
        world.io.of("/chat").emit("public");
        await log.next("chat public");
        world.auth.deauthenticate(socket!);
        await log.next("main unauthorized");
        await log.next("chat unauthorized");
      }
      await log.next("main connect");
      assertEquals(log.names.filter((name) => name.endsWith("disconnect")), []);
    });
  }
});
