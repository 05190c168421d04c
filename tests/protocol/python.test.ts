// The client in Python that stands in docs/protocol/clients.md, as it stands there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { AuthError } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import type { EventQueue } from "../kit/events.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { transportsOf, verify, type World } from "../kit/world.ts";
import { openApplication, verifyWithCode } from "./application.ts";
import { readPythonClient } from "./document.ts";
import { pythonIsThere, PythonProgram } from "./python.ts";

/** Tells what the client does, by events of the names of its methods. */
const TELLING = readFileSync(fileURLToPath(new URL("./session.py", import.meta.url)), "utf8");

/** Signs in again by itself when it is signed out, which no client should. */
const STAYING = `
import asyncio, sys, socketio
client = socketio.AsyncClient()

async def sign_in():
    await client.emit("authentication", {"username": "ada", "password": "right"})

@client.event
async def connect():
    print("connect")
    await sign_in()

@client.event
def authenticated(reply):
    print("authenticated as", client.get_sid())

@client.event
async def unauthorized(refusal):
    await sign_in()

async def main():
    await client.connect(sys.argv[1], wait=False)
    await client.wait()

asyncio.run(main())
`;

const HOUR = 3_600_000;

// Also where Python is missing: a file without a test counts as one on Node, and as none on Deno.
it("the documents have a client in Python", () => {
  assertMatch(readPythonClient().client, /class Session/);
});

if (pythonIsThere()) {
  for (const place of engineOnly) {
    describe(`the example in Python (${place.name})`, () => {
      disposeAfterEach();
      exampleSuite(place);
    });
  }
  for (const place of engineOnly) {
    describe(`the client in Python (${place.name})`, () => {
      disposeAfterEach();
      clientSuite(place);
    });
    describe(`python-socketio (${place.name})`, () => {
      disposeAfterEach();
      librarySuite(place);
    });
  }
}

function startExample({ url }: World, password: string): PythonProgram {
  const { client, example } = readPythonClient();
  return new PythonProgram(client + example, url, "ada", password);
}

function exampleSuite(place: Place): void {
  it("signs in, and receives what comes then", async () => {
    const { lines } = startExample(await openApplication(place), "right");
    await lines.next("welcome");
    assertEquals(lines.names, ["authenticated True None", "welcome"]);
  });

  it("answers a challenge", async () => {
    const program = startExample(await openApplication(place, { verify: verifyWithCode }), "right");
    await program.lines.next("challenge {'type': 'totp'}");
    program.type("123456");
    await program.lines.next("welcome");
  });
}

interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Counts how often the client was asked for credentials. */
  readonly ticket: number;
}

interface Told {
  readonly code?: string;
  readonly message?: string;
  readonly reconnect: boolean;
  readonly retryAfter?: number;
  readonly kept?: true;
}

/** A server that keeps the tickets it was shown, and the client. */
interface Scene {
  readonly world: World;
  readonly tickets: number[];
  readonly program: PythonProgram;
  readonly lines: EventQueue;
}

type Judge = (credentials: Credentials, socket: Socket) => unknown;

const judge: Judge = (credentials, socket) => verify(socket, credentials);

