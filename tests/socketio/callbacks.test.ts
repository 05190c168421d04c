// Verifiers in the style of the original module, which are given as `authenticate`: what they return
// is whatever their last line happened to be, and must neither admit nor refuse anybody.
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { Callback } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

type Verifier = (socket: Socket, given: { password: string }, callback: Callback) => unknown;

/** Looks a password up, some turns later. */
function lookUp(password: string, callback: Callback): void {
  setTimeout(() => callback(null, password === "right" && { name: "ada" }), 1);
}

/** What some driver returns beside calling back: true to life, a promise of its own class. */
class Rows extends Promise<unknown> {}

/** A query of an ORM: sent once more by whoever waits for it. */
class Query {
  sent = 0;
  then(resolve: (rows: unknown) => void): void {
    this.sent++;
    resolve(["a row"]);
  }
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/**
 * What a function in callback style may return; and whether that looks like an answer if it is
 * returned, and if an async function resolves with it.
 */
const returns: Record<string, [make: () => unknown, isTold: boolean, isToldLater: boolean]> = {
  "nothing": [() => {}, false, false],
  "false": [() => false, false, false],
  "a timer": [() => setTimeout(() => {}, 0), false, true],
  "a number": [() => 1, false, true],
  "a date": [() => new Date(), false, true],
  "an error": [() => new Error("no"), false, false],
  "rows": [() => ["a row"], false, false],
  "a request object": [() => ({ abort() {} }), true, true],
  "an object without a prototype": [() => Object.create(null), true, true],
  "text": [() => "ada", true, true],
  "true": [() => true, true, true],
  "a promise of a user": [() => Promise.resolve({ name: "ada" }), true, true],
  "a promise of true": [() => Promise.resolve(true), true, true],
  "a promise of rows": [() => Promise.resolve(["a row"]), false, false],
  "a promise of nothing": [() => Promise.resolve(), false, false],
  "a promise that never settles": [() => new Promise(() => {}), false, false],
  "a driver's own promise": [() => new Rows((resolve) => resolve(["a row"])), false, false],
  "a query": [() => new Query(), false, false],
  "a revoked proxy": [revoked, false, false],
  "a proxy of a promise": [() => new Proxy(Promise.resolve(true), {}), false, false],
};

const plain = Object.entries(returns).map(([name, [make, isTold]]): [string, Verifier, boolean] => [
  `a function that returns ${name}`,
  (_socket, { password }, callback) => {
    lookUp(password, callback);
    return make();
  },
  isTold,
]);

// One that resolves with a proxy of these kinds rejects, by the rules of the language.
const async = Object.entries(returns).filter(([name]) => !name.includes("proxy"))
  .map(([name, [make, , isToldLater]]): [string, Verifier, boolean] => [
    `an async function that resolves with ${name}`,
    async (_socket, { password }, callback) => {
      lookUp(password, callback);
      return await make();
    },
    isToldLater,
  ]);

/** The same, as a decorator makes them: without a single parameter. */
const wrapped = [...plain, ...async].map(([name, verifier, isTold]): typeof plain[number] => [
  `${name}, wrapped`,
  (...args) => verifier(...args),
  isTold,
]);

/** Signs in with a password. Resolves with the name of the event that came of it. */
async function outcomeOf(world: World, password: string): Promise<string> {
  const client = await world.connect();
  const { ok, code } = await client.socket.emitWithAck("authentication", { password });
  return ok ? "authenticated" : code;
}

/** What `onError` was told, and where it happened. */
function told({ errors }: World): string[] {
  return errors.map(({ error, context }) => `${context.during}: ${(error as Error).message}`);
}

describe("authenticate", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, authenticate, isTold] of [...plain, ...async, ...wrapped]) {
      it(`answers by its callback alone, as ${name} (${place.name})`, async () => {
        const world = await openWorld(place, { authenticate });
        assertEquals(await outcomeOf(world, "right"), "authenticated");
        assertEquals(await outcomeOf(world, "wrong"), "authentication_failed");
        assertEquals(await outcomeOf(world, "right"), "authenticated");
        // Once, however often it does so.
        assertEquals(world.errors.length, isTold ? 1 : 0, told(world).join("\n"));
        if (isTold) assertMatch(told(world)[0]!, /^authenticate: .* returns is for .* verify\.$/);
      });
    }

    it(`has its query sent by nobody else (${place.name})`, async () => {
      const query = new Query();
      const world = await openWorld(place, {
        authenticate(_socket: unknown, { password }: { password: string }, callback: Callback) {
          lookUp(password, callback);
          return query;
        },
      });
      assertEquals(await outcomeOf(world, "right"), "authenticated");
      assertEquals(query.sent, 0);
    });

    it(`that only returns is told at once that verify does that (${place.name})`, async () => {
      for (const returned of [{ name: "ada" }, "ada", true, Promise.resolve({ name: "ada" })]) {
        const world = await openWorld(place, {
          authenticate: () => (world.log.push("asked"), returned),
          onError: (error: Error) => world.log.push("error", error.message),
        });
        const [first, second] = [await world.connect(), await world.connect()];
        for (const client of [first, second]) {
          client.emit("authentication", {});
          await world.log.next("asked");
        }
        const [message] = await world.log.next("error");
        assertMatch(String(message), /returned something.*not called back.*option verify/);
        const { pending, authenticated } = world.auth.stats();
        assertEquals([pending, authenticated], [2, 0]);
        assertEquals(world.log.names, ["asked", "error", "asked"]);
        assertEquals([first.received, second.received], [[], []]);
      }
    });

    it(`that has called back may return whatever it likes (${place.name})`, async () => {
      for (const returned of [{ name: "eve" }, true, Promise.resolve({ name: "eve" })]) {
        const world = await openWorld(place, {
          authenticate(_socket: unknown, _data: unknown, callback: Callback) {
            callback(null, { name: "ada" });
            return returned;
          },
        });
        const client = await world.connect();
        await client.signIn();
        const [socket] = [...world.io.sockets.sockets.values()] as [Socket];
        assertEquals([world.auth.user(socket), world.errors], [{ name: "ada" }, []]);
      }
    });

    it(`that never calls back is told so at the deadline (${place.name})`, async () => {
      const silent = [() => {}, async () => {}, () => new Query()];
      await Promise.all(silent.map(async (authenticate) => {
        const world = await openWorld(place, { authenticate, timeout: 1000 });
        const clients = [outcomeOf(world, "right"), outcomeOf(world, "right")];
        assertEquals(await Promise.all(clients), ["timeout", "timeout"]);
        assertEquals(world.errors.length, 1);
        assertMatch(told(world)[0]!, /^authenticate: .*authenticate had not called back.*verify/);
      }));
    });

    it(`may throw or reject all the same (${place.name})`, async () => {
      const failing: Verifier[] = [
        () => {
          throw new Error("broken");
        },
        () => Promise.reject(new Error("broken")),
        () => Rows.reject(new Error("broken")),
      ];
      for (const authenticate of failing) {
        const world = await openWorld(place, { authenticate });
        assertEquals(await outcomeOf(world, "right"), "server_error");
        assertEquals(told(world), ["authenticate: broken"]);
      }
    });

    it(`with an error and a user at once refuses, and is told so (${place.name})`, async () => {
      const world = await openWorld(place, {
        authenticate: (_socket: unknown, _data: unknown, callback: Callback) =>
          callback(new Error("no"), { name: "ada" }),
      });
      for (let i = 0; i < 2; i++) {
        const client = await world.connect();
        client.emit("authentication", {});
        const [{ message, code }] = await client.next("unauthorized") as [Record<string, string>];
        assertEquals([message, code], ["no", "authentication_error"]);
        await client.next("disconnect");
      }
      assertEquals(world.errors.length, 1);
      assertMatch(told(world)[0]!, /^authenticate: .*an error and a user at once.*error counts/);
    });
  }
});

