import type { Opening } from "../clients/crowd.ts";
import { ClientProcess, ServerProcess } from "../processes.ts";
import type { Delay } from "../servers/meters.ts";

/** The deadline that silent clients run into, which is the default, in milliseconds. */
const DEADLINE = 1000;

/** How many processes the clients are spread over. */
const CROWDS = 2;

/** A server before, during and after what it went through. */
export interface Flood {
  readonly clients: number;
  /** Bytes of heap before and after. */
  readonly heap: { readonly before: number; readonly after: number };
  /** How late the event loop was, in milliseconds. */
  readonly delay: { readonly before: Delay; readonly during: Delay; readonly after: Delay };
  /** How long it took, in milliseconds. */
  readonly duration: number;
}

/** The same for clients that say nothing. */
export interface Silence extends Flood {
  /** How long after the deadline clients were cut, in milliseconds. */
  readonly lateness: { readonly median: number; readonly p99: number; readonly max: number };
}

/** Clients that connect as fast as they can, and say nothing. */
export async function floodWithSilence(count: number): Promise<Silence> {
  await using flooded = await open("two steps");
  const { server } = flooded;
  await server.watchDeadline(DEADLINE);
  const opening = { atOnce: 100, way: "nothing" } as const;
  // What a process takes once and for all is not what is asked about.
  await flooded.send({ ...opening, count });
  await server.latenesses();
  const flood = await watch(server, () => flooded.send({ ...opening, count }));
  const lateness = (await server.latenesses()).toSorted((a, b) => a - b);
  const at = (share: number) => lateness[Math.ceil(lateness.length * share) - 1]!;
  if (lateness.length !== count) throw new Error(`${lateness.length} of ${count} were cut`);
  return { clients: count, ...flood, lateness: { median: at(0.5), p99: at(0.99), max: at(1) } };
}

/** Attempts, each on a connection of its own, at a verifier that takes 100 ms to say no. */
export async function floodWithAttempts(count: number): Promise<Flood> {
  await using flooded = await open("slow verifier");
  const opening = { atOnce: 500, way: "event", credentials: "wrong", until: "closed" } as const;
  await flooded.send({ ...opening, count: Math.ceil(count / 20) });
  const flood = await watch(flooded.server, () => flooded.send({ ...opening, count }));
  return { clients: count, ...flood };
}

interface Flooded extends AsyncDisposable {
  readonly server: ServerProcess;
  /** Has clients do something. Resolves once all are gone again. */
  send(opening: Partial<Opening>): Promise<void>;
}

async function open(work: string): Promise<Flooded> {
  const server = await ServerProcess.start({ work });
  const crowds = await Promise.all(Array.from({ length: CROWDS }, () => ClientProcess.start()));
  return {
    server,
    async send({ count = 0, ...rest }) {
      const opening = { url: server.url, credentials: "token", way: "nothing", atOnce: 1 } as const;
      await Promise.all(crowds.map(async (crowd) => {
        await crowd.open({ ...opening, ...rest, count: count / CROWDS });
        await crowd.gone();
      }));
      await server.gone();
    },
    async [Symbol.asyncDispose]() {
      for (const process of [...crowds, server]) await process[Symbol.asyncDispose]();
    },
  };
}

async function watch(
  server: ServerProcess,
  work: () => Promise<void>,
): Promise<Omit<Flood, "clients">> {
  const heapBefore = await server.heap();
  const before = await calm(server);
  const start = performance.now();
  await work();
  const duration = performance.now() - start;
  const during = await server.delay();
  const after = await calm(server);
  const heapAfter = await server.heap();
  return {
    heap: { before: heapBefore, after: heapAfter },
    delay: { before, during, after },
    duration,
  };
}

/** The delay of a server that has nothing to do, for longer than it keeps what it has closed. */
async function calm(server: ServerProcess): Promise<Delay> {
  await server.delay();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return await server.delay();
}
