/**
 * Revocations among the nodes of a cluster, by way of the server's own adapter.
 * No node waits for another to be safe: each carries out what it hears, as soon
 * as it hears it, and the answers only count.
 *
 * @module
 */
import type { Clock } from "../core/interface.ts";
import type { Revocation, Revocations } from "../core/revocations.ts";
import type { RawAdapter, RawServer } from "./internals.ts";

/** What nodes call a revocation among themselves. */
const REVOKE = "socketio-auth:revoke";

/** How long to wait for an adapter that does not even say that it gives up, in ms. */
const ANSWER_LIMIT = 10_000;

/** How often to say it again while some node does not answer. */
const REPETITIONS = 10;

/** How long to wait before that, in ms, besides what the adapter waits. */
const PAUSE = 1000;

interface Message extends Revocation {
  /** Whose sessions: the name of a policy. */
  readonly policy: string;
}

interface Answers {
  readonly count: number;
  readonly error?: unknown;
}

type Answer = (error: unknown, counts?: unknown) => void;

/** The policies of each server, by name. */
const policies = new WeakMap<RawServer, { name: string; revocations: Revocations }[]>();

/** Carries out what other nodes revoke under the policy of this name. */
export function listenForRevocations(
  server: RawServer,
  name: string,
  revocations: Revocations,
): void {
  const known = policies.get(server);
  if (known) return void known.push({ name, revocations });
  const all = [{ name, revocations }];
  policies.set(server, all);
  server.of("/").on(REVOKE, (message: unknown, acknowledge?: (count: number) => void) => {
    const revocation = parse(message);
    let count = 0;
    for (const { name, revocations } of all) {
      if (name === revocation?.policy) count += revocations.revoke(revocation);
    }
    acknowledge?.(count);
  });
}

/**
 * Has the other nodes carry out a revocation, and goes on trying while some do
 * not answer. Resolves with the number of sockets ended on those that have
 * answered at first.
 */
export async function tellOtherNodes(
  server: RawServer,
  policy: string,
  revocation: () => Revocation,
  clock: Clock,
  report: (error: unknown) => void,
): Promise<number> {
  if (!hasOtherNodes(server.of("/").adapter)) return 0;
  const message = (): Message => ({ policy, ...revocation() });
  // Adapters ask for answers only if they know of nodes that could give them,
  // and one that has just started knows of none. This goes to whoever is there.
  await emit(server, [REVOKE, message()]).catch(report);
  const { count, error } = await ask(server, message(), clock);
  if (error !== undefined) {
    report(error);
    void repeat(server, message, clock);
  }
  return count;
}

async function repeat(server: RawServer, message: () => Message, clock: Clock): Promise<void> {
  for (let i = 0; i < REPETITIONS; i++) {
    await new Promise<void>((resolve) => clock.after(PAUSE, resolve));
    const { error } = await ask(server, message(), clock);
    if (error === undefined) return;
  }
}

function ask(server: RawServer, message: Message, clock: Clock): Promise<Answers> {
  return new Promise((resolve) => {
    const cancel = clock.after(ANSWER_LIMIT, () => {
      resolve({ count: 0, error: new Error("The adapter does not answer.") });
    });
    const answer: Answer = (error, counts) => {
      cancel();
      const count = total(counts);
      resolve(error ? { count, error } : { count });
    };
    emit(server, [REVOKE, message, answer]).catch(answer);
  });
}

/** Straight to the adapter: a namespace would leave a rejection unhandled. */
async function emit(server: RawServer, packet: unknown[]): Promise<void> {
  await server.of("/").adapter.serverSideEmit(packet);
}

/**
 * Whether an adapter has a `serverSideEmit` of its own. The one of the class
 * that all adapters extend, which is the in-memory adapter, only warns.
 */
function hasOtherNodes(adapter: RawAdapter): boolean {
  const owners: object[] = [];
  for (let o: object | null = adapter; o; o = Object.getPrototypeOf(o)) {
    if (Object.hasOwn(o, "serverSideEmit")) owners.push(o);
  }
  return owners.length > 1;
}

function total(counts: unknown): number {
  if (!Array.isArray(counts)) return 0;
  return counts.filter(Number.isInteger).reduce((sum, count) => sum + count, 0);
}

/** Reads what came from another node, which may run another version. */
function parse(message: unknown): Message | undefined {
  const { policy, id, target, age } = Object(message);
  const { userId, sessionId } = Object(target);
  const isRight = typeof policy === "string" && typeof id === "string" && Number.isFinite(age);
  if (!isRight) return undefined;
  if (typeof userId === "string") return { policy, id, age, target: { userId } };
  if (typeof sessionId === "string") return { policy, id, age, target: { sessionId } };
}
