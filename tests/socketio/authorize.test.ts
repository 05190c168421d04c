import { assert, assertEquals, describe, it } from "#testing";
import type { Server, Socket } from "socket.io";
import { AuthError, type CommonOptions } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { Visitor } from "../kit/visitor.ts";

interface User {
  id: string;
  /** What they may have. */
  scopes: string[];
}

type Answer = () => unknown;

/** A server that asks the test whether a user may have a namespace, if the user is to be asked about. */
interface House extends TimedWorld {
  /** The namespaces that were asked about, with whom for. */
  readonly asked: [namespace: string, scopes: string[]][];
  /** What is answered for a namespace, if not whether the user has its name among the scopes. */
  readonly answers: Map<string, Answer>;
}

async function openHouse(
  place: Place,
  options: CommonOptions<Socket, User, User> = {},
  setUp: (io: Server) => unknown = () => {},
  server: object = {},
): Promise<House> {
  const asked: House["asked"] = [];
  const answers: House["answers"] = new Map();
  const world = await openTimedWorld(place, {
    handshake: true,
    verify: (_socket: Socket, user: User) => user,
    authorize({ scopes }: User, { nsp: { name } }: Socket) {
      asked.push([name, scopes]);
      const answer = answers.get(name);
      return answer ? answer() : scopes.includes(name);
    },
    ...options,
  }, async (io) => {
    for (const name of ["/", "/chat", "/admin"]) {
      io.of(name).on("connection", (socket) => world.log.push(`met ${name}`, socket));
    }
    await setUp(io);
  }, server);
  return Object.assign(world, { asked, answers });
}

const ann = (...scopes: string[]) => ({ id: "ann", scopes });

/** An answer that the test gives when it likes. */
function later(house: House, path: string): (answer: unknown) => void {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  house.answers.set(path, () => promise);
  return (answer) => {
    resolve(answer);
    house.answers.delete(path);
  };
}

