import type { Opening } from "../clients/crowd.ts";
import type { Rounds } from "../compare.ts";
import { ClientProcess, ServerProcess } from "../processes.ts";
import { spreadOf } from "../statistics.ts";
import { signIn } from "./sign_in.ts";

/** How many clients one process takes. */
const CROWD = 5000;

/** A server with much of something. */
export interface Load {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  /** Sockets that are signed in meanwhile. */
  readonly sockets: number;
  readonly namespaces?: number;
  /** Revocations that are remembered meanwhile. */
  readonly revocations?: number;
}

/** What one of the two takes under a load. */
export interface Cost {
  /** Microseconds of processor time for one more sign-in. */
  readonly signIn: number;
  /** Bytes of heap for each socket that is signed in. */
  readonly heap: number;
}

/** What both take under a load. */
export interface Growth {
  readonly name: string;
  readonly sockets: number;
  readonly ours: Cost;
  readonly theirs: Cost;
}

/** Measures what one more sign-in takes, and what each socket does, under a load. */
export async function measureUnder(
  load: Load,
  { batch, perSecond }: { readonly batch: number; readonly perSecond: number },
  rounds: Rounds,
): Promise<Growth> {
  await using stack = new AsyncDisposableStack();
  const ours = await fill(stack, load, load.ours);
  const theirs = await fill(stack, load, load.theirs);
  if (load.revocations) await ours.server.revokeOthers(load.revocations);
  await using clients = await ClientProcess.start();
  const opening = { ...openingOf(load), count: batch, perSecond };
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < rounds.warmUp + rounds.counted; i++) {
    for (const side of ["ours", "theirs", "theirs", "ours"] as const) {
      const { server } = side === "ours" ? ours : theirs;
      times[side].push(await signIn(server, clients, opening));
    }
  }
  const warm = (all: number[]) => spreadOf(all.slice(rounds.warmUp * 2)).median;
  return {
    name: load.name,
    sockets: load.sockets,
    ours: { signIn: warm(times.ours), heap: ours.heap },
    theirs: { signIn: warm(times.theirs), heap: theirs.heap },
  };
}

function openingOf({ namespaces }: Load): Omit<Opening, "url" | "count"> {
  const opening = { way: "event", credentials: "token" } as const;
  return { ...opening, ...namespaces !== undefined && { namespaces } };
}

/** Starts a server, and has sockets signed in at it. */
async function fill(
  stack: AsyncDisposableStack,
  load: Load,
  work: string,
): Promise<{ server: ServerProcess; heap: number }> {
  const server = stack.use(await ServerProcess.start({ work }));
  const opening = { ...openingOf(load), url: server.url };
  // What a process takes once and for all is not what is asked about.
  const first = stack.use(await ClientProcess.start());
  await first.open({ ...opening, atOnce: 32, count: 500 });
  await first.close();
  await server.gone();
  const before = await server.heap();
  for (let left = load.sockets; left > 0; left -= CROWD) {
    const crowd = stack.use(await ClientProcess.start());
    await crowd.open({ ...opening, atOnce: 32, count: Math.min(left, CROWD) });
  }
  return { server, heap: (await server.heap() - before) / load.sockets };
}
