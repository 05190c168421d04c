// What falls under the policy of a pattern, however it came about: never half of it.
import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import type { Namespace, Server } from "socket.io";
import { type Auth, socketioAuth } from "../../mod.ts";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";

const place = engineOnly[0]!;

/** A policy that lets in who knows one word. */
function knowing(word: string, options: object = {}) {
  return {
    verify: (_socket: object, given: unknown) => given === word && { name: word },
    timeout: 30_000,
    ...options,
  };
}

async function listen(io: Server): Promise<string> {
  const { url, close } = await start(place, io);
  onDispose(close);
  return url;
}

/** Asserts that a namespace is under the policy that knows `word`, and under no other. */
async function expectUnder(word: string | undefined, url: string, path: string, io: Server) {
  const client = await connectClient(place, url, path);
  io.of(path).emit("probe");
  if (word === undefined) {
    await client.next("probe");
    assertEquals(client.received, ["probe"], path);
    return;
  }
  await client.signIn(word);
  assertEquals(client.received, ["authenticated"], path);
  const guess = await connectClient(place, url, path);
  guess.emit("authentication", word === "server" ? "pattern" : "server");
  const [{ code }] = await guess.next("unauthorized") as [{ code: string }];
  assertEquals(code, "authentication_failed", path);
}

type Ask = (name: string, auth: unknown, next: (error: null, isOne: boolean) => void) => void;

/** Ways to make a parent of the namespaces that begin with "/admin-". */
const parents: Record<string, (io: Server) => Namespace> = {
  "an expression": (io) => io.of(/^\/admin-\d+$/),
  "a function": (io) => io.of(((name, _auth, next) => next(null, isAdmin(name))) as Ask),
  "a function that answers later": (io) =>
    io.of(((name, _auth, next) => setTimeout(next, 5, null, isAdmin(name))) as Ask),
  "an async function": (io) =>
    io.of(
      (async (name, _auth, next) => {
        await Promise.resolve();
        next(null, isAdmin(name));
      }) as Ask,
    ),
};

function isAdmin(name: string): boolean {
  return name.startsWith("/admin-");
}

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) =>
    permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest])
  );
}

describe("a pattern's policy", () => {
  disposeAfterEach();

  for (const [kind, makeParent] of Object.entries(parents)) {
    for (const withServer of [false, true]) {
      const beside = withServer ? "beside a server's policy" : "alone";
      it(`covers every namespace of its kind in any order of set-up: ${kind}, ${beside}`, async () => {
        // Making the parent and guarding it is one step: the namespaces come before or after.
        const steps: Record<string, (io: Server) => unknown> = {
          static: (io) => io.of("/admin-1"),
          other: (io) => io.of("/other"),
          pattern: (io) => socketioAuth(makeParent(io), knowing("pattern")),
          ...withServer && { server: (io: Server) => socketioAuth(io, knowing("server")) },
        };
        for (const order of permutations(Object.keys(steps))) {
          const io = createServer();
          for (const step of order) steps[step]!(io);
          const url = await listen(io);
          await expectUnder("pattern", url, "/admin-1", io);
          await expectUnder("pattern", url, "/admin-2", io);
          const elsewhere = withServer ? "server" : undefined;
          await expectUnder(elsewhere, url, "/other", io);
          await expectUnder(elsewhere, url, "/", io);
        }
      });
    }
  }

  it("guards a parent that has children, and namespaces that have clients", async () => {
    const io = createServer();
    const url = await listen(io);
    io.of("/admin-1");
    const early = await connectClient(place, url, "/admin-1");
    const parent = io.of(/^\/admin-\d+$/);
    const child = await connectClient(place, url, "/admin-2");
    socketioAuth(parent, knowing("pattern"));
    for (const client of [early, child]) {
      parent.emit("secret");
      io.of("/admin-1").emit("secret");
      io.of("/admin-2").emit("secret");
      await client.signIn("pattern");
      assertEquals(client.received, ["authenticated"]);
    }
  });

  it("of the older parent counts where two cover a namespace, whichever was guarded first", async () => {
    for (const isYoungerFirst of [false, true]) {
      const io = createServer();
      io.of("/admin-1");
      const older = io.of(/^\/admin-/);
      const younger = io.of(/-1$/);
      const guards = [
        () => socketioAuth(older, knowing("pattern")),
        () => socketioAuth(younger, knowing("server")),
      ];
      if (isYoungerFirst) guards.reverse();
      for (const guard of guards) guard();
      const url = await listen(io);
      for (const path of ["/admin-1", "/admin-1-1"]) await expectUnder("pattern", url, path, io);
      await expectUnder("server", url, "/x-1", io);
    }
  });

  it("covers what an older parent without a policy has taken", async () => {
    for (const makeParent of Object.values(parents)) {
      const io = createServer();
      io.of(/^\/admin-[12]$/);
      io.of("/admin-1");
      socketioAuth(makeParent(io), knowing("pattern"));
      const url = await listen(io);
      for (const path of ["/admin-1", "/admin-2"]) await expectUnder("pattern", url, path, io);
    }
  });

  it("stands back for a policy of a namespace's own, whichever comes first", async () => {
    for (const isPatternFirst of [false, true]) {
      const io = createServer();
      const guards: (() => Auth<unknown>)[] = [
        () => socketioAuth(io.of("/admin-1"), knowing("server")),
        () => socketioAuth(io.of(/^\/admin-/), knowing("pattern")),
      ];
      if (isPatternFirst) guards.reverse();
      for (const guard of guards) guard();
      const url = await listen(io);
      await expectUnder("server", url, "/admin-1", io);
      await expectUnder("pattern", url, "/admin-2", io);
    }
  });
});

describe("a parent's function that fails", () => {
  disposeAfterEach();
  const fail: Ask = (_name, auth, next) => next(null, Boolean((auth as { a: { b: 1 } }).a.b));

  it("is an error at set-up if there is something to ask it about, and nothing is installed", () => {
    const io = createServer();
    io.of("/a");
    const parent = io.of(fail);
    const guard = () => socketioAuth(parent, knowing("pattern"));
    const error = assertThrows(guard, Error, 'fails when it is asked about "/a"');
    assert(error.cause instanceof TypeError);
    assertThrows(guard, Error, "fails");
  });

  it("guards rather too much than too little afterwards, and is reported", async () => {
    const failures: Ask[] = [fail, () => Promise.reject(new TypeError("async"))];
    for (const ask of failures) {
      const io = createServer();
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      socketioAuth(io.of(ask), knowing("pattern", { onError }));
      io.of("/a");
      const url = await listen(io);
      await expectUnder("pattern", url, "/a", io);
      assertEquals(errors.map((error) => error instanceof TypeError), [true]);
    }
  });
});
