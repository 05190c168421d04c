/**
 * The nodes of a cluster among themselves, by way of the server's own adapter.
 * No node waits for another to be safe: each carries out the revocations it
 * hears of as soon as it does, and the answers only count.
 *
 * @module
 */
import type { Clock, Revocation } from "../../core/interface.ts";
import type { RawAdapter, RawNamespace, RawServer } from "../internals.ts";
import { isRevocation, pack, type RevocationMessage } from "./messages.ts";

/** What nodes call their messages to each other: the first time, and again. */
const REVOKE = "socketio-auth:revoke";
const REMIND = "socketio-auth:remind";

/** How long to wait for an adapter that does not even say that it gives up, in ms. */
const ANSWER_LIMIT = 10_000;

/** Whoever carries out on this node what others revoke under a policy. */
interface Listener {
  /** The policy, the same on every node. */
  readonly name: string;
  hear(revocation: Revocation): number;
}

/** What an adapter answers: what went wrong, and what those say who have answered. */
type Answer = [error: unknown, counts?: unknown];

const clusters = new WeakMap<RawServer, Cluster>();

/** A server's way to the same server on other nodes. */
export class Cluster {
  /** Its adapter may be replaced at any time; the namespace never is. */
  readonly #main: RawNamespace;
  readonly #listeners: Listener[] = [];
  /** A server that was closed has nothing to say on its own: its adapter's backend may be gone. */
  #isClosed = false;

  private constructor(server: RawServer) {
    const main = this.#main = server.of("/");
    const { close } = server;
    server.close = (...args) => {
      this.#isClosed = true;
      return close.apply(server, args);
    };
    // Not as a listener: the application may remove all there are.
    const { _onServerSideEmit } = main;
    main._onServerSideEmit = (args) => {
      if (!this.#receive(args)) _onServerSideEmit.call(main, args);
    };
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
   * Has the other nodes carry out a revocation. Resolves with the number of
   * sockets ended on those that have answered; what went wrong goes to `report`.
   */
  async revoke(
    policy: string,
    clock: Clock,
    revocation: Revocation,
    report: (error: unknown) => void,
  ): Promise<number> {
    this.#isClosed = false;
    const begun = clock.monotonic();
    const message = (): RevocationMessage => {
      return { policy, ...revocation, age: revocation.age + clock.monotonic() - begun };
    };
    // Adapters ask for answers only if they know of nodes that could give them,
    // and one that has just started knows of none. This goes to whoever is there.
    await this.#send([REVOKE, message()]).catch(report);
    const [error, counts] = await this.#ask(message(), clock);
    if (error) report(error);
    return total(counts);
  }

  /** Says revocations again to whoever is there. */
  async remind(policy: string, revocations: readonly Revocation[]): Promise<void> {
    if (this.#isClosed || !this.hasOthers) return;
    const messages = revocations.map((revocation) => ({ policy, ...revocation }));
    for (const some of pack(messages)) await this.#send([REMIND, some]);
  }

  /** Whether it was a message of this package's. */
  #receive([name, message, acknowledge]: readonly unknown[]): boolean {
    if (name === REVOKE) {
      const count = this.#revoke(message);
      if (typeof acknowledge === "function") acknowledge(count);
    } else if (name === REMIND && Array.isArray(message)) {
      for (const one of message) this.#revoke(one);
    }
    return name === REVOKE || name === REMIND;
  }

  #revoke(message: unknown): number {
    if (!isRevocation(message)) return 0;
    const concerned = this.#listeners.filter(({ name }) => name === message.policy);
    return concerned.reduce((sum, listener) => sum + listener.hear(message), 0);
  }

  #ask(message: RevocationMessage, clock: Clock): Promise<Answer> {
    return new Promise((resolve) => {
      const answer = (...answer: Answer) => {
        cancel();
        resolve(answer);
      };
      const cancel = clock.after(ANSWER_LIMIT, () => {
        answer(new Error("The adapter does not answer."));
      });
      this.#send([REVOKE, message, answer]).catch(answer);
    });
  }

  /** Straight to the adapter: a namespace would leave a rejection unhandled. */
  async #send(packet: unknown[]): Promise<void> {
    await this.#main.adapter.serverSideEmit(packet);
  }

  /**
   * Whether there can be other nodes: the adapter has a `serverSideEmit` of its own. The one of the class
   * that all adapters extend, which is the in-memory adapter, only warns.
   */
  get hasOthers(): boolean {
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