describe("authorize, for those who sign in", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`lets in those who may, and refuses the others (${place.name})`, async () => {
      const house = await openHouse(place);
      const visitor = await Visitor.open(house);
      await visitor.enter("/", "/chat", "/admin");
      visitor.submit("/admin", ann("/", "/chat"));
      assertEquals(await visitor.events(3), [
        "/ authenticated",
        "/admin unauthorized forbidden",
        "/chat authenticated",
      ]);
      const { ok, code } = await visitor.outcome();
      assertEquals([ok, code], [false, "forbidden"]);
      await house.log.next("met /");
      await house.log.next("met /chat");
      visitor.emit("/admin", "hello");
      house.io.of("/admin").emit("secret");
      await visitor.allHaveCome();
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/admin");
      house.io.emit("news");
      assertEquals(await visitor.event(), "/ news");
      assertEquals(house.auth.stats().authenticated, 2);
      assertEquals(house.io.of("/admin").sockets.size, 0);
    });

    const refusals: Record<string, [answer: Answer, code: string, message: string]> = {
      "a falsy answer": [() => 0, "forbidden", "Forbidden"],
      "a promise of one": [() => Promise.resolve(undefined), "forbidden", "Forbidden"],
      "an AuthError": [
        () => Promise.reject(new AuthError("Members only")),
        "forbidden",
        "Members only",
      ],
      "an AuthError with a code": [
        () => {
          throw new AuthError("Pay first", { code: "unpaid" });
        },
        "unpaid",
        "Pay first",
      ],
      "another throw": [
        () => {
          throw new Error("database");
        },
        "server_error",
        "Internal server error",
      ],
    };
    for (const [what, [answer, code, message]] of Object.entries(refusals)) {
      it(`refuses by ${what}: without a socket there is no session (${place.name})`, async () => {
        for (const way of ["event", "CONNECT"]) {
          const house = await openHouse(place, { attempts: 1 });
          house.answers.set("/admin", answer);
          const visitor = await Visitor.open(house);
          if (way === "event") {
            await visitor.enter("/admin");
            visitor.submit("/admin", ann());
            assertEquals(await visitor.event(), `/admin unauthorized ${code}`);
            assertEquals((await visitor.outcome()).code, code);
          } else {
            visitor.ask("/admin", ann());
            const [text] = await visitor.raw.packets.next("44") as [string];
            const { data, ...told } = JSON.parse(text.slice("/admin,".length));
            assertEquals([data.code, told.message], [code, message]);
          }
          assertEquals(house.auth.stats().authenticated, 0);
          const isOdd = code === "server_error";
          assertEquals(
            house.errors.map(({ context }) => context.during),
            isOdd ? ["authorize"] : [],
          );
          // What comes until then is dropped.
          visitor.ask("/", ann("/"));
          house.clock.advance(1000);
          await visitor.closed();
          assert(!house.log.names.some((name) => name.startsWith("met")));
        }
      });
    }

    it(`refuses with CONNECT_ERROR, and others with the same credentials come in (${place.name})`, async () => {
      const house = await openHouse(place);
      const answer = later(house, "/admin");
      const visitor = await Visitor.open(house);
      const user = ann("/", "/chat");
      visitor.ask("/admin", user);
      visitor.ask("/", user);
      await visitor.allHaveCome();
      answer(false);
      assertEquals(await visitor.refusal(), "/admin forbidden");
      await house.log.next("met /");
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/admin");
      await visitor.enter("/chat");
      await house.log.next("met /chat");
      assertEquals(house.auth.stats().authenticated, 2);
    });

    it(`is asked once about who comes while middleware of others runs (${place.name})`, async () => {
      const user = ann("/", "/chat", "/admin");
      const verdict = Promise.withResolvers<User>();
      const next = new Map<string, () => void>();
      const house: House = await openHouse(place, {
        verify: () => verdict.promise,
      } as CommonOptions<Socket, User, User>, (io) => {
        for (const name of ["/", "/chat"]) {
          io.of(name).use((_socket, proceed) => {
            next.set(name, proceed);
            house.log.push("middleware");
          });
        }
      });
      const visitor = await Visitor.open(house);
      for (const path of ["/", "/chat"]) visitor.ask(path, user);
      await visitor.allHaveCome();
      verdict.resolve(user);
      for (const _ of ["/", "/chat"]) await house.log.next("middleware");
      const answer = later(house, "/admin");
      visitor.ask("/admin", user);
      await visitor.allHaveCome();
      for (const proceed of next.values()) proceed();
      for (const _ of next.values()) await visitor.connected();
      answer(true);
      await visitor.connected();
      assertEquals(house.asked.map(([name]) => name), ["/", "/chat", "/admin"]);
    });

    it(`fails for all if it throws for one (${place.name})`, async () => {
      const house = await openHouse(place);
      house.answers.set("/admin", () => {
        throw new Error("database");
      });
      const visitor = await Visitor.open(house);
      await visitor.enter("/", "/admin");
      visitor.submit("/", ann("/"));
      assertEquals((await visitor.outcome()).code, "server_error");
      assertEquals(await visitor.events(2), [
        "/ unauthorized server_error",
        "/admin unauthorized server_error",
      ]);
    });

    it(`asks about those who come meanwhile, too (${place.name})`, async () => {
      const house = await openHouse(place);
      const answer = later(house, "/chat");
      const visitor = await Visitor.open(house);
      await visitor.enter("/chat");
      visitor.submit("/chat", ann("/"));
      await visitor.enter("/", "/admin");
      answer(true);
      assertEquals(await visitor.events(3), [
        "/ authenticated",
        "/admin unauthorized forbidden",
        "/chat authenticated",
      ]);
    });

    it(`is a part of the attempt: the deadline ends it, and says so (${place.name})`, async () => {
      for (const way of ["event", "CONNECT"]) {
        const house = await openHouse(place);
        const answer = later(house, "/");
        const visitor = await Visitor.open(house);
        if (way === "event") {
          await visitor.enter("/");
          visitor.submit("/", ann("/"));
        } else visitor.ask("/", ann("/"));
        await visitor.allHaveCome();
        house.clock.advance(1000);
        if (way === "event") {
          assertEquals(await visitor.event(), "/ unauthorized timeout");
        } else assertEquals(await visitor.refusal(), "/ timeout");
        const [{ error, context }] = house.errors as [House["errors"][number]];
        assertEquals(context.during, "authorize");
        assert(String(error).includes("authorize was still running"));
        answer(true);
        await visitor.closed();
        assertEquals(house.auth.stats().authenticated, 0);
      }
    });

    it(`is a part of the attempt, for 30 s where there is no deadline (${place.name})`, async () => {
      const house = await openHouse(place, { timeout: "none" });
      later(house, "/");
      const visitor = await Visitor.open(house);
      await visitor.enter("/");
      visitor.submit("/", ann("/"));
      await visitor.allHaveCome();
      house.clock.advance(30_000);
      assertEquals(await visitor.event(), "/ unauthorized timeout");
    });

    it(`is ended by a revocation (${place.name})`, async () => {
      const house = await openHouse(place);
      const answer = later(house, "/");
      const visitor = await Visitor.open(house);
      await visitor.enter("/");
      visitor.submit("/", ann("/"));
      await visitor.allHaveCome();
      assertEquals(await house.auth.revoke({ userId: "ann" }), 1);
      assertEquals(await visitor.event(), "/ unauthorized revoked");
      answer(true);
      await visitor.closed();
      assertEquals(house.auth.stats().authenticated, 0);
    });

    it(`is not asked for nothing, and nobody is signed in yet (${place.name})`, async () => {
      let count = 0;
      const house = await openHouse(place, {
        expiresAt: () => house.clock.now() - 1,
        authorize: () => ++count,
      });
      const visitor = await Visitor.open(house);
      visitor.ask("/", ann());
      assertEquals(await visitor.refusal(), "/ expired");
      assertEquals(count, 0);
      const other = await openHouse(place, {
        authorize: (_user, socket) => other.auth.session(socket) === undefined,
      });
      (await Visitor.open(other)).ask("/", ann());
      await other.log.next("met /");
    });
  }
});

