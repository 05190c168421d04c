/**
 * Messages between the nodes of a cluster, through the server's own adapter. Safety does not depend
 * on answers: each node carries out a revocation as soon as it hears of it, and the answers only
 * count.
 *
 * @module
 */
import type { Clock, Revocation } from "../../core/interface.ts";
import type { RawAdapter, RawNamespace, RawServer } from "../internals.ts";
import { isRevocation, isTime, pack, type RevocationMessage } from "./messages.ts";

/** Names of the messages about revocations: the first time, and again. */
const REVOKE = "socketio-auth:revoke";
const REMIND = "socketio-auth:remind";
/**
 * Names of the messages about time: a node's greeting at its start and its first sign-in, and the
 * answer.
 */
const HELLO = "socketio-auth:hello";
const TIME = "socketio-auth:time";

/** Time limit for an adapter that does not even report its own time limit, in ms. */
const ANSWER_LIMIT = 10_000;

/** The guard that carries out the revocations of other nodes under one policy. */
interface Listener {
  /** The name of the policy, which is the same on every node. */
  readonly name: string;
  readonly clock: Clock;
  readonly time: { now(): number; hear(time: number): void };
  hear(revocation: Revocation): number;
}

/** The answer of an adapter: an error, and the counts of the nodes that have answered. */
type Answer = [error: unknown, counts?: unknown];

const clusters = new WeakMap<RawServer, Cluster>();

/** The connection of a server to the same server on other nodes. */
export class Cluster {
  /** The namespace stays; its adapter may be replaced at any time. */
  readonly #main: RawNamespace;
  readonly #listeners: Listener[] = [];
  /** Set once the server is closed: the backend of its adapter may be gone. */
  #isClosed = false;

  private constructor(server: RawServer) {
    const main = this.#main = server.of("/");
    const { close } = server;
    server.close = (...args) => {
      this.#isClosed = true;
      return close.apply(server, args);
    };
    // Not as a listener: the application may remove all listeners.
    const { _onServerSideEmit } = main;
    main._onServerSideEmit = (args) => {
      if (!this.#receive(args)) _onServerSideEmit.call(main, args);
    };
  }

  static of(server: RawServer): Cluster {
    let cluster = clusters.get(server);
    if (!cluster) clusters.set(server, cluster = new Cluster(server));
    return cluster;
  }

  /** Carries out the revocations of other nodes from now on. */
  join(listener: Listener): void {
    this.#listeners.push(listener);
    // The adapter may still be replaced in this turn.
    listener.clock.after(0, () => this.#tellTime(HELLO, listener));
  }

  /**
   * Asks the other nodes for their time. A node that has just started may miss the answers, because
   * adapters take time to subscribe.
   */
  greet(policy: string): void {
    const listener = this.#listeners.find(({ name }) => name === policy);
    if (listener) this.#tellTime(HELLO, listener);
  }

  #tellTime(name: string, { name: policy, time }: Listener): void {
    if (this.#isClosed || !this.hasOthers) return;
    // A node that misses this time hears of it with the next revocation.
    this.#send([name, { policy, time: time.now() }]).catch(() => {});
  }

  #timeOf(policy: string): number {
    return this.#listeners.find(({ name }) => name === policy)!.time.now();
  }

  /**
   * Makes the other nodes carry out a revocation. Resolves with the number of sockets that were
   * ended on the nodes that have answered. Errors go to `report`.
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
      const age = revocation.age + clock.monotonic() - begun;
      return { policy, time: this.#timeOf(policy), ...revocation, age };
    };
    // Adapters ask for answers only if they know of other nodes, and one that has just started
    // knows of none. This message goes to every node.
    await this.#send([REVOKE, message()]).catch(report);
    const [error, counts] = await this.#ask(message(), clock);
    if (error) report(error);
    return total(counts);
  }

  /** Repeats revocations for nodes that may have missed them. */
  async remind(policy: string, revocations: readonly Revocation[]): Promise<void> {
    if (this.#isClosed || !this.hasOthers) return;
    const time = this.#timeOf(policy);
    const messages = revocations.map((revocation) => ({ policy, time, ...revocation }));
    for (const some of pack(messages)) await this.#send([REMIND, some]);
  }

  /** Returns whether this package has sent the message. */
  #receive([name, message, acknowledge]: readonly unknown[]): boolean {
    if (name === REVOKE) {
      const count = this.#revoke(message);
      if (typeof acknowledge === "function") acknowledge(count);
    } else if (name === REMIND && Array.isArray(message)) {
      for (const one of message) this.#revoke(one);
    } else if (name === HELLO || name === TIME) {
      for (const listener of this.#hearTime(message)) {
        if (name === HELLO) this.#tellTime(TIME, listener);
      }
    }
    return [REVOKE, REMIND, HELLO, TIME].includes(name as string);
  }

  /** Passes the time on, and returns the listeners that it was for. */
  #hearTime(message: unknown): Listener[] {
    if (!isTime(message)) return [];
    const concerned = this.#listeners.filter(({ name }) => name === message.policy);
    for (const { time } of concerned) time.hear(message.time);
    return concerned;
  }

  #revoke(message: unknown): number {
    if (!isRevocation(message)) return 0;
    const { policy: _policy, time: _time, ...revocation } = message;
    return this.#hearTime(message)
      .reduce((sum, listener) => sum + listener.hear(revocation), 0);
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

  /** Sends through the adapter itself: a namespace would leave a rejection unhandled. */
  async #send(packet: unknown[]): Promise<void> {
    await this.#main.adapter.serverSideEmit(packet);
  }

  /**
   * Whether there can be other nodes: the adapter has a `serverSideEmit` of its own. The method of
   * the in-memory adapter, which all adapters extend, only warns.
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
