/**
 * The nodes of a cluster among themselves, by way of the server's own adapter.
 * No node waits for another to be safe: each carries out the revocations it
 * hears of as soon as it does, and the answers only count.
 *
 * @module
 */
import type { Clock } from "../core/interface.ts";
import type { Revocation, Revocations } from "../core/revocations.ts";
import type { Subject } from "../core/session.ts";
import type { RawAdapter, RawNamespace, RawServer } from "./internals.ts";
import {
  isQuestion,
  isReply,
  isRevocation,
  type Question,
  type Reply,
  type RevocationMessage,
  type Verdict,
} from "./messages.ts";

/** What nodes call their messages to each other. */
const REVOKE = "socketio-auth:revoke";
const QUESTION = "socketio-auth:question";
const REPLY = "socketio-auth:reply";

/** How long to wait for an adapter that does not even say that it gives up, in ms. */
const ANSWER_LIMIT = 10_000;

/** How often to say it again while some node does not answer. */
const REPETITIONS = 10;

/** How long to wait before that, in ms, besides what the adapter waits. */
const PAUSE = 1000;

/** How long a client may wait while nodes are asked about its session, in ms. */
const QUESTION_LIMIT = 300;

/** One policy on this node. */
export interface Member {
  /** The policy, the same on every node. */
  readonly name: string;
  /** This node. */
  readonly node: string;
  readonly clock: Clock;
  readonly revocations: Revocations;
}

interface Answers {
  readonly count: number;
  readonly error?: unknown;
}

const clusters = new WeakMap<RawServer, Cluster>();

/** A server's way to the same server on other nodes. */
export class Cluster {
  /** Its adapter may be replaced at any time; the namespace never is. */
  readonly #main: RawNamespace;
  readonly #members: Member[] = [];
  readonly #questions: Map<string, (verdict: Verdict) => void> = new Map();

  private constructor(server: RawServer) {
    const main = this.#main = server.of("/");
    main.on(REVOKE, (message: unknown, acknowledge?: (count: number) => void) => {
      acknowledge?.(this.#revoke(message));
    });
    main.on(QUESTION, (message: unknown) => {
      if (isQuestion(message)) this.#reply(message);
    });
    main.on(REPLY, (message: unknown) => {
      if (isReply(message)) this.#questions.get(message.id)?.(message.verdict);
    });
  }

  /** The cluster that a server is in, or will be. */
  static of(server: RawServer): Cluster {
    let cluster = clusters.get(server);
    if (!cluster) clusters.set(server, cluster = new Cluster(server));
    return cluster;
  }

  /** A policy on this node that others have to do with. */
  join(member: Member): void {
    this.#members.push(member);
  }

  /**
   * Has the other nodes carry out a revocation, and goes on trying while some
   * do not answer. Resolves with the number of sockets ended on those that have
   * answered at first; what went wrong goes to `report`.
   */
  async revoke(
    { name, clock }: Member,
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

  /**
   * Asks the other nodes about a session. The one that has kept it has heard of
   * every revocation since, so it is sure; of the others, those that know of one
   * are. If none of them is there, nobody knows.
   */
  judge(
    { name, clock }: Member,
    keeper: string,
    subject: Subject,
    since: number,
  ): Promise<Verdict> {
    if (!this.#hasOthers) return Promise.resolve("unknown");
    return new Promise((resolve) => {
      const id = crypto.randomUUID();
      const settle = (verdict: Verdict) => {
        cancel();
        this.#questions.delete(id);
        resolve(verdict);
      };
      const cancel = clock.after(QUESTION_LIMIT, () => settle("unknown"));
      this.#questions.set(id, settle);
      const question: Question = { id, policy: name, keeper, subject, since };
      this.#send([QUESTION, question]).catch(() => settle("unknown"));
    });
  }

  #revoke(message: unknown): number {
    if (!isRevocation(message)) return 0;
    const concerned = this.#members.filter(({ name }) => name === message.policy);
    return concerned.reduce((sum, { revocations }) => sum + revocations.revoke(message), 0);
  }

  #reply({ id, policy, keeper, subject, since }: Question): void {
    for (const { name, node, revocations } of this.#members) {
      if (name !== policy) continue;
      // The clock of another node says nothing here: any revocation will do.
      const began = node === keeper ? since ?? -Infinity : -Infinity;
      const isRevoked = revocations.covers(subject, began);
      if (!isRevoked && node !== keeper) continue;
      const reply: Reply = { id, verdict: isRevoked ? "revoked" : "good" };
      // Whoever asks does not wait for ever.
      this.#send([REPLY, reply]).catch(() => {});
    }
  }

  async #repeat(message: () => RevocationMessage, clock: Clock): Promise<void> {
    for (let i = 0; i < REPETITIONS; i++) {
      await new Promise<void>((resolve) => clock.after(PAUSE, resolve));
      const { error } = await this.#ask(message(), clock);
      if (error === undefined) return;
    }
  }

  #ask(message: RevocationMessage, clock: Clock): Promise<Answers> {
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