describe("authorize, for those who join a session", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    const open = async (options: CommonOptions<Socket, User, User> = {}) => {
      const house = await openHouse(place, options);
      const visitor = await Visitor.open(house);
      visitor.ask("/", ann("/"));
      await house.log.next("met /");
      await visitor.connected();
      await visitor.event();
      return { house, visitor };
    };

    it(`refuses that socket only (${place.name})`, async () => {
      const { house, visitor } = await open();
      for (const credentials of [undefined, ann("/")]) {
        visitor.ask("/admin", credentials);
        await visitor.connected();
        assertEquals(await visitor.event(), "/admin unauthorized forbidden");
        visitor.emit("/admin", "hello");
        await visitor.allHaveCome();
        house.clock.advance(1000);
        assertEquals(await visitor.left(), "/admin");
      }
      house.io.emit("news");
      assertEquals(await visitor.event(), "/ news");
    });

    it(`waits for the answer, 30 s at most (${place.name})`, async () => {
      const { house, visitor } = await open();
      const answer = later(house, "/admin");
      await visitor.enter("/admin");
      visitor.emit("/admin", "hello");
      house.io.of("/admin").emit("secret");
      answer(true);
      assertEquals(await visitor.event(), "/admin authenticated");
      later(house, "/chat");
      await visitor.enter("/chat");
      house.clock.advance(30_000);
      assertEquals(await visitor.event(), "/chat unauthorized timeout");
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/chat");
      assertEquals(house.auth.stats().authenticated, 2);
    });

    it(`refuses that socket with server_error if it throws (${place.name})`, async () => {
      const { house, visitor } = await open();
      house.answers.set("/chat", () => Promise.reject(new Error("database")));
      await visitor.enter("/chat");
      assertEquals(await visitor.event(), "/chat unauthorized server_error");
      assertEquals(house.errors.map(({ context }) => context.during), ["authorize"]);
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/chat");
      assertEquals(house.auth.stats().authenticated, 1);
    });

    it(`is ended by leaving, and by the end of the session (${place.name})`, async () => {
      for (const how of ["leaving", "revocation", "sign-out"]) {
        const { house, visitor } = await open();
        const answer = later(house, "/chat");
        await visitor.enter("/chat");
        const [socket] = house.io.of("/").sockets.values();
        if (how === "leaving") {
          visitor.leave("/chat");
          await house.log.next("disconnected");
        } else if (how === "revocation") {
          await house.auth.revoke({ userId: "ann" });
          assertEquals(await visitor.events(2), [
            "/ unauthorized revoked",
            "/chat unauthorized revoked",
          ]);
        } else {
          house.auth.deauthenticate(socket!);
          assertEquals(await visitor.events(2), [
            "/ unauthorized signed_out",
            "/chat unauthorized signed_out",
          ]);
        }
        answer(true);
        await new Promise((resolve) => setImmediate(resolve));
        assert(!house.log.names.includes("met /chat"));
        assertEquals(house.clock.pending <= 2, true);
      }
    });

    it(`is asked again if the session was renewed meanwhile (${place.name})`, async () => {
      const { house, visitor } = await open();
      const answer = later(house, "/chat");
      await visitor.enter("/chat");
      visitor.submit("/", ann("/", "/chat"));
      assertEquals((await visitor.outcome()).ok, true);
      assertEquals(await visitor.event(), "/ authenticated");
      answer(false);
      assertEquals(await visitor.event(), "/chat authenticated");
      assertEquals(house.asked.filter(([name]) => name === "/chat").map(([, scopes]) => scopes), [
        ["/"],
        ["/", "/chat"],
      ]);
    });

    it(`a session is over at once if its last socket is refused (${place.name})`, async () => {
      const { house, visitor } = await open();
      const answer = later(house, "/admin");
      await visitor.enter("/admin");
      visitor.leave("/");
      await house.log.next("disconnected");
      answer(false);
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      await visitor.enter("/chat");
      house.io.of("/chat").emit("secret");
      visitor.submit("/chat", ann("/chat"));
      assertEquals(await visitor.event(), "/chat authenticated");
    });

    it(`a session that only had a socket that is refused is over (${place.name})`, async () => {
      const { house, visitor } = await open();
      await visitor.enter("/admin");
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      visitor.leave("/");
      await house.log.next("disconnected");
      assertEquals(house.auth.stats().authenticated, 0);
      house.clock.advance(1000);
      assertEquals(await visitor.left(), "/admin");
      await visitor.closed();
    });
  }
});

