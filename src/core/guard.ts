import { ClusterTime } from "./cluster_time.ts";
import type { Binding, Clock, Revocation } from "./interface.ts";
import { Holdings } from "./holdings.ts";
import { Identities } from "./users.ts";
import { Journal } from "./journal.ts";
import { Notices } from "./notices.ts";
import { remindOf } from "./reminders.ts";
import type { Policy } from "./policy.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { Revocations } from "./revocations.ts";
import { Spreading } from "./spreading.ts";
import type { Previous } from "./states.ts";

/** How much longer than promised a lost connection may be kept, in ms. */
const SLACK = 60_000;

/** Time limit for a client to fetch and confirm a close before the connection is dropped, in ms. */
const LINGER = 1000;

/** A policy at work: the state that all connections under it share. */
export class Guard<S, T> {
  readonly policy: Policy<S>;
  readonly clock: Clock;
  readonly journal: Journal<S>;
  readonly holdings: Holdings;
  readonly spreading: Spreading;
  readonly revocations: Revocations;
  readonly time: ClusterTime;
  readonly notices: Notices<S>;
  readonly identities: Identities<S>;
  readonly node: string = crypto.randomUUID();
  /** Whether lost connections may be recovered. */
  readonly recovers: boolean;
  readonly #binding: Binding<T>;
  #hasGreeted = false;
  /** How long a revocation may matter, in ms. */
  readonly #retention: number;
  readonly #wakeReminders: () => void;

  constructor(policy: Policy<S>, binding: Binding<T>) {
    this.policy = policy;
    this.clock = binding.clock;
    this.#binding = binding;
    this.recovers = binding.recoverable > 0;
    this.#retention = binding.recoverable + SLACK;
    this.holdings = new Holdings(policy.holdLimit.total);
    this.journal = new Journal(policy, this.holdings);
    this.spreading = new Spreading(binding.clock);
    this.notices = new Notices(policy, binding.clock);
    this.identities = new Identities(policy, this.notices);
    this.revocations = new Revocations(binding.clock, this.#retention);
    this.time = new ClusterTime(binding.clock);
    this.#wakeReminders = remindOf(this.revocations, binding.clock, (revocations) => {
      // An error was reported the first time, and the message is repeated later.
      binding.remindOthers?.(revocations).catch(() => {});
    });
    if (this.recovers) this.revocations.awareness.watch();
  }

  /** The name of the target, which is the same on every node. */
  get name(): string {
    return this.#binding.name;
  }

  /**
   * Returns why a socket that was just connected must not stay, if so: its lost session was revoked
   * or limited in the meantime, or there are too many pending connections.
   */
  objectionTo(previous: Previous | undefined, needsPlace: boolean): Unauthorized | undefined {
    const { revocations, clock } = this;
    const refusal = previous && revocations.refusalFor(previous);
    if (refusal) return refusal;
    if (previous && revocations.limitOf(previous) <= clock.monotonic()) {
      return unauthorized("expired");
    }
    return needsPlace && this.journal.isFull ? this.busy("server_busy") : undefined;
  }

  /** Returns a refusal for lack of time or room, with the time to come back. */
  busy(code: "server_busy" | "timeout"): Unauthorized {
    return { ...unauthorized(code), retryAfter: this.spreading.next() };
  }

  /** Asks the other nodes for their time, once: before the first sign-in. */
  greet(): void {
    if (this.#hasGreeted) return;
    this.#hasGreeted = true;
    this.#try(() => this.#binding.greetOthers?.());
  }

  /** Ignores packets, for a while, of a client that does not know yet that it was refused. */
  ignore(transport: T): void {
    this.#try(() => this.#binding.ignore?.(transport, LINGER));
  }

  /**
   * Closes a client connection, unless a socket outside this policy uses it. Drops it a while
   * later: a client that does not cooperate may keep it open below.
   */
  close(transport: T): void {
    const binding = this.#binding;
    if (binding.isShared(transport)) return;
    this.clock.after(LINGER, () => this.#try(() => binding.drop(transport)));
    this.#try(() => binding.close(transport, LINGER));
  }

  /**
   * Returns whether a lost connection may be recovered: its session was not revoked, and this node
   * would know. It would know if it has missed no revocation for as long as connections are kept,
   * or since the beginning of the session if the node itself kept it.
   */
  mayRecover(keeper: string, previous: Previous): boolean {
    const { since } = this.revocations.awareness;
    const isOwn = keeper === this.node && (previous.since ?? -Infinity) >= since;
    if (!isOwn && this.clock.monotonic() - since <= this.#retention) return false;
    const { revocations, clock } = this;
    return !revocations.refusalFor(previous) && clock.monotonic() < revocations.limitOf(previous);
  }

  get retention(): number {
    return this.#retention;
  }

  /** Carries out a revocation on all nodes. Resolves with the number of sockets. */
  async revoke(made: Omit<Revocation, "id" | "age">): Promise<number> {
    const count = await this.#revokeEverywhere({ ...made, id: crypto.randomUUID(), age: 0 });
    this.identities.checkRevoked(made.target);
    return count;
  }

  async #revokeEverywhere(revocation: Revocation): Promise<number> {
    const here = this.revocations.revoke(revocation);
    const report = (error: unknown) => this.policy.report(error, { during: "revoke" });
    const told = this.#binding.tellOthers?.(revocation, report);
    if (!told) return here;
    this.#wakeReminders();
    try {
      return here + await told;
    } catch (error) {
      report(error);
      return here;
    }
  }

  /** Carries out a revocation of another node. Returns how many sockets were ended here. */
  hear(revocation: Revocation): number {
    this.#wakeReminders();
    return this.revocations.revoke(revocation);
  }

  #try(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.policy.report(error, { during: "gate" });
    }
  }
}
