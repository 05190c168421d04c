import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import type { Namespace, Server, Socket } from "socket.io";
import { type Auth, socketioAuth } from "../../mod.ts";
import { type Client, connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { RawClient } from "../kit/raw.ts";
import { createServer, engineOnly, type Place, start } from "../kit/targets.ts";
import { Visitor } from "../kit/visitor.ts";
import { engineIsEmpty } from "../kit/world.ts";

/** A policy that lets in who knows one word. */
function knowing(word: string, options: object = {}) {
  return {
    verify: (_socket: Socket, given: unknown) => given === word && { name: word },
    userId: (user: { name: string }) => user.name,
    timeout: 30_000,
    ...options,
  };
}

async function listen(place: Place, io: Server): Promise<string> {
  const { url, close } = await start(place, io);
  onDispose(close);
  return url;
}

/** One transport, connected to the main namespace and to "/admin". */
async function connectBoth(place: Place, url: string): Promise<{ main: Client; admin: Client }> {
  const main = await connectClient(place, url);
  const admin = main.sibling("/admin");
  await admin.next("connect");
  return { main, admin };
}

async function codeOf(client: Client): Promise<string> {
  const [refusal] = await client.next("unauthorized") as [{ code: string }];
  return refusal.code;
}

const everywhere = (io: Server) => socketioAuth(io, knowing("sesame"));
const onAdmin = (io: Server) => socketioAuth(io.of("/admin"), knowing("admin"));

describe("two policies on one transport", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const order of ["server", "namespace"]) {
      it(`do not know each other's users, ${order} first (${place.name})`, async () => {
        const io = createServer();
        const guards = [everywhere, onAdmin];
        const auths = order === "server"
          ? guards.map((guard) => guard(io))
          : guards.toReversed().map((guard) => guard(io)).toReversed();
        const { main, admin } = await connectBoth(place, await listen(place, io));

        await main.signIn("sesame");
        io.of("/admin").emit("secret");
        await admin.signIn("admin");
        io.of("/admin").emit("public");
        await admin.next("public");
        assertEquals(main.received, ["authenticated"]);
        assertEquals(admin.received, ["authenticated", "public"]);

        const sockets = ["/", "/admin"].flatMap((path) => [...io.of(path).sockets.values()]);
        const names = sockets.map((socket) => auths.map((auth) => auth.session(socket)?.user.name));
        assertEquals(names, [["sesame", undefined], [undefined, "admin"]]);
      });
    }

    it(`tell of each socket after its listeners when the transport is lost (${place.name})`, async () => {
      const log = new EventQueue();
      const io = createServer();
      const disconnect = ({ nsp }: Socket) => void log.push("hook", nsp.name);
      socketioAuth(io, knowing("sesame", { disconnect }));
      socketioAuth(io.of("/admin"), knowing("admin", { disconnect }));
      for (const nsp of [io.of("/"), io.of("/admin")]) {
        nsp.on("connection", (socket) => {
          socket.on("disconnect", () => log.push("listener", nsp.name));
        });
      }
      const { main, admin } = await connectBoth(place, await listen(place, io));
      await main.signIn("sesame");
      await admin.signIn("admin");
      await main.drop();
      const told = [await log.next("hook"), await log.next("hook")].flat();
      assertEquals(told.toSorted(), ["/", "/admin"]);
      const [first, second] = told;
      const expected = [first, second].flatMap((name) => [["listener", name], ["hook", name]]);
      assertEquals(log.all, expected);
    });

    it(`limit what who is signed in under one asks for under the other (${place.name})`, async () => {
      const io = createServer();
      everywhere(io);
      onAdmin(io);
      const visitor = await Visitor.open({ url: await listen(place, io) });
      await visitor.enter("/");
      visitor.submit("/", "sesame");
      await visitor.outcome();
      for (let count = 0; count < 64; count++) {
        await visitor.enter("/admin");
        visitor.leave("/admin");
        await visitor.allHaveCome();
      }
      visitor.ask("/admin");
      assertEquals(await visitor.refusal(), "/admin too_many_attempts");
      assertEquals(await visitor.event(), "/ authenticated");
      // The other session goes on.
      io.emit("public");
      assertEquals(await visitor.event(), "/ public");
    });

    it(`a word of the other is a wrong one (${place.name})`, async () => {
      const io = createServer();
      everywhere(io);
      onAdmin(io);
      const { main, admin } = await connectBoth(place, await listen(place, io));
      await main.signIn("sesame");
      admin.emit("authentication", "sesame");
      assertEquals(await codeOf(admin), "authentication_failed");
      await admin.next("disconnect");
      // Whoever is signed in elsewhere on the transport goes on, and guesses no more.
      io.emit("public");
      await main.next("public");
      admin.socket.connect();
      assertEquals(await codeOf(admin), "too_many_attempts");
      assertEquals(main.socket.connected, true);
    });

    it(`a refusal closes the transport if nobody else is signed in (${place.name})`, async () => {
      const io = createServer();
      everywhere(io);
      onAdmin(io);
      const { main, admin } = await connectBoth(place, await listen(place, io));
      main.emit("authentication", "admin");
      assertEquals(await codeOf(main), "authentication_failed");
      await main.next("disconnect");
      await admin.next("disconnect");
      await engineIsEmpty(io);
    });

    it(`each has its own deadline (${place.name})`, async () => {
      const io = createServer();
      socketioAuth(io, knowing("sesame"));
      socketioAuth(io.of("/admin"), knowing("admin", { timeout: 1000 }));
      const { main, admin } = await connectBoth(place, await listen(place, io));
      await main.signIn("sesame");
      assertEquals(await codeOf(admin), "timeout");
      await admin.next("disconnect");
      assertEquals(main.socket.connected, true);
      // Silence is no guess: there is another deadline.
      admin.socket.connect();
      assertEquals(await codeOf(admin), "timeout");
      assertEquals(main.socket.connected, true);
    });

    it(`the deadline of one ends both if the other is not signed in (${place.name})`, async () => {
      const io = createServer();
      everywhere(io);
      socketioAuth(io.of("/admin"), knowing("admin", { timeout: 100 }));
      const { main, admin } = await connectBoth(place, await listen(place, io));
      assertEquals(await codeOf(admin), "timeout");
      await main.next("disconnect");
      await engineIsEmpty(io);
    });

    it(`a refused refresh ends only its own policy (${place.name})`, async () => {
      const io = createServer();
      everywhere(io);
      onAdmin(io);
      io.of("/other");
      const { main, admin } = await connectBoth(place, await listen(place, io));
      const other = main.sibling("/other");
      await other.next("connect");
      await main.signIn("sesame");
      await admin.signIn("admin");
      other.emit("authentication", "wrong");
      assertEquals([await codeOf(main), await codeOf(other)], [
        "authentication_failed",
        "authentication_failed",
      ]);
      await main.next("disconnect");
      await other.next("disconnect");
      io.emit("secret");
      io.of("/admin").emit("public");
      await admin.next("public");
      assertEquals(main.received, ["authenticated", "unauthorized"]);
    });
  }
});