describe("authorize, at a refresh", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    const open = async (options: CommonOptions<Socket, User, User> = {}) => {
      const house = await openHouse(place, options);
      const visitor = await Visitor.open(house);
      await visitor.enter("/", "/chat", "/admin");
      visitor.submit("/", ann("/", "/chat", "/admin"));
      await visitor.events(3);
      await visitor.outcome();
      for (const path of ["/", "/chat", "/admin"]) await house.log.next(`met ${path}`);
      return { house, visitor };
    };

    it(`ends the sockets that are lost, at once (${place.name})`, async () => {
      const { house, visitor } = await open();
      visitor.submit("/chat", ann("/", "/chat"));
      assertEquals(await visitor.event(), "/admin unauthorized forbidden");
      assertEquals(await visitor.left(), "/admin");
      assertEquals(await visitor.events(2), ["/ authenticated", "/chat authenticated"]);
      assertEquals((await visitor.outcome()).ok, true);
      assertEquals(house.auth.stats().authenticated, 2);
    });

    it(`ends the one that has asked for it, too (${place.name})`, async () => {
      const { house, visitor } = await open();
      visitor.submit("/admin", ann("/", "/chat"));
      const { ok, code } = await visitor.outcome();
      assertEquals([ok, code], [false, "forbidden"]);
      assertEquals(await visitor.left(), "/admin");
      assertEquals(house.auth.stats().authenticated, 2);
    });

    it(`ends the session if nothing is left (${place.name})`, async () => {
      const { house, visitor } = await open();
      visitor.submit("/", ann());
      assertEquals((await visitor.outcome()).code, "forbidden");
      assertEquals(await visitor.events(3), [
        "/ unauthorized forbidden",
        "/admin unauthorized forbidden",
        "/chat unauthorized forbidden",
      ]);
      await visitor.closed();
      assertEquals(house.auth.stats().authenticated, 0);
    });

    it(`ends the session if only one is left that is still asked about (${place.name})`, async () => {
      const user = ann("/", "/chat");
      let isHeldUp = false;
      const verdict = Promise.withResolvers<User>();
      const house: House = await openHouse(place, {
        verify: () => isHeldUp ? (house.log.push("verify"), verdict.promise) : user,
      } as CommonOptions<Socket, User, User>);
      const answer = later(house, "/chat");
      const visitor = await Visitor.open(house);
      await visitor.enter("/");
      visitor.submit("/", user);
      await visitor.outcome();
      await visitor.enter("/chat");
      isHeldUp = true;
      visitor.submit("/chat", user);
      await house.log.next("verify");
      visitor.leave("/");
      await visitor.allHaveCome();
      verdict.resolve(user);
      const { ok, code } = await visitor.outcome();
      assertEquals([ok, code], [false, "forbidden"]);
      answer(true);
      await visitor.closed();
      assertEquals([house.auth.stats().authenticated, house.log.names.includes("met /chat")], [
        0,
        false,
      ]);
    });

    it(`leaves all as it is if it throws, or does not answer (${place.name})`, async () => {
      const { house, visitor } = await open();
      house.answers.set("/chat", () => Promise.reject(new Error("database")));
      visitor.submit("/", ann("/"));
      const first = await visitor.outcome();
      assertEquals([first.code, first.kept], ["server_error", true]);
      const answer = later(house, "/chat");
      visitor.submit("/", ann("/"));
      await visitor.allHaveCome();
      house.clock.advance(30_000);
      const second = await visitor.outcome();
      assertEquals([second.code, second.kept], ["timeout", true]);
      answer(true);
      assertEquals(house.auth.stats().authenticated, 3);
      house.io.of("/admin").emit("news");
      assertEquals(await visitor.event(), "/admin news");
    });

    it(`is asked before the new session is in force (${place.name})`, async () => {
      const { house, visitor } = await open();
      const answer = later(house, "/admin");
      visitor.submit("/", { ...ann("/", "/chat"), id: "ann" });
      await visitor.allHaveCome();
      const [socket] = house.io.of("/").sockets.values();
      assertEquals((house.auth.user(socket!) as unknown as User).scopes.length, 3);
      answer(true);
      await visitor.outcome();
      assertEquals((house.auth.user(socket!) as unknown as User).scopes.length, 2);
    });
  }
});

