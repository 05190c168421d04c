/**
 * The nodes of a cluster among themselves, by way of the server's own adapter.
 * No node waits for another to be safe: each carries out the revocations it
 * hears of as soon as it does, and the answers only count.
 *
 * @module
 */
import type { Clock, Revocation } from "../../core/interface.ts";
import type { RawAdapter, RawNamespace, RawServer } from "../internals.ts";
import { isRevocation, isTime, pack, type RevocationMessage } from "./messages.ts";

/** What nodes call their messages to each other: the first time, and again. */
const REVOKE = "socketio-auth:revoke";
const REMIND = "socketio-auth:remind";
/** What a node says at its start, and at its first sign-in, and what the others answer. */
const HELLO = "socketio-auth:hello";
const TIME = "socketio-auth:time";

/** How long to wait for an adapter that does not even say that it gives up, in ms. */
const ANSWER_LIMIT = 10_000;

/** Whoever carries out on this node what others revoke under a policy. */
interface Listener {
  /** The policy, the same on every node. */
  readonly name: string;
  readonly clock: Clock;
  /** What time it is in the cluster. */
  readonly time: { now(): number; hear(time: number): void };
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
    // The adapter may still be put in its place in this turn.
    listener.clock.after(0, () => this.#tellTime(HELLO, listener));
  }

  /**
   * Asks the other nodes what time it is there. At its start a node may not hear the answers yet, as
   * adapters take their time to subscribe.
   */
  greet(policy: string): void {
    const listener = this.#listeners.find(({ name }) => name === policy);
    if (listener) this.#tellTime(HELLO, listener);
  }

  #tellTime(name: string, { name: policy, time }: Listener): void {
    if (this.#isClosed || !this.hasOthers) return;
    // Whoever does not hear of it now hears of it with the next revocation.
    this.#send([name, { policy, time: time.now() }]).catch(() => {});
  }

  #timeOf(policy: string): number {
    return this.#listeners.find(({ name }) => name === policy)!.time.now();
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
      const age = revocation.age + clock.monotonic() - begun;
      return { policy, time: this.#timeOf(policy), ...revocation, age };
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
    const time = this.#timeOf(policy);
    const messages = revocations.map((revocation) => ({ policy, time, ...revocation }));
    for (const some of pack(messages)) await this.#send([REMIND, some]);
  }

  /** Whether it was a message of this package's. */
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

  /** Whoever is told what time it is. */
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
