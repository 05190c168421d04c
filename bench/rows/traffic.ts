import { compare, type Comparison, type Rounds } from "../compare.ts";
import { ClientProcess, ServerProcess } from "../processes.ts";

/** How many sockets are signed in meanwhile. */
const SOCKETS = 100;

/**
 * Compares how many events authenticated sockets send for each second of the server's processor
 * time, and how many they get of a broadcast.
 */
export async function compareTraffic(
  direction: "in" | "out",
  events: number,
  rounds: Rounds,
): Promise<Comparison> {
  await using ours = await openServer("two steps");
  await using theirs = await openServer("event");
  return await compare(
    rounds,
    () => direction === "in" ? receive(ours, events) : broadcast(ours, events),
    () => direction === "in" ? receive(theirs, events) : broadcast(theirs, events),
  );
}

interface Busy extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly clients: ClientProcess;
}

async function openServer(work: string): Promise<Busy> {
  const server = await ServerProcess.start({ work });
  const clients = await ClientProcess.start();
  await server.listen();
  const opening = { count: SOCKETS, atOnce: 32, way: "event", credentials: "token" } as const;
  await clients.open({ ...opening, url: server.url });
  return {
    server,
    clients,
    async [Symbol.asyncDispose]() {
      await clients[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function receive({ server, clients }: Busy, events: number): Promise<number> {
  const before = await server.cpu();
  const heard = server.hear(events);
  await clients.send(events);
  await heard;
  return perSecond(events, await server.cpu() - before);
}

async function broadcast({ server, clients }: Busy, events: number): Promise<number> {
  const before = await server.cpu();
  const heard = clients.hear(events);
  await server.broadcast(events / SOCKETS);
  await heard;
  return perSecond(events, await server.cpu() - before);
}

function perSecond(events: number, microseconds: number): number {
  return events / microseconds * 1e6;
}