describe("authorize, for those who are recovered", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`comes before the rooms (${place.name})`, async () => {
      for (const mayHave of [false, true]) {
        const house = await openHouse(place, {}, () => {}, { connectionStateRecovery: {} });
        const { rooms } = house.io.sockets.adapter;
        const first = await Visitor.open(house);
        first.ask("/", ann("/"));
        const { pid, sid } = await first.connected();
        const [socket] = await house.log.next("met /") as [Socket];
        await socket.join("room");
        await first.event();
        house.io.emit("news");
        const offset = (await first.packet()).content.at(-1);
        first.raw.close();
        await house.log.next("disconnected");
        house.io.to("room").emit("missed");
        const answer = later(house, "/");
        const again = await Visitor.open(house);
        again.ask("/", { pid, offset });
        assertEquals((await again.connected()).sid, sid);
        again.submit("/", ann("/"));
        await again.allHaveCome();
        assertEquals(rooms.has("room"), false);
        answer(mayHave);
        if (mayHave) {
          assertEquals([await again.event(), await again.event()], ["/ authenticated", "/ missed"]);
          assertEquals(rooms.has("room"), true);
        } else {
          assertEquals(await again.event(), "/ unauthorized forbidden");
          assertEquals(rooms.has("room"), false);
        }
      }
    });
  }
});
