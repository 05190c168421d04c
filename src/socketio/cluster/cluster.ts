/**
 * The nodes of a cluster among themselves, by way of the server's own adapter.
 * No node waits for another to be safe: each carries out the revocations it
 * hears of as soon as it does, and the answers only count.
 *
 * @module
 */
import type { Clock, Revocation } from "../../core/interface.ts";
import type { Revocations } from "../../core/revocations.ts";
import type { RawAdapter, RawNamespace, RawServer } from "../internals.ts";
import { isRevocation, type RevocationMessage } from "./messages.ts";

/** What nodes call their messages to each other. */
const REVOKE = "socketio-auth:revoke";

/** How long to wait for an adapter that does not even say that it gives up, in ms. */
const ANSWER_LIMIT = 10_000;

/** How often to say it again while some node does not answer. */
const REPETITIONS = 10;

/** How long to wait before that, in ms, besides what the adapter waits. */
const PAUSE = 1000;

/** Whoever carries out on this node what others revoke under a policy. */
interface Listener {
  /** The policy, the same on every node. */
  readonly name: string;
  readonly revocations: Revocations;
}

interface Counted {
  readonly count: number;
  readonly error?: unknown;
}

const clusters = new WeakMap<RawServer, Cluster>();

/** A server's way to the same server on other nodes. */
export class Cluster {
  /** Its adapter may be replaced at any time; the namespace never is. */
  readonly #main: RawNamespace;
  readonly #listeners: Listener[] = [];

  private constructor(server: RawServer) {
    const main = this.#main = server.of("/");
    main.on(REVOKE, (message: unknown, acknowledge?: (count: number) => void) => {
      acknowledge?.(this.#revoke(message));
    });
  }

  /** The cluster that a server is in, or will be. */
  static of(server: RawServer): Cluster {
    let cluster = clusters.get(server);
    if (!cluster) clusters.set(server, cluster = new Cluster(server));
    return cluster;
  }

  /** From now on what other nodes revoke is carried out by this one, too. */
  join(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /**
   * Has the other nodes carry out a revocation, and goes on trying while some
   * do not answer. Resolves with the number of sockets ended on those that have
   * answered at first; what went wrong goes to `report`.
   */
  async revoke(
    name: string,
    clock: Clock,
    revocation: () => Revocation,
    report: (error: unknown) => void,
  ): Promise<number> {
    if (!this.#hasOthers) return 0;
    const message = (): RevocationMessage => ({ policy: name, ...revocation() });
    // Adapters ask for answers only if they know of nodes that could give them,
    // and one that has just started knows of none. This goes to whoever is there.
    await this.#send([REVOKE, message()]).catch(report);
    const { count, error } = await this.#ask(message(), clock);
    if (error !== undefined) {
      report(error);
      void this.#repeat(message, clock);
    }
    return count;
  }

  #revoke(message: unknown): number {
    if (!isRevocation(message)) return 0;
    const concerned = this.#listeners.filter(({ name }) => name === message.policy);
    return concerned.reduce((sum, { revocations }) => sum + revocations.revoke(message), 0);
  }

  async #repeat(message: () => RevocationMessage, clock: Clock): Promise<void> {
    for (let i = 0; i < REPETITIONS; i++) {
      await new Promise<void>((resolve) => clock.after(PAUSE, resolve));
      const { error } = await this.#ask(message(), clock);
      if (error === undefined) return;
    }
  }

  #ask(message: RevocationMessage, clock: Clock): Promise<Counted> {
    return new Promise((resolve) => {
      const cancel = clock.after(ANSWER_LIMIT, () => {
        resolve({ count: 0, error: new Error("The adapter does not answer.") });
      });
      const answer = (error: unknown, counts?: unknown) => {
        cancel();
        const count = total(counts);
        resolve(error ? { count, error } : { count });
      };
      this.#send([REVOKE, message, answer]).catch(answer);
    });
  }

  /** Straight to the adapter: a namespace would leave a rejection unhandled. */
  async #send(packet: unknown[]): Promise<void> {
    await this.#main.adapter.serverSideEmit(packet);
  }

  /**
   * Whether the adapter has a `serverSideEmit` of its own. The one of the class
   * that all adapters extend, which is the in-memory adapter, only warns.
   */
  get #hasOthers(): boolean {
    const owners: object[] = [];
    let object: RawAdapter | null = this.#main.adapter;
    for (; object; object = Object.getPrototypeOf(object)) {
      if (Object.hasOwn(object, "serverSideEmit")) owners.push(object);
    }
    return owners.length > 1;
  }
}

function total(counts: unknown): number {
  if (!Array.isArray(counts)) return 0;
  return counts.filter(Number.isInteger).reduce((sum, count) => sum + count, 0);
}
