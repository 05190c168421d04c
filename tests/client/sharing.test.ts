// Several sockets on one connection: namespaces under one policy or two, and open ones.
import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { AuthError, socketioAuth } from "../../mod.ts";
import type { AuthenticatedInfo, UnauthorizedError } from "../../src/client/client.ts";
import { clients, type Connect } from "./clients.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly, type Place, transports } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";
import { ada, reach, signIn, type TestClient, userId } from "./session.ts";

/** Opens sockets on one connection. */
function connectAll(
  connectTo: Connect,
  { transport }: Place,
  url: string,
  ...names: string[]
): Socket[] {
  const eager = { reconnectionDelay: 20, reconnectionDelayMax: 100 };
  const first = connectTo(url + names[0], { ...transport, ...eager, forceNew: true });
  onDispose(() => first.io.engine?.close());
  return [first, ...names.slice(1).map((name) => first.io.socket(name))];
}

const connected = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.connected) resolve();
    else socket.once("connect", () => resolve());
  });

const disconnected = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once("disconnect", (reason) => resolve(reason)));

/** Answers, to show that a namespace still works. */
function answer(io: Server, ...names: string[]): void {
  for (const name of names) {
    io.of(name).on("connection", (socket) => socket.on("ping?", (acknowledge) => acknowledge("!")));
  }
}

/**
 * Runs `fn` while the clock takes ten times as long, so that a busy machine does not matter.
 * Returns how long `fn` has taken by that clock, in milliseconds.
 */
async function withSlowClock(fn: () => Promise<void>): Promise<number> {
  const { now } = Date;
  const begun = now();
  Date.now = () => begun + (now() - begun) / 10;
  try {
    await fn();
    return Date.now() - begun;
  } finally {
    Date.now = now;
  }
}

