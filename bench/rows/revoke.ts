import type { Rounds } from "../compare.ts";
import { ClientProcess, ServerProcess } from "../processes.ts";

const NODES = 3;

/** What became of a user's sockets on several nodes. */
export interface Revoked {
  readonly nodes: number;
  readonly sockets: number;
  /** How many sockets the call has counted. */
  readonly counted: number;
  /** Milliseconds from the call to the first one that its client knows to be closed. */
  readonly first: number;
  /** Milliseconds from the first to the last. */
  readonly spread: number;
}

/**
 * Revokes all sessions of a user whose sockets are spread over nodes that share a Redis, several
 * times. Returns the one in the middle.
 */
export async function revokeEverywhere(
  redis: string,
  sockets: number,
  { warmUp, counted }: Rounds,
): Promise<Revoked> {
  await using stack = new AsyncDisposableStack();
  const servers: ServerProcess[] = [];
  const crowds: ClientProcess[] = [];
  for (let i = 0; i < NODES; i++) {
    servers.push(stack.use(await ServerProcess.start({ work: "two steps", redis })));
    crowds.push(stack.use(await ClientProcess.start()));
  }
  const all: Revoked[] = [];
  for (let i = 0; i < warmUp + counted; i++) all.push(await run(servers, crowds, sockets));
  const warm = all.slice(warmUp).toSorted((a, b) => a.spread - b.spread);
  return warm[Math.floor(warm.length / 2)]!;
}

async function run(
  servers: readonly ServerProcess[],
  crowds: readonly ClientProcess[],
  sockets: number,
): Promise<Revoked> {
  const opening = { atOnce: 50, way: "event", credentials: "one user" } as const;
  await Promise.all(crowds.map(async (crowd, i) => {
    const count = Math.floor(sockets / NODES) + (i < sockets % NODES ? 1 : 0);
    await crowd.open({ ...opening, url: servers[i]!.url, count });
    await crowd.closings();
  }));
  const start = Date.now();
  const counted = await servers[0]!.revoke("user-of-all");
  await Promise.all(crowds.map((crowd) => crowd.gone()));
  const closings = await Promise.all(crowds.map((crowd) => crowd.closings()));
  const first = Math.min(...closings.map((closing) => closing.first));
  const last = Math.max(...closings.map((closing) => closing.last));
  return { nodes: NODES, sockets, counted, first: first - start, spread: last - first };
}