describe("a policy that comes later", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (
      const [what, before] of [
        ["another policy", everywhere],
        ["none", () => {}],
      ] as const
    ) {
      it(`holds for sockets on their way in under ${what} (${place.name})`, async () => {
        const io = createServer();
        const proceed = Promise.withResolvers<() => void>();
        io.of("/admin").use((_socket, next) => proceed.resolve(next));
        before(io);
        const connecting = connectClient(place, await listen(place, io), "/admin");
        const next = await proceed.promise;
        onAdmin(io);
        next();
        const client = await connecting;
        io.of("/admin").emit("secret");
        client.emit("authentication", "sesame");
        assertEquals(await codeOf(client), "authentication_failed");
        assertEquals(client.received, ["unauthorized"]);
      });
    }

    it(`ends live sockets of the other policy, signed in or not (${place.name})`, async () => {
      const io = createServer();
      io.of("/admin");
      everywhere(io);
      const url = await listen(place, io);
      const [signedIn, pending] = [
        await connectClient(place, url, "/admin"),
        await connectClient(place, url, "/admin"),
      ];
      await signedIn.signIn("sesame");
      const auth = onAdmin(io);
      for (const client of [signedIn, pending]) {
        assertEquals(await client.next("disconnect"), ["io server disconnect"]);
      }
      assertEquals(io.of("/admin").sockets.size, 0);
      // The new policy takes them as new clients.
      pending.socket.connect();
      await pending.next("connect");
      await pending.signIn("admin");
      const [socket] = [...io.of("/admin").sockets.values()] as [Socket];
      assertEquals(auth.session(socket)?.user.name, "admin");
    });

    it(`takes over live sockets that had none, where they are (${place.name})`, async () => {
      const io = createServer();
      io.of("/admin").on("connection", (socket) => void socket.join("room"));
      const { main, admin } = await connectBoth(place, await listen(place, io));
      io.of("/admin").emit("open to all");
      await admin.next("open to all");
      onAdmin(io);
      io.of("/admin").to("room").emit("secret");
      io.emit("still open");
      await main.next("still open");
      await admin.signIn("admin");
      io.of("/admin").to("room").emit("public");
      await admin.next("public");
      assertEquals(admin.received, ["open to all", "authenticated", "public"]);
    });

    it(`to the server leaves a namespace with its own alone (${place.name})`, async () => {
      const io = createServer();
      onAdmin(io);
      const { main, admin } = await connectBoth(place, await listen(place, io));
      await admin.signIn("admin");
      everywhere(io);
      io.emit("secret");
      io.of("/admin").emit("public");
      await admin.next("public");
      await main.signIn("sesame");
      assertEquals(main.received, ["authenticated"]);
    });
  }
});

