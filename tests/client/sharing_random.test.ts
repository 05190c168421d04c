// Three sockets on one connection, with which anything may happen in any order.
import { assert, describe, it } from "#testing";
import fc from "fast-check";
import { io as connect, type Socket } from "socket.io-client";
import { authenticate, type ClientSession } from "../../src/client/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { runs } from "../kit/random.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

const names = ["/", "/a", "/b"];
const CONNECT = 0;
const pauses = [undefined, undefined, 0, 5, 30];

type Act = "stop" | "authenticate" | "refresh" | "close" | "disconnect" | "connect" | "revoke";
interface Step {
  readonly which: number;
  readonly act: Act;
  /** How long to wait then, in milliseconds; not at all if there is none. */
  readonly pause: number | undefined;
}

const steps = fc.array(
  fc.record({
    which: fc.nat(names.length - 1),
    act: fc.constantFrom<Act>(
      ...["stop", "authenticate", "refresh", "close"] as const,
      ...["stop", "authenticate", "disconnect", "connect", "revoke"] as const,
    ),
    pause: fc.constantFrom(...pauses),
  }),
  { minLength: 1, maxLength: 14, size: "max" },
);

/** A socket, whose sessions are of one user; `sessions` are all there have been. */
interface Member {
  readonly socket: Socket;
  readonly sessions: ClientSession[];
}

/** Notes the CONNECT packets that wait for an answer, and counts those that another one follows. */
class Asked {
  readonly #names = new Set<string>();
  doubles = 0;

  constructor(sockets: readonly Socket[]) {
    const { io } = sockets[0] as unknown as {
      io: { _packet(packet: { type: number; nsp: string }): void };
    };
    const write = io._packet.bind(io);
    io._packet = (packet) => {
      if (packet.type === CONNECT) {
        if (this.#names.has(packet.nsp)) this.doubles++;
        this.#names.add(packet.nsp);
      }
      write(packet);
    };
    for (const socket of sockets) {
      for (const event of ["connect", "disconnect", "connect_error"]) {
        socket.on(event, () => this.forget(socket));
      }
    }
  }

  /** A socket that leaves before there is an answer does not hear it: Socket.IO asks again. */
  forget(socket: Socket): void {
    this.#names.delete((socket as unknown as { nsp: string }).nsp);
  }
}

/** Connects a socket, unless it is on its way: without a session, Socket.IO asks twice then. */
function join({ socket }: Member): void {
  if (!socket.active) socket.connect();
}

function signIn({ socket, sessions }: Member, credentials: object): void {
  if (sessions.at(-1)?.state === "stopped") sessions.push(authenticate(socket, credentials));
}

async function play(world: World, user: string, history: readonly Step[]): Promise<void> {
  const credentials = { username: user, password: "right" };
  const first = connect(world.url, {
    forceNew: true,
    transports: ["websocket"],
    reconnectionDelay: 5,
    reconnectionDelayMax: 20,
  });
  const sockets = [first, ...names.slice(1).map((name) => first.io.socket(name))];
  const asked = new Asked(sockets);
  const members: Member[] = sockets.map((socket) => ({
    socket,
    sessions: [authenticate(socket, credentials)],
  }));
  onDispose(() => {
    for (const { socket, sessions } of members) {
      sessions.at(-1)!.stop();
      socket.disconnect();
    }
  });
  for (const { which, act, pause } of history) {
    const member = members[which]!;
    const session = member.sessions.at(-1)!;
    if (act === "stop") session.stop();
    if (act === "authenticate") signIn(member, credentials);
    if (act === "refresh") session.refresh().catch(() => {});
    // While it opens, Socket.IO does not hear that it closes.
    if (act === "close" && first.io.engine.readyState === "open") first.io.engine.close();
    if (act === "disconnect") {
      member.socket.disconnect();
      asked.forget(member.socket);
    }
    if (act === "connect") join(member);
    if (act === "revoke") await world.auth.revoke({ userId: user });
    if (pause !== undefined) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  // Whatever has happened, all get in, and stay in.
  for (let isDone = false; !isDone;) {
    for (const member of members) {
      signIn(member, credentials);
      join(member);
    }
    const ends = members.map(({ sessions }) =>
      sessions.at(-1)!.ready.then(() => true, () => false)
    );
    isDone = (await Promise.all(ends)).every(Boolean) &&
      members.every(({ sessions }) => sessions.at(-1)!.state === "authenticated");
  }
  assert(asked.doubles === 0, `${asked.doubles} CONNECTs more, ${JSON.stringify(history)}`);
}

for (const place of engineOnly) {
  describe(`sockets on one connection, whatever happens (${place.name})`, () => {
    disposeAfterEach();

    it("get in, each with one CONNECT at a time, and ask the server no more than they must", async () => {
      const { numRuns, seed } = runs(60);
      const [chosen = Date.now()] = [seed];
      const histories = fc.sample(steps, { numRuns, seed: chosen });
      const verified = new Map<string, number>();
      const world = await openWorld(place, {
        verify: (_socket: unknown, { username }: { username: string }) => {
          verified.set(username, (verified.get(username) ?? 0) + 1);
          return { name: username };
        },
        userId: ({ name }: { name: string }) => name,
      }, { setUp: (io) => names.slice(1).map((name) => io.of(name)) });
      const left = new Set(histories);
      const isLate = new Promise<never>((_resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`seed ${chosen}, not in: ${JSON.stringify([...left])}`));
        }, 20_000);
        onDispose(() => clearTimeout(timer));
      });
      const played = histories.map(async (history, n) => {
        await play(world, `user ${n}`, history);
        left.delete(history);
        // Each step ends a session at most, which three sockets then look for again.
        const count = verified.get(`user ${n}`)!;
        const most = 3 * (history.length + 1);
        assert(count <= most, `seed ${chosen}: ${count} of ${most}, ${JSON.stringify(history)}`);
      });
      await Promise.race([Promise.all(played), isLate]);
    });
  });
}
