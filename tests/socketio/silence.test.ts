// Where nobody signs in before the deadline, the operator is told the likely cause: once an hour for
// each, however many clients it concerns. Clients hear `timeout`, as ever.
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import type { Callback, Options } from "../../mod.ts";
import { type Client, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { RawClient } from "../kit/raw.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openTimedWorld, type TimedWorld } from "../kit/timed.ts";
import { openWorld } from "../kit/world.ts";

// deno-lint-ignore no-explicit-any -- tests use the options as the application would
type AnyOptions = Options<any, any, any>;

const HOUR = 3_600_000;

/** Nobody ever answers. */
const never = () => new Promise(() => {});

const right = { verify: (_socket: unknown, given: unknown) => given === "right" };

/** A client that is connected, and what it has done so far. */
type Doing = (place: Place, world: TimedWorld) => Promise<Client>;

const connects: Doing = (_place, world) => world.connect();

/** Sends credentials, and waits until somebody has been asked about them. */
const signsIn: Doing = async (_place, world) => {
  const client = await world.connect();
  client.emit("authentication", {});
  await world.log.next("asked");
  return client;
};

const brings = (auth: Record<string, unknown>): Doing => async (place, world) => {
  const client = openClient(place, world.url, { auth });
  await client.next("connect");
  return client;
};

/** Sends an event that is not `authentication`; the server has heard it when this is over. */
const sends = (event: string, path = "/"): Doing => async (_place, world) => {
  const client = await world.connect(path);
  client.emit(event, { token: "right" });
  await client.socket.emitWithAck("heard?").catch(() => {});
  return client;
};

/** Passes everything on, so that a client can tell that it was heard. */
const passing = { ...right, connection: "connected", incoming: "pass" } as const;

interface Silence {
  readonly policy: (world: () => TimedWorld) => AnyOptions;
  readonly does: Doing;
  /** What the operator is told, and where it happened. */
  readonly told: RegExp;
}

const asking = (world: () => TimedWorld) => () => (world().log.push("asked"), never());

const silences: Record<string, Silence> = {
  "verify is still running": {
    policy: (world) => ({ verify: asking(world) }),
    does: signsIn,
    told: /^verify: .*while verify was still running.*option timeout/,
  },
  "authenticate has not called back": {
    policy: (world) => ({ authenticate: asking(world) }),
    does: signsIn,
    told: /^authenticate: .*authenticate had not called back.*option verify/,
  },
  "the schema has not answered": {
    policy: (world) => ({
      ...right,
      credentials: {
        "~standard": { version: 1, vendor: "test", validate: asking(world) as never },
      },
    }),
    does: signsIn,
    told: /^throttle: .*before the verifier was asked: the schema .* or the option throttle/,
  },
  "the throttle has not answered": {
    policy: (world) => ({
      ...right,
      throttle: { limiter: { consume: asking(world) }, key: () => crypto.randomUUID() },
    }),
    does: signsIn,
    told: /^throttle: .*before the verifier was asked: the schema .* or the option throttle/,
  },
  "credentials came with CONNECT": {
    policy: () => right,
    does: brings({ token: "right" }),
    told: /^timeout: .*payload with CONNECT.*option handshake: true/,
  },
  ...Object.fromEntries(
    [
      "authenticate",
      "Auth",
      "login",
      "logIn",
      "log in",
      "sign_in",
      "signin",
      "token",
      "credentials",
    ]
      .map((event): [string, Silence] => [`the event is "${event}"`, {
        policy: () => passing,
        does: sends(event),
        told: new RegExp(`^timeout: .*sent the event "${event}" instead of "authentication"`),
      }]),
  ),
  "the event is of another namespace": {
    policy: () => passing,
    does: sends("login", "/other"),
    told: /^timeout: .*sent the event "login"/,
  },
  "the event has a long name": {
    policy: () => passing,
    does: sends(`login "${"x".repeat(1000)}`),
    told: /^timeout: .*sent the event "login \\"x{33}" instead of/,
  },
};

/** Clients of which nobody can tell why they do not sign in. */
const quiet: Record<string, [policy: AnyOptions, does: Doing]> = {
  "says nothing": [right, connects],
  "sends other events": [passing, sends("message about a login")],
  "sends events before it is heard": [right, async (_place, world) => {
    const client = await world.connect();
    client.emit("message");
    return client;
  }],
  "brings nothing with CONNECT": [right, brings({})],
  "brings what recovery needs": [right, brings({ pid: "1", offset: "2" })],
  "brings nothing where that is looked at": [{ ...right, handshake: true }, connects],
  "brings something where a function looks elsewhere": [
    { ...right, handshake: () => undefined },
    brings({ token: "right" }),
  ],
};

/** What `onError` was told, and where it happened. */
function told({ errors }: TimedWorld): string[] {
  return errors.map(({ error, context }) => `${context.during}: ${(error as Error).message}`);
}

async function open(place: Place, policy: Silence["policy"]): Promise<TimedWorld> {
  const world: TimedWorld = await openTimedWorld(place, policy(() => world), (io) => {
    for (const path of ["/", "/other"]) {
      io.of(path).on("connection", (socket) => {
        socket.on("heard?", (answer: () => void) => answer());
      });
    }
  });
  return world;
}

/** Lets the deadline pass. */
async function cut({ clock }: TimedWorld, client: Client): Promise<void> {
  clock.advance(1000);
  const [{ code }] = await client.next("unauthorized") as [{ code: string }];
  assertEquals(code, "timeout");
  await client.next("disconnect");
}

describe("at the deadline", () => {
  disposeAfterEach();
  for (const place of engineOnly) suite(place);
});

function suite(place: Place): void {
  for (const [name, { policy, does, told: expected }] of Object.entries(silences)) {
    it(`onError is told once an hour that ${name} (${place.name})`, async () => {
      const world = await open(place, policy);
      for (let i = 0; i < 3; i++) {
        const client = await does(place, world);
        const path = name.includes("another namespace") ? "/other" : "/";
        const [socket] = [...world.io.of(path).sockets.values()];
        assertEquals(told(world).length, Math.min(i, 1));
        await cut(world, client);
        assertEquals(told(world).length, 1);
        assertMatch(told(world)[0]!, expected);
        if (i === 0) assert(world.errors[0]!.context.socket === socket);
      }
      world.clock.advance(HOUR);
      await cut(world, await does(place, world));
      assertEquals(told(world).length, 2);
      assertEquals(told(world)[1], told(world)[0]);
    });
  }

  for (const [name, [policy, does]] of Object.entries(quiet)) {
    it(`onError is told nothing of a client that ${name} (${place.name})`, async () => {
      const world = await open(place, () => policy);
      await cut(world, await does(place, world));
      assertEquals(world.errors, []);
    });
  }

  it(`of a client that has signed in nothing is said (${place.name})`, async () => {
    const world = await open(place, () => right);
    const client = await brings({ token: "right" })(place, world);
    client.emit("login", "right");
    await client.signIn("right");
    world.clock.advance(HOUR);
    world.io.emit("news");
    await client.next("news");
    assertEquals(world.errors, []);
  });

  it(`each cause is told by itself (${place.name})`, async () => {
    const { policy, does } = silences["verify is still running"]!;
    const world = await open(place, policy);
    await cut(world, await does(place, world));
    await cut(world, await brings({ token: 1 })(place, world));
    assertEquals(world.errors.map(({ context }) => context.during), ["verify", "timeout"]);
    // What is being verified at that time is the cause, whatever came before.
    world.clock.advance(HOUR);
    const client = await brings({ token: 1 })(place, world);
    client.emit("authentication", {});
    await world.log.next("asked");
    await cut(world, client);
    assertEquals(world.errors.map(({ context }) => context.during), [
      "verify",
      "timeout",
      "verify",
    ]);
  });

  it(`each policy has its own (${place.name})`, async () => {
    for (let i = 0; i < 2; i++) {
      const world = await open(place, () => right);
      await cut(world, await brings({ token: 1 })(place, world));
      assertEquals(world.errors.length, 1);
    }
  });

  it(`in a handshake it is told, too (${place.name})`, async () => {
    const world = await open(place, (world) => ({ verify: asking(world), handshake: true }));
    const client = openClient(place, world.url, { auth: { token: 1 } });
    await world.log.next("asked");
    world.clock.advance(1000);
    await client.next("connect_error");
    assertEquals(world.errors.map(({ context }) => context.during), ["verify"]);
  });

  it(`where no deadline runs, there is one for the verifier (${place.name})`, async () => {
    const world = await open(place, (world) => ({
      verify: (_socket, given) => given === "first" ? { id: "ada" } : asking(world)(),
      timeout: 500,
    }));
    const client = await world.connect();
    await client.signIn("first");
    const answered = client.socket.emitWithAck("authentication", "again");
    await world.log.next("asked");
    world.clock.advance(29_999);
    assertEquals(world.errors, []);
    world.clock.advance(1);
    const { code } = await answered;
    assertEquals([code, world.errors.map(({ context }) => context.during)], ["timeout", [
      "verify",
    ]]);
  });

  it(`challenges apart: whoever does not answer is no cause (${place.name})`, async () => {
    const world = await open(place, () => ({
      verify: async (_socket, _given, { challenge }) => await challenge("code?") === "right",
    }));
    const client = await world.connect();
    client.emit("authentication", {});
    await client.next("challenge");
    world.clock.advance(30_000);
    const [{ code }] = await client.next("unauthorized") as [{ code: string }];
    assertEquals([code, world.errors], ["timeout", []]);
  });

  it(`a callback in time is no cause (${place.name})`, async () => {
    const world = await open(place, () => ({
      authenticate: (_socket: unknown, given: unknown, callback: Callback) =>
        void setTimeout(callback, 1, null, given === "right"),
    }));
    await (await world.connect()).signIn("right");
    world.clock.advance(HOUR);
    assertEquals(world.errors, []);
  });

  it(`what hostile clients send with it is no trouble (${place.name})`, async () => {
    const world = await openWorld(place, { timeout: 1000 });
    const packets = ["42", "42[]", "42[null]", '42[{"login":1}]', '42["login"]', '42{"login":1}'];
    await Promise.all(packets.map(async (packet) => {
      const client = await RawClient.open(world.url);
      client.send('40{"__proto__":null,"toString":1}');
      await client.packets.next("40");
      client.send(packet);
      await client.packets.next("close");
    }));
    assertEquals(world.errors.length, 1);
  });
}