describe("policies of dynamic namespaces", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`child before parent before server (${place.name})`, async () => {
      const io = createServer();
      const parent = io.of(/^\/team-/);
      socketioAuth(io.of("/team-1"), knowing("child"));
      socketioAuth(parent, knowing("parent"));
      everywhere(io);
      const url = await listen(place, io);
      for (const [path, word] of [["/team-1", "child"], ["/team-2", "parent"], ["/", "sesame"]]) {
        const client = await connectClient(place, url, path);
        io.of(path!).emit("secret");
        await client.signIn(word);
        assertEquals(client.received, ["authenticated"], path);
        const guess = await connectClient(place, url, path);
        guess.emit("authentication", "something else");
        assertEquals(await codeOf(guess), "authentication_failed", path);
      }
    });

    it(`one sign-in serves all children of a parent (${place.name})`, async () => {
      const io = createServer();
      socketioAuth(io.of((name, _auth, next) => next(null, name.startsWith("/team-"))), {
        ...knowing("parent"),
      });
      const first = await connectClient(place, await listen(place, io), "/team-1");
      const second = first.sibling("/team-2");
      await second.next("connect");
      await first.signIn("parent");
      await second.next("authenticated");
      const third = first.sibling("/team-3");
      await third.next("authenticated");
    });
  }
});

describe("guarding twice", () => {
  const targets: Record<string, (io: Server) => Server | Namespace> = {
    "a server": (io) => io,
    "a namespace": (io) => io.of("/a"),
    "the main namespace": (io) => io.of("/"),
    "a parent by regex": (io) => io.of(/^\/r/),
    "a parent by function": (io) => io.of((_name, _auth, next) => next(null, true)),
    "a child": (io) => (io.of(/^\/r/), io.of("/r1")),
  };

  for (const [name, find] of Object.entries(targets)) {
    it(`is an error for ${name}, and leaves the first policy in force`, () => {
      const target = find(createServer());
      socketioAuth(target, knowing("first"));
      assertThrows(() => socketioAuth(target, knowing("second")), Error, "twice");
    });
  }

  it("is none for a child of a guarded parent, whichever comes first", () => {
    for (const order of ["parent first", "child first"]) {
      const io = createServer();
      const parent = io.of(/^\/r/);
      const targets = order === "parent first" ? [parent, io.of("/r1")] : [io.of("/r1"), parent];
      assertEquals(targets.map((target) => typeof socketioAuth(target, knowing("word"))).length, 2);
      assertThrows(() => socketioAuth(io.of("/r1"), knowing("word")), Error, '"/r1" twice');
    }
  });

  it("is none for a server, its namespaces and their parents, each once", () => {
    const io = createServer();
    const log = new EventQueue();
    const auths: Auth<unknown>[] = [io.of("/"), io.of("/a"), io.of(/^\/r/), io].map((target) =>
      socketioAuth(target, knowing("word", { onError: (error: unknown) => log.push("e", error) }))
    );
    assertEquals([auths.length, log.all], [4, []]);
    assert(auths.every((auth) => auth.session({}) === undefined));
  });
});

