/**
 * What is measured, and how long: the rows of the tables.
 *
 * @module
 */
import type { Comparison, Rounds } from "./compare.ts";
import type { Runtime, ServerSpec } from "./processes.ts";
import type { Row } from "./results.ts";
import { compareHeaps, type Side } from "./rows/heap.ts";
import type { Load } from "./rows/growth.ts";
import { compareSignIns, type Pair } from "./rows/sign_in.ts";
import { compareTraffic } from "./rows/traffic.ts";

/** How much of everything. */
export interface Scale {
  /** Clients in a batch, and how many of them set out in a second. */
  readonly batch: number;
  readonly perSecond: number;
  readonly rounds: Rounds;
  /** Events in a batch. */
  readonly events: number;
  /** Sockets whose heap is measured. */
  readonly sockets: number;
  /** Sockets that are there at most. */
  readonly most: number;
  readonly silent: number;
  readonly attempts: number;
  readonly revoked: number;
}

export const full: Scale = {
  batch: 400,
  perSecond: 1500,
  rounds: { warmUp: 12, counted: 16 },
  events: 20_000,
  sockets: 2_000,
  most: 20_000,
  silent: 10_000,
  attempts: 100_000,
  revoked: 10_000,
};

/** To see that everything runs. Its times say nothing. */
export const quick: Scale = {
  batch: 20,
  perSecond: 1500,
  rounds: { warmUp: 1, counted: 1 },
  events: 1_000,
  sockets: 100,
  most: 200,
  silent: 200,
  attempts: 200,
  revoked: 99,
};

/** A row that is still to be measured. */
export interface Task {
  readonly what: string;
  readonly against: string;
  readonly where: string;
  measure(scale: Scale): Promise<Omit<Row, "what" | "against" | "where">>;
}

interface Place {
  readonly where: string;
  readonly runtime: Runtime;
  readonly engine: NonNullable<ServerSpec["engine"]>;
}

const NODE: Place = { where: "Node", runtime: "Node", engine: "node:http" };
const PLACES: readonly Place[] = [
  NODE,
  { where: "Deno", runtime: "Deno", engine: "node:http" },
  { where: "Bun", runtime: "Bun", engine: "node:http" },
  { where: "Bun, bun-engine", runtime: "Bun", engine: "bun-engine" },
];

const CPU = { most: 1.1 };

export const tasks: readonly Task[] = [
  ...PLACES.map((place) =>
    signIns("two steps", "an event, a deadline and a guard, by hand", place, {
      ...works("two steps", "event and guard"),
      way: "event",
    }, CPU)
  ),
  ...PLACES.map((place) =>
    signIns("`handshake`", "`io.use` and an event, by hand", place, {
      ...works("handshake", "io.use and event"),
      way: "CONNECT",
    }, CPU)
  ),
  signIns("two steps", "an event, by hand", NODE, {
    ...works("two steps", "event"),
    way: "event",
  }),
  signIns("`handshake`", "`io.use`, by hand", NODE, {
    ...works("handshake", "io.use"),
    way: "CONNECT",
  }),
  signIns("`handshake` of a JWT", "`@thream/socketio-jwt`", NODE, {
    ...works("handshake of a JWT", "@thream/socketio-jwt"),
    way: "CONNECT",
    credentials: "jwt",
  }),
  signIns("`handshake` with `./jwt`", "`@thream/socketio-jwt`", NODE, {
    ...works("handshake with ./jwt", "@thream/socketio-jwt"),
    way: "CONNECT",
    credentials: "jwt",
  }, CPU),
  signIns("`socketio-auth` on socket.io 2", "an event, by hand, on socket.io 2", NODE, {
    ours: { work: "socketio-auth", isOld: true },
    theirs: { work: "event", isOld: true },
    way: "event",
    protocol: 3,
  }),
  traffic("in", "events in"),
  traffic("out", "broadcasts out"),
  heap("an authenticated socket", "an event, by hand", 512, {
    ours: { work: "two steps", way: "event" },
    theirs: { work: "event", way: "event" },
  }),
  heap("an authenticated socket", "no sign-in at all", undefined, {
    ours: { work: "two steps", way: "event" },
    theirs: { work: "nothing", way: "nothing" },
  }),
  heap("a pending socket", "an event, by hand", 1024, {
    ours: { work: "two steps within a minute", way: "nothing" },
    theirs: { work: "event", way: "nothing" },
  }),
];

function works(ours: string, theirs: string): { ours: ServerSpec; theirs: ServerSpec } {
  return { ours: { work: ours }, theirs: { work: theirs } };
}

function signIns(
  what: string,
  against: string,
  { where, runtime, engine }: Place,
  pair: Pair,
  budget?: Row["budget"],
): Task {
  return {
    ...{ what, against, where },
    async measure({ rounds, ...scale }) {
      const ours = { ...pair.ours, runtime, engine };
      const theirs = { ...pair.theirs, runtime, engine };
      const comparison = await compareSignIns({ ...pair, ours, theirs }, scale, rounds);
      return ratio(comparison, "µs per sign-in", budget);
    },
  };
}

function traffic(direction: "in" | "out", what: string): Task {
  return {
    ...{ what, against: "an event, by hand", where: "Node" },
    async measure({ events, rounds }) {
      const { warmUp, counted } = rounds;
      const many = { warmUp, counted: counted * 3 };
      const comparison = await compareTraffic(direction, events, many);
      return ratio(comparison, "events per second of processor time", { least: 0.98 });
    },
  };
}

function heap(
  what: string,
  against: string,
  most: number | undefined,
  pair: { readonly ours: Side; readonly theirs: Side },
): Task {
  return {
    ...{ what, against, where: "Node" },
    async measure({ sockets, rounds }) {
      const few = { warmUp: Math.ceil(rounds.warmUp / 4), counted: Math.ceil(rounds.counted / 2) };
      const { difference, ...heaps } = await compareHeaps(pair.ours, pair.theirs, sockets, few);
      const row = { unit: "bytes per socket", ...heaps, compared: difference };
      return { ...row, as: "difference", ...most !== undefined && { budget: { most } } };
    },
  };
}

function ratio(
  { ours, theirs, ratio, cold }: Comparison,
  unit: string,
  budget?: Row["budget"],
): Omit<Row, "what" | "against" | "where"> {
  return { unit, ours, theirs, compared: ratio, as: "ratio", cold, ...budget && { budget } };
}

/** The loads under which costs must stay what they are. */
export function loadsOf({ most }: Scale, openFiles: number): readonly Load[] {
  // Each socket is a file of its server, which has some others.
  const limit = Math.min(most, openFiles - 500);
  const bare = { ours: "two steps", theirs: "event" };
  const sockets = Math.min(1000, limit);
  const number = (n: number) => n.toLocaleString("en-US");
  const crowds = [1000, 5000, 20_000].map((n) => Math.min(n, limit));
  return [
    ...[...new Set(crowds)].map((n) => ({ name: `${number(n)} sockets`, ...bare, sockets: n })),
    {
      name: "200 namespaces",
      ours: "two steps, 200 namespaces",
      theirs: "event, 200 namespaces",
      sockets,
      namespaces: 200,
    },
    {
      name: "1,000 rooms",
      ours: "two steps, 1,000 rooms",
      theirs: "event, 1,000 rooms",
      sockets,
    },
    { name: "10,000 revocations remembered", ...bare, sockets, revocations: 10_000 },
  ];
}
