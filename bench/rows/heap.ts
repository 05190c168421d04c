import type { Way } from "../clients/crowd.ts";
import type { Rounds } from "../compare.ts";
import { ClientProcess, ServerProcess } from "../processes.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** What a socket takes of the heap, in bytes. */
export interface HeapComparison {
  readonly ours: Spread;
  readonly theirs: Spread;
  readonly difference: Spread;
}

/** A server, and what clients do at it. */
export interface Side {
  readonly work: string;
  readonly way: Way;
}

/** Compares the heap that sockets take while they are there. */
export async function compareHeaps(
  ours: Side,
  theirs: Side,
  count: number,
  { warmUp, counted }: Rounds,
): Promise<HeapComparison> {
  await using clients = await ClientProcess.start();
  await using a = await ServerProcess.start(ours);
  await using b = await ServerProcess.start(theirs);
  const rounds: { ours: number; theirs: number }[] = [];
  for (let i = 0; i < warmUp + counted; i++) {
    rounds.push({
      ours: await heapOfEach(a, clients, ours.way, count),
      theirs: await heapOfEach(b, clients, theirs.way, count),
    });
  }
  const warm = rounds.slice(warmUp);
  return {
    ours: spreadOf(warm.map((round) => round.ours)),
    theirs: spreadOf(warm.map((round) => round.theirs)),
    difference: spreadOf(warm.map((round) => round.ours - round.theirs)),
  };
}

async function heapOfEach(
  server: ServerProcess,
  clients: ClientProcess,
  way: Way,
  count: number,
): Promise<number> {
  const before = await server.heap();
  await clients.open({ url: server.url, count, atOnce: 64, way, credentials: "token" });
  const after = await server.heap();
  await clients.close();
  await server.gone();
  return (after - before) / count;
}