function clientSuite(place: Place): void {
  async function play(
    options: object,
    client: object = {},
    decide: Judge = judge,
  ): Promise<Scene> {
    const tickets: number[] = [];
    const world = await openApplication(place, {
      verify: (socket: Socket, credentials: Credentials) => {
        tickets.push(credentials.ticket);
        return decide(credentials, socket);
      },
      disconnect: (_socket: Socket, reason: string) => world.log.push("left", reason),
      ...options,
    });
    world.io.use((_socket, next) => {
      world.log.push("came");
      next();
    });
    return { world, tickets, ...start(world.url, client) };
  }

  function start(url: string, client: object): { program: PythonProgram; lines: EventQueue } {
    const code = readPythonClient().client + TELLING;
    const program = new PythonProgram(code, JSON.stringify({ url, ...client }));
    return { program, lines: program.lines };
  }

  async function isOver({ lines }: Scene, code: string | undefined): Promise<void> {
    const [refusal] = await lines.next("over") as [Told];
    assertEquals([refusal.code, refusal.reconnect], [code, false]);
    await lines.next("exit 0");
  }

  /** How often the client has connected. */
  const visits = ({ world }: Scene) => world.log.names.filter((name) => name === "came").length;

  it("is refused, and ends, in the example", async () => {
    const { lines } = startExample(await openApplication(place), "wrong");
    await lines.next("exit 0");
    assertEquals(lines.names, ["refused authentication_failed", "exit 0"]);
  });

  it("stops after wrong credentials, once the server has closed", async () => {
    const scene = await play({}, { password: "wrong" });
    await isOver(scene, "authentication_failed");
    assertEquals(scene.tickets, [1]);
    assertEquals(visits(scene), 1);
    assertEquals(await scene.world.log.next("left"), ["server namespace disconnect"]);
  });

  it("asks for fresh credentials whenever it has lost the connection", async () => {
    const { world, tickets, lines } = await play({});
    for (let i = 0; i < 3; i++) {
      const [socket] = await world.log.next("connection") as [Socket];
      await lines.next("welcome");
      socket.conn.close();
    }
    await lines.next("welcome");
    assertEquals(tickets, [1, 2, 3, 4]);
    // Each was the first failure since the last sign-in.
    const delays = lines.all.filter(([name]) => name === "delay");
    assertEquals(delays.map(([, failures]) => failures), [1, 1, 1]);
  });

  it("waits for credentials that are not there yet", async () => {
    const { tickets, lines } = await play({}, { missing: 2 });
    await lines.next("welcome");
    assertEquals(tickets, [3]);
    assertEquals(lines.names.filter((name) => name === "connect"), ["connect"]);
  });

  it("stops when there are no credentials and will not be", async () => {
    const { world, lines } = await play({}, { password: null });
    assertEquals(await lines.next("failed"), ["No password"]);
    await world.log.next("left");
    await lines.next("exit 0");
  });

  it("plans to refresh before the end, and does so again and again", async () => {
    const lasting = { expiresAt: () => Date.now() + HOUR };
    const { tickets, lines } = await play(lasting, { hurry: 2 });
    for (let i = 0; i < 3; i++) {
      const [reply, { expiresIn }] = await lines.next("authenticated") as [true, Lifetime];
      const [seconds] = await lines.next("planned") as [number];
      assert(reply && seconds >= 0.499 * expiresIn / 1000 && seconds <= 0.801 * expiresIn / 1000);
    }
    assertEquals(tickets, [1, 2, 3]);
    assertEquals(lines.names.filter((name) => name === "connect"), ["connect"]);
  });

  it("plans an earlier refresh when its session is shortened", async () => {
    const { world, lines } = await play({});
    await lines.next("welcome");
    await world.auth.refresh({ userId: "ada" }, { within: HOUR });
    const [seconds] = await lines.next("planned") as [number];
    assert(seconds <= 0.501 * HOUR / 1000, `${seconds}`);
  });

  it("stays, and refreshes again, where a refresh is declined", async () => {
    let calls = 0;
    const retryAfter = 60_000;
    const limiter = {
      consume: () =>
        ++calls === 2 ? Promise.reject({ msBeforeNext: retryAfter }) : Promise.resolve(),
    };
    const options = { throttle: { limiter }, expiresAt: () => Date.now() + HOUR };
    const { tickets, lines } = await play(options, { hurry: 2 });
    await lines.next("planned");
    assert((await lines.next("planned") as [number])[0] >= retryAfter / 1000);
    await lines.next("planned");
    assertEquals(tickets, [1, 3]);
    assertEquals(lines.names.filter((name) => name === "connect"), ["connect"]);
    assertEquals(lines.names.includes("unauthorized"), false);
  });

  it("refreshes no more where the server cannot tell users apart", async () => {
    const options = { userId: () => undefined, expiresAt: () => Date.now() + HOUR };
    const { world, lines } = await play(options, { hurry: 1 });
    await lines.next("outcome");
    const [outcome] = await lines.next("outcome") as [Told];
    assertEquals([outcome.code, outcome.kept], ["subject_mismatch", true]);
    world.io.emit("news", 1);
    await lines.next("news");
    assertEquals(lines.names.filter((name) => /planned|delay/.test(name)), ["planned"]);
  });

  it("does not come back to a busy server before it may", async () => {
    const world = await openApplication(place, { maxPending: 1 });
    const other = await RawClient.connect(world.url);
    const { lines } = start(world.url, {});
    const [refusal, told] = await lines.next("unauthorized") as [Told, number];
    assertEquals(refusal.code, "server_busy");
    other.close();
    await lines.next("connect");
    const [back] = await lines.next("connect") as [number];
    assert(back - told >= refusal.retryAfter! / 1000, `${back - told}`);
    await lines.next("welcome");
  });

  it("comes back after too many attempts, not before the server has closed", async () => {
    let calls = 0;
    const retryAfter = 300;
    const limiter = {
      consume: () =>
        ++calls === 1 ? Promise.reject({ msBeforeNext: retryAfter }) : Promise.resolve(),
    };
    const { world, tickets, lines } = await play({ throttle: { limiter } });
    const [refusal, told] = await lines.next("unauthorized") as [Told, number];
    assertEquals([refusal.code, refusal.retryAfter], ["too_many_attempts", retryAfter]);
    await lines.next("connect");
    const [back] = await lines.next("connect") as [number];
    assert(back - told >= retryAfter / 1000, `${back - told}`);
    assertEquals(await world.log.next("left"), ["server namespace disconnect"]);
    await lines.next("welcome");
    assertEquals(tickets, [2]);
  });

  it("answers a challenge", async () => {
    const { lines } = await play({ verify: verifyWithCode });
    assertEquals(await lines.next("challenge"), [{ type: "totp" }]);
    await lines.next("welcome");
  });

  it("stops when its session is revoked", async () => {
    const scene = await play({});
    await scene.lines.next("welcome");
    await scene.world.auth.revoke({ userId: "ada" });
    await isOver(scene, "revoked");
    assertEquals(visits(scene), 1);
  });

  it("comes back when its session is revoked and it may", async () => {
    const { world, tickets, lines } = await play({});
    await lines.next("welcome");
    await world.auth.revoke({ userId: "ada" }, { reconnect: true });
    await lines.next("welcome");
    assertEquals(tickets, [1, 2]);
  });

  it("comes back with fresh credentials when its session has expired", async () => {
    const sockets = new Set<Socket>();
    const expiresAt = () => Date.now() + (sockets.size === 1 ? 300 : HOUR);
    // Until then no refresh succeeds.
    const { tickets, lines } = await play({ expiresAt }, {}, (credentials, socket) => {
      if (sockets.has(socket)) throw new Error("No connection to the database");
      sockets.add(socket);
      return judge(credentials, socket);
    });
    assertEquals((await lines.next("unauthorized") as [Told])[0].code, "expired");
    await lines.next("connect");
    await lines.next("connect");
    await lines.next("authenticated");
    await lines.next("authenticated");
    assertEquals([sockets.size, tickets.includes(2)], [2, true]);
  });

  it("stops when it is signed out", async () => {
    const scene = await play({});
    await scene.lines.next("welcome");
    const [socket] = await scene.world.log.next("connection") as [Socket];
    scene.world.auth.deauthenticate(socket);
    await isOver(scene, "signed_out");
    assertEquals(scene.tickets, [1]);
  });

  it("stops after a CONNECT_ERROR that says so", async () => {
    const handshake = () => ({ username: "ada", password: "wrong", ticket: 0 });
    const scene = await play({ handshake });
    await isOver(scene, "authentication_failed");
    assertEquals(scene.tickets, [0]);
  });

  it("comes back after a CONNECT_ERROR that says so, not before the server has closed", async () => {
    const transports: number[] = [];
    const handshake = (_handshake: unknown, { nsp }: Socket) => {
      transports.push(transportsOf(nsp.server).length);
      return { username: "ada", password: "right", ticket: 0 };
    };
    const { lines } = await play({ handshake }, {}, (credentials, socket) => {
      if (transports.length > 1) return judge(credentials, socket);
      throw new AuthError("Later", { code: "later", reconnect: true });
    });
    await lines.next("welcome");
    assertEquals(transports, [1, 1]);
  });

  it("stops after a CONNECT_ERROR of the application", async () => {
    const scene = await play({});
    scene.world.io.use((_socket, next) => next(new Error("Closed for today")));
    const [refusal] = await scene.lines.next("over") as [Told];
    assertEquals([refusal.message, refusal.code], ["Closed for today", undefined]);
    await scene.lines.next("exit 0");
  });

  it("comes back when the server does, and asks for it more and more rarely", async () => {
    const { world, lines } = await play({}, { steady: true });
    await lines.next("welcome");
    await world.close();
    let end = 0;
    for (let failures = 1; failures <= 3; failures++) {
      const [count, seconds, now] = await lines.next("delay") as [number, number, number];
      assertEquals([count, seconds], [failures, 0.05 * 2 ** failures]);
      assert(now >= end, `It came back ${end - now} s too early`);
      end = now + seconds;
    }
    await openApplication(place, {}, {}, Number(new URL(world.url).port));
    await lines.next("welcome");
  });

  it("stops when it is told to", async () => {
    const { world, program, lines } = await play({});
    await lines.next("welcome");
    program.type("");
    assertEquals(await lines.next("over"), [null]);
    await world.log.next("left");
    await lines.next("exit 0");
  });
}

interface Lifetime {
  readonly expiresIn: number;
}

function librarySuite(place: Place): void {
  it("hears of no second CONNECT when it is signed out, and keeps its sid", async () => {
    const world = await openApplication(place);
    const { lines } = new PythonProgram(STAYING, world.url);
    await lines.next("connect");
    const [first] = await world.log.next("connection") as [Socket];
    world.auth.deauthenticate(first);
    const [second] = await world.log.next("connection") as [Socket];
    assertEquals(second.id === first.id, false);
    await lines.next(`authenticated as ${first.id}`);
    await lines.next(`authenticated as ${first.id}`);
    assertEquals(lines.names.filter((line) => line === "connect"), ["connect"]);
  });
}
