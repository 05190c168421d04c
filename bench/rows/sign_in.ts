import type { Opening, Way } from "../clients/crowd.ts";
import { compare, type Comparison, type Rounds } from "../compare.ts";
import { ClientProcess, ServerProcess, type ServerSpec } from "../processes.ts";

/** Two servers at which clients sign in, in the same way. */
export interface Pair {
  readonly ours: ServerSpec;
  readonly theirs: ServerSpec;
  readonly way: Way;
  readonly credentials?: string;
  readonly protocol?: 3 | 4;
}

/**
 * Compares the processor time of a server for each client, from its opening to its sign-in. They
 * come at a pace that is the same for both: a server that is slower must not be asked less often,
 * which makes all else that it does dearer, too.
 */
export async function compareSignIns(
  { ours, theirs, way, credentials = "token", protocol = 4 }: Pair,
  { batch, perSecond }: { readonly batch: number; readonly perSecond: number },
  rounds: Rounds,
): Promise<Comparison> {
  await using clients = await ClientProcess.start();
  await using a = await ServerProcess.start(ours);
  await using b = await ServerProcess.start(theirs);
  const opening = { count: batch, perSecond, way, credentials, protocol };
  return await compare(
    rounds,
    () => signIn(a, clients, opening),
    () => signIn(b, clients, opening),
  );
}

/** Microseconds that the server takes for each. Their leaving is not among it. */
export async function signIn(
  server: ServerProcess,
  clients: ClientProcess,
  opening: Omit<Opening, "url">,
): Promise<number> {
  const before = await server.cpu();
  await clients.open({ ...opening, url: server.url });
  const after = await server.cpu();
  await clients.close();
  return (after - before) / opening.count;
}