for (const version of ["4.8", "4.6"]) {
  const connectTo = clients[version]!;
  // The transports differ in what the client of today does with them.
  for (const place of version === "4.8" ? transports : engineOnly) {
    describe(`sockets on one connection (client ${version}, ${place.name})`, () => {
      disposeAfterEach();

      const open = (world: World, ...names: string[]) =>
        connectAll(connectTo, place, world.url, ...names);

      const endings: Record<string, (world: World, socket: ServerSocket) => unknown> = {
        revoked: ({ auth }) => auth.revoke({ userId: "ada" }),
        signed_out: ({ auth }, socket) => auth.deauthenticate(socket),
        authentication_failed: () => {},
      };
      for (const [code, end] of Object.entries(endings)) {
        for (const beside of ["an open namespace", "another policy"]) {
          it(`${code} leaves ${beside} alone`, async () => {
            const isOpen = beside === "an open namespace";
            const world = await openWorld(place, { userId, ...isOpen && { open: ["/other"] } }, {
              setUp: (io) => {
                answer(io, "/", "/other");
                if (!isOpen) {
                  socketioAuth(io.of("/other"), { timeout: 30_000, verify: () => ({ id: "x" }) });
                }
              },
            });
            const isRefused = code === "authentication_failed";
            const [guarded, other] = open(world, "/", "/other") as [Socket, Socket];
            const neighbor = isOpen ? undefined : signIn(other, {});
            await (neighbor?.session.ready ?? connected(other));
            const { id } = other;
            let lost = 0;
            other.on("disconnect", () => lost++);
            const { session } = signIn(guarded, isRefused ? { ...ada, password: "no" } : ada);
            const gone = code === "signed_out" ? undefined : disconnected(guarded);
            if (!isRefused) {
              await session.ready;
              const [socket] = await world.log.next("connection") as [ServerSocket];
              await end(world, socket);
            }
            await reach(session, "stopped");
            assertEquals([session.error?.code, await gone ?? "io server disconnect"], [
              code,
              "io server disconnect",
            ]);
            assertEquals(await other.emitWithAck("ping?"), "!");
            assertEquals([other.id, lost], [id, 0]);
          });
        }
      }

      it("are signed in once, and refreshed once, with tickets that are good once", async () => {
        const used = new Set<number>();
        const world = await openWorld(place, {
          userId: ({ name }: { name: string }) => name,
          verify: (_socket: unknown, { ticket }: { ticket: number }) => {
            if (used.has(ticket)) throw new AuthError("Used", { code: "used" });
            used.add(ticket);
            return { name: "ada" };
          },
        }, { setUp: (io) => ["/a", "/b"].map((name) => io.of(name)) });
        let tickets = 0;
        let shared: Promise<{ ticket: number }> | undefined;
        const source = () => {
          shared ??= Promise.resolve({ ticket: ++tickets }).finally(() => shared = undefined);
          return shared;
        };
        const all = open(world, "/", "/a", "/b").map((socket) => signIn(socket, source));
        await Promise.all(all.map(({ session }) => session.ready));
        assertEquals(used.size, 1);
        await Promise.all(all.map(({ session }) => session.refresh()));
        assertEquals([used.size, world.auth.stats().authenticated], [2, 3]);
        // The server asks all of them to refresh.
        await world.auth.refresh({ userId: "ada" }, { within: 3_000 });
        for (const hasEnd of [true, false]) {
          for (const { events } of all) {
            let info: AuthenticatedInfo;
            do [, info] = await events.next("in") as [unknown, AuthenticatedInfo]; while (
              "expiresAt" in info !== hasEnd
            );
          }
        }
        assertEquals([used.size, world.auth.stats().refused], [3, 0]);
      });

      it("go on if a refresh takes longer than the others wait, and comes to nothing", async () => {
        let verified = 0;
        const slow = Promise.withResolvers<never>();
        const world = await openWorld(place, {
          userId,
          verify: () => ++verified === 2 ? slow.promise : { name: "ada" },
        }, { setUp: (io) => io.of("/a") });
        const [main, a] = open(world, "/", "/a").map((socket) => signIn(socket, ada)) as [
          TestClient,
          TestClient,
        ];
        await Promise.all([main.session.ready, a.session.ready]);
        const first = main.session.refresh().catch(({ code }) => code);
        // Its turn comes, and the server is at work on the other.
        assertEquals(await a.session.refresh().catch(({ code }) => code), "attempt_in_progress");
        slow.reject(new Error("no database"));
        assertEquals(await first, "server_error");
        assertEquals([main.session.state, a.session.state], ["authenticated", "authenticated"]);
        assertEquals(await a.session.refresh(), true);
      });

      it("take turns where policies differ, each with its own credentials", async () => {
        const world = await openWorld(place, { open: ["/admin"] }, {
          setUp: (io) => {
            const verify = (_socket: unknown, { admin }: { admin: string }) =>
              admin === "right" && { id: "admin" };
            socketioAuth(io.of("/admin"), { verify });
            io.of("/a");
          },
        });
        const [main, admin, a] = open(world, "/", "/admin", "/a") as [Socket, Socket, Socket];
        const all = [
          signIn(main, () => ada),
          signIn(admin, () => ({ admin: "right" })),
          signIn(a, () => ada),
        ];
        for (let n = 0; n < 3; n++) {
          await Promise.all(all.map(({ session }) => session.ready));
          assertEquals(all.flatMap(({ events }) => events.names).includes("out"), false);
          main.io.engine.close();
          assertEquals(main.connected, false);
        }
      });

      it("wait for the one whose turn it is, though another one leaves", async () => {
        const decided = Promise.withResolvers<object>();
        const world = await openWorld(place, { verify: () => decided.promise }, {
          setUp: (io) => ["/a", "/b"].map((name) => io.of(name)),
        });
        const sockets = open(world, "/", "/a", "/b") as [Socket, Socket, Socket];
        const { io } = sockets[0] as unknown as { io: { _packet(packet: object): void } };
        const write = io._packet.bind(io);
        let attempts = 0;
        io._packet = (packet) => {
          if (JSON.stringify(packet).includes("authentication")) attempts++;
          write(packet);
        };
        const [main, , b] = sockets.map((it) => signIn(it, ada)) as [
          TestClient,
          unknown,
          TestClient,
        ];
        await reach(main.session, "authenticating");
        sockets[1].disconnect();
        // The third one looks every 50 ms whether it is its turn.
        await new Promise((resolve) => setTimeout(resolve, 300));
        decided.resolve({ name: "ada" });
        await Promise.all([main.session.ready, b.session.ready]);
        assertEquals(attempts, 1);
      });

      it("join a session at once while another refreshes it", async () => {
        const called = new EventQueue();
        const world = await openWorld(place, {
          userId,
          verify: () => new Promise((decide) => called.push("verify", decide)),
        }, { setUp: (io) => io.of("/a") });
        const decideNext = async () => {
          const [decide] = await called.next("verify") as [(user: object) => void];
          return () => decide({ name: "ada" });
        };
        const [main, a] = open(world, "/", "/a") as [Socket, Socket];
        await connected(a);
        a.disconnect();
        const first = signIn(main, ada);
        (await decideNext())();
        await first.session.ready;
        const refreshed = first.session.refresh();
        const decide = await decideNext();
        const begun = Date.now();
        await signIn(a, ada).session.ready;
        assert(Date.now() - begun < 1_000);
        decide();
        await refreshed;
      });

      for (const handshake of [true, false]) {
        it(`refresh at once after another has signed in, handshake: ${handshake}`, async () => {
          const world = await openWorld(place, { userId, handshake }, {
            setUp: (io) => io.of("/a"),
          });
          const took = await withSlowClock(async () => {
            const [main] = open(world, "/") as [Socket];
            const first = signIn(main, ada, { handshake });
            await first.session.ready;
            const second = signIn(main.io.socket("/a"), ada, { handshake });
            await second.session.ready;
            await second.session.refresh();
            await first.session.refresh();
          });
          // Who waits for another's turn does so for two seconds.
          assert(took < 1_000, `${took} ms`);
        });
      }

      it("send no credentials with CONNECT where another is signed in", async () => {
        let tickets = 0;
        const world = await openWorld(place, {
          userId: () => "ada",
          handshake: true,
          verify: (_socket: unknown, { ticket }: { ticket: number }) => ({ ticket }),
        }, { setUp: (io) => io.of("/a") });
        const { io } = connectTo(world.url, {
          ...place.transport,
          forceNew: true,
          autoConnect: false,
        });
        const source = () => ({ ticket: ++tickets });
        for (const name of ["/", "/a"]) {
          await signIn(io.socket(name), source, { handshake: true }).session.ready;
        }
        assertEquals([world.auth.stats().accepted, world.auth.stats().authenticated], [1, 2]);
      });

      it("keep for their turn what the server has not taken from CONNECT", async () => {
        // Longer than the others wait for a client whose turn it is.
        const delay = (_socket: unknown, next: () => void) => void setTimeout(next, 2_100);
        const world = await openWorld(place, { open: ["/admin"] }, {
          setUp: (io) => {
            const admin = io.of("/admin");
            socketioAuth(admin, { timeout: 30_000, verify: () => ({ id: "admin" }) });
            for (const namespace of [io, admin]) namespace.use(delay);
          },
        });
        const all = open(world, "/", "/admin").map((it) => signIn(it, ada, { handshake: true }));
        await Promise.all(all.map(({ session }) => session.ready));
        assertEquals(all.flatMap(({ events }) => events.names).includes("out"), false);
      });

      it("are let in however many they are", async () => {
        const names = Array.from({ length: 70 }, (_, n) => `/n${n}`);
        const world = await openWorld(place, {}, { setUp: (io) => names.map((it) => io.of(it)) });
        const all = open(world, ...names).map((socket) => signIn(socket, ada));
        await Promise.all(all.map(({ session }) => session.ready));
        assertEquals([world.auth.stats().authenticated, world.auth.stats().refused], [70, 0]);
      });

      it("may be signed in as another user, who begins on another connection", async () => {
        const world = await openWorld(place, { userId, open: ["/open"] }, {
          setUp: (io) => answer(io, "/", "/a", "/open"),
        });
        const [main, a, plain] = open(world, "/", "/a", "/open") as [Socket, Socket, Socket];
        const first = signIn(main, ada);
        const sibling = signIn(a, ada);
        await Promise.all([first.session.ready, sibling.session.ready, connected(plain)]);
        const ids = [main.id, plain.id];
        first.session.stop();
        const grace = signIn(main, { ...ada, username: "grace" });
        await grace.session.ready;
        assertEquals(
          [...world.io.of("/").sockets.values()].map((it) => world.auth.session(it)?.userId),
          ["grace"],
        );
        assert(main.id !== ids[0]);
        assertEquals([sibling.session.state, sibling.session.error?.code], [
          "stopped",
          "subject_mismatch",
        ]);
        await connected(plain);
        assert(plain.id !== ids[1]);
        assertEquals(await plain.emitWithAck("ping?"), "!");
        assertEquals(a.connected, false);
        const [error] = await sibling.events.next("out") as [UnauthorizedError];
        assertEquals(error.code, "subject_mismatch");
      });

      it("may be signed in as another user, beside another policy that signed in last", async () => {
        const world = await openWorld(place, { userId, open: ["/admin"] }, {
          setUp: (io) => {
            io.of("/a");
            socketioAuth(io.of("/admin"), { timeout: 30_000, verify: () => ({ id: "admin" }) });
          },
        });
        const [main, a, admin] = open(world, "/", "/a", "/admin") as [Socket, Socket, Socket];
        const first = signIn(main, ada);
        const sibling = signIn(a, ada);
        await Promise.all([first.session.ready, sibling.session.ready]);
        const neighbor = signIn(admin, {});
        await neighbor.session.ready;
        first.session.stop();
        await signIn(main, { ...ada, username: "grace" }).session.ready;
        assertEquals([sibling.session.state, sibling.session.error?.code], [
          "stopped",
          "subject_mismatch",
        ]);
        // It was not the former user's, and comes back.
        await neighbor.session.ready;
        assertEquals(neighbor.events.names.includes("out"), false);
      });

      it("go on where a part of the page comes back with the same credentials", async () => {
        const world = await openWorld(place, { userId }, { setUp: (io) => answer(io, "/", "/a") });
        const [main, a] = open(world, "/", "/a") as [Socket, Socket];
        const first = signIn(main, ada);
        const part = signIn(a, ada);
        await Promise.all([first.session.ready, part.session.ready]);
        const { id } = main;
        part.session.stop();
        await signIn(a, ada).session.ready;
        assertEquals([main.id, first.session.state], [id, "authenticated"]);
      });
    });
  }
}