/** How a namespace can go and come back. */
const removals: Record<string, (raw: RawClient, io: Server) => Promise<void>> = {
  "when it is empty": async (raw) => {
    raw.send("41/team-1,");
    raw.send("40/nowhere,");
    await raw.packets.next("44");
  },
  "by the application": async (raw, io) => {
    raw.send("41/team-1,");
    raw.send("40/nowhere,");
    await raw.packets.next("44");
    io._nsps.delete("/team-1");
  },
};

/** What else there is besides the policy of the namespace. */
const surroundings: Record<string, (io: Server) => unknown> = {
  "a server without a policy": () => {},
  "a server with a weaker one": (io) => socketioAuth(io, { verify: () => true }),
  "a server that leaves it open": (io) =>
    socketioAuth(io, { verify: () => true, open: /^\/team-/ }),
};

describe("the policy of a namespace that Socket.IO makes anew", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [how, remove] of Object.entries(removals)) {
      for (const [where, surround] of Object.entries(surroundings)) {
        it(`is the same, removed ${how}, on ${where} (${place.name})`, async () => {
          const io = createServer({ cleanupEmptyChildNamespaces: true });
          const met: (string | undefined)[] = [];
          io.of(/^\/team-\d+$/).on("connection", (socket) => {
            met.push(auth.session(socket)?.user.name);
          });
          surround(io);
          const auth = socketioAuth(io.of("/team-1"), knowing("sesame", { attempts: 2 }));
          const raw = await RawClient.open(await listen(place, io));
          const before = io.of("/team-1");
          raw.send("40/team-1,");
          await raw.packets.next("40");
          await remove(raw, io);
          raw.send("40/team-1,");
          await raw.packets.next("40");
          assertEquals(io.of("/team-1") === before, false);
          raw.send('42/team-1,["authentication","wrong"]');
          await raw.packets.next("42");
          assertEquals([met, auth.stats().pending], [[], 1]);
          raw.send('42/team-1,["authentication","sesame"]');
          await raw.packets.next("42");
          assertEquals(met, ["sesame"]);
        });
      }
    }

    it(`is the same after the only one in it was signed out (${place.name})`, async () => {
      const io = createServer({ cleanupEmptyChildNamespaces: true });
      const log = new EventQueue();
      io.of(/^\/team-\d+$/).on("connection", (socket) => log.push("connection", socket));
      const auth = socketioAuth(io.of("/team-1"), knowing("sesame"));
      const raw = await RawClient.open(await listen(place, io));
      raw.send("40/team-1,");
      await raw.packets.next("40");
      for (const _ of ["first", "again"]) {
        raw.send('42/team-1,["authentication","sesame"]');
        const [socket] = await log.next("connection") as [Socket];
        assertEquals(auth.session(socket)?.user, { name: "sesame" });
        auth.deauthenticate(socket);
        await raw.packets.next("40");
      }
      assertEquals([log.all.length, auth.stats()], [2, { ...auth.stats(), pending: 1 }]);
    });

    it(`may be another one (${place.name})`, async () => {
      const io = createServer({ cleanupEmptyChildNamespaces: true });
      io.of(/^\/team-\d+$/);
      const words = ["first", "second"];
      io.on("new_namespace", (nsp) => socketioAuth(nsp, knowing(words.shift()!)));
      const url = await listen(place, io);
      for (const word of [...words]) {
        const raw = await RawClient.open(url);
        raw.send("40/team-1,");
        await raw.packets.next("40");
        raw.send(`42/team-1,["authentication","${word}"]`);
        const [event] = await raw.packets.next("42") as [string];
        assert(event.includes("authenticated"), event);
        await removals["when it is empty"]!(raw, io);
      }
    });
  }
});
