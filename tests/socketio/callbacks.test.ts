// Verifiers in the style of the original module: what they return is whatever their last line
// happened to be, and must neither admit nor refuse anybody.
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import type { Attempt } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

type Callback = (error?: unknown, success?: unknown) => void;
type Verifier = (socket: Socket, given: { password: string }, attempt: Callback) => unknown;

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

/** What a function in callback style may return. */
const returns: Record<string, () => unknown> = {
  "a timer": () => setTimeout(() => {}, 0),
  "a request object": () => ({ abort() {} }),
  "true": () => true,
  "a promise of rows": () => Promise.resolve(["a row"]),
  "a promise of nothing": () => Promise.resolve(),
  "a promise that never settles": () => new Promise(() => {}),
  "a driver's own promise": () => new Rows((resolve) => resolve(["a row"])),
  "a query": () => new Query(),
  "a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a proxy of a promise": () => new Proxy(Promise.resolve(true), {}),
  "false": () => false,
};

const plain = Object.entries(returns).map(([name, make]): [string, Verifier] => [
  `a function that returns ${name}`,
  (_socket, { password }, callback) => {
    lookUp(password, callback);
    return make();
  },
]);

// One that resolves with a proxy of these kinds rejects, by the rules of the language.
const async = Object.entries(returns).filter(([name]) => !name.includes("proxy"))
  .map(([name, make]): [string, Verifier] => [
    `an async function that resolves with ${name}`,
    async (_socket, { password }, callback) => {
      lookUp(password, callback);
      return await make();
    },
  ]);

/** Signs in with a password. Resolves with the name of the event that came of it. */
async function outcomeOf(world: World, password: string): Promise<string> {
  const client = await world.connect();
  const { ok, code } = await client.socket.emitWithAck("authentication", { password });
  return ok ? "authenticated" : code;
}

describe("a verifier that calls back", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, authenticate] of [...plain, ...async]) {
      it(`is heard, as ${name} (${place.name})`, async () => {
        const world = await openWorld(place, { authenticate });
        assertEquals(await outcomeOf(world, "right"), "authenticated");
        assertEquals(await outcomeOf(world, "wrong"), "authentication_failed");
        assertEquals(world.errors, []);
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

    for (const [name, returned] of [["true", true], ["a promise", Promise.resolve("ada")]]) {
      it(`is told how, if it only returns ${name} (${place.name})`, async () => {
        const told = new EventQueue();
        const world = await openWorld(place, {
          authenticate: (_socket: unknown, _given: unknown, _callback: Callback) => returned,
          onError: (error: unknown) => told.push("error", error),
          timeout: 300,
        });
        assertEquals(await outcomeOf(world, "right"), "timeout");
        const [error] = await told.next("error") as [Error];
        assertMatch(error.message, /third one.*attempt\(null, user\).*two parameters.*signal/s);
      });
    }

    it(`that returned nothing and is silent needs no such help (${place.name})`, async () => {
      const authenticate = (_socket: unknown, _given: unknown, _callback: Callback) => {};
      const world = await openWorld(place, { authenticate, timeout: 300 });
      assertEquals(await outcomeOf(world, "right"), "timeout");
      assertEquals(world.errors, []);
    });

    it(`may throw or reject all the same (${place.name})`, async () => {
      const failing: Verifier[] = [
        (_socket, _given, _callback) => {
          throw new Error("broken");
        },
        async (_socket, _given, _callback) => await Promise.reject(new Error("broken")),
        (_socket, _given, _callback) => Rows.reject(new Error("broken")),
      ];
      for (const authenticate of failing) {
        const world = await openWorld(place, { authenticate });
        assertEquals(await outcomeOf(world, "right"), "server_error");
        assertEquals(world.errors.map(({ error }) => (error as Error).message), ["broken"]);
      }
    });
  }
});

type Looking = (socket: Socket, given: { password: string }, attempt: Attempt<unknown>) => unknown;

/** Functions that take something which no callback has: their promise is an answer. */
const looking: Record<string, Looking> = {
  "takes the signal": async (_socket, { password }, { signal }) =>
    await Promise.resolve(!signal.aborted && password === "right"),
  "takes challenge, and asks nothing": async (_socket, { password }, { challenge }) =>
    await Promise.resolve(typeof challenge === "function" && password === "right"),
  "looks later": async (_socket, { password }, attempt) => {
    await Promise.resolve();
    attempt.signal.throwIfAborted();
    return password === "right";
  },
  "calls back first": async (_socket, { password }, attempt) => {
    attempt.signal.throwIfAborted();
    attempt(null, password === "right");
    return await Promise.resolve(true);
  },
};

describe("a verifier with a promise and a third parameter", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [name, authenticate] of Object.entries(looking)) {
      it(`answers by it if it ${name} (${place.name})`, async () => {
        const world = await openWorld(place, { authenticate });
        assertEquals(await outcomeOf(world, "right"), "authenticated");
        assertEquals(await outcomeOf(world, "wrong"), "authentication_failed");
      });
    }

    it(`answers by nothing else, whatever it looks at (${place.name})`, async () => {
      for (const returned of [true, new Query(), new Rows((resolve) => resolve(true))]) {
        const authenticate: Looking = (_socket, _given, attempt) => {
          attempt.signal.throwIfAborted();
          return returned;
        };
        const world = await openWorld(place, { authenticate, timeout: 300 });
        assertEquals(await outcomeOf(world, "right"), "timeout");
      }
    });

    it(`and calls back after it has answered is told so (${place.name})`, async () => {
      const told = new EventQueue();
      const world = await openWorld(place, {
        // deno-lint-ignore require-await -- that is the mistake
        async authenticate(_socket: unknown, _given: unknown, attempt: Attempt<unknown>) {
          attempt.signal.throwIfAborted();
          setTimeout(() => attempt(null, { name: "ada" }), 1);
        },
        onError: (error: unknown) => told.push("error", error),
      });
      assertEquals(await outcomeOf(world, "right"), "authentication_failed");
      const [error] = await told.next("error") as [Error];
      assertMatch(error.message, /called back after its promise had answered/);
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
          callback(given.token === "right" ? null : new Error("no"), true);
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