describe("verify", () => {
  disposeAfterEach();

  type Called = (socket: Socket, given: { password: string }, callback: Callback) => unknown;

  /** How a function that is for `authenticate` may use what is no callback. */
  const calling: Record<string, Called> = {
    "calls its third parameter": (_socket, _given, callback) => callback(null, { name: "ada" }),
    "calls it later": async (_socket, _given, callback) => {
      await Promise.resolve();
      callback(null, { name: "ada" });
    },
    "calls it with an error": (_socket, _given, callback) => callback(new Error("no")),
  };

  for (const place of engineOnly) {
    for (const [name, verify] of Object.entries(calling)) {
      it(`that ${name} is told that authenticate does that (${place.name})`, async () => {
        const world = await openWorld(place, { verify: verify as never });
        assertEquals(await outcomeOf(world, "right"), "server_error");
        assertEquals(world.errors.length, 1);
        assertMatch(told(world)[0]!, /^verify: .*calls back is for the option authenticate/);
        assert((world.errors[0]!.error as Error).cause instanceof TypeError);
      });
    }

    it(`that calls what is no function has its own error to see (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: (_socket: unknown, given: { check(): boolean }) => given.check(),
      });
      assertEquals(await outcomeOf(world, "right"), "server_error");
      const { cause } = world.errors[0]!.error as Error;
      assertMatch((cause as Error).message, /check is not a function/);
    });
  }
});

describe("a callback", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`refuses at once: the reason is there before a disconnect (${place.name})`, async () => {
      const { connect } = await openWorld(place, {
        authenticate(socket: Socket, _given: unknown, callback: Callback) {
          callback(new Error("no"));
          socket.disconnect();
        },
      });
      const client = await connect();
      client.emit("authentication", {});
      const [{ message }] = await client.next("unauthorized") as [{ message: string }];
      assertEquals(message, "no");
    });

    it(`admits at once: the next line can send to the socket (${place.name})`, async () => {
      const { io, connect } = await openWorld(place, {
        authenticate(socket: Socket, _given: unknown, callback: Callback) {
          callback(null, true);
          io.to(socket.id).emit("welcome");
        },
      });
      const client = await connect();
      await client.signIn();
      await client.next("welcome");
    });

    it(`works the same for a handshake (${place.name})`, async () => {
      const { io, auth, errors, connect } = await openWorld(place, {
        handshake: true,
        authenticate(_socket: Socket, given: { token?: string }, callback: Callback) {
          const isRight = given.token === "right";
          callback(isRight ? null : new Error("no"), isRight);
        },
      });
      const first = await connect();
      first.socket.disconnect();
      first.socket.auth = { token: "right" };
      first.socket.connect();
      await first.next("authenticated");
      const [socket] = [...io.sockets.sockets.values()];
      assert(auth.session(socket!));
      first.socket.disconnect();
      first.socket.auth = { token: "wrong" };
      first.socket.connect();
      const [error] = await first.next("connect_error") as [Error];
      assertEquals([error.message, errors], ["no", []]);
    });
  }
});
