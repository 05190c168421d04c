import { ClusterTime } from "./cluster_time.ts";
import type { Binding, Clock, Revocation } from "./interface.ts";
import { Holdings } from "./holdings.ts";
import { Identities } from "./identities.ts";
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

/** How long a client may take to fetch and confirm a close before it is dropped, in ms. */
const LINGER = 1000;

/** One policy at work: what all connections under it have in common. */
export class Guard<S, T> {
  readonly policy: Policy<S>;
  /** The clock it goes by. */
  readonly clock: Clock;
  /** What has happened under it. */
  readonly journal: Journal<S>;
  /** What is held while sockets are pending. */
  readonly holdings: Holdings;
  /** When those may come back whom there was no time or room for. */
  readonly spreading: Spreading;
  /** Which sessions are no longer good. */
  readonly revocations: Revocations;
  /** What time it is in the cluster. */
  readonly time: ClusterTime;
  /** What the operator is told now and then. */
  readonly notices: Notices<S>;
  /** Who the users are. */
  readonly identities: Identities<S>;
  /** This node, among all that share a policy. */
  readonly node: string = crypto.randomUUID();
  readonly #binding: Binding<T>;
  #hasGreeted = false;
  /** For how long a revocation may matter, in ms. */
  readonly #retention: number;
  /** Tells the other nodes again, from now on. */
  readonly #wakeReminders: () => void;

  constructor(policy: Policy<S>, binding: Binding<T>) {
    this.policy = policy;
    this.clock = binding.clock;
    this.#binding = binding;
    this.#retention = binding.recoverable + SLACK;
    this.holdings = new Holdings(policy.holdLimit.total);
    this.journal = new Journal(policy, this.holdings);
    this.spreading = new Spreading(binding.clock);
    this.notices = new Notices(policy, binding.clock);
    this.identities = new Identities(policy, this.notices);
    this.revocations = new Revocations(binding.clock, this.#retention);
    this.time = new ClusterTime(binding.clock);
    this.#wakeReminders = remindOf(this.revocations, binding.clock, (revocations) => {
      // What goes wrong now was reported the first time, and is tried again.
      binding.remindOthers?.(revocations).catch(() => {});
    });
    if (binding.recoverable > 0) this.revocations.awareness.watch();
  }

  /** What it guards; the same on every node. */
  get name(): string {
    return this.#binding.name;
  }

  /**
   * Why a socket must not come in that has just been connected, if so: its lost
   * session was revoked since it was looked for, or there is no place for it.
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

  /** A refusal for want of time or room, with when to come back. */
  busy(code: "server_busy" | "timeout"): Unauthorized {
    return { ...unauthorized(code), retryAfter: this.spreading.next() };
  }

  /** What time it is in the cluster, for a sign-in that begins. */
  stamp(): number {
    if (!this.#hasGreeted) {
      this.#hasGreeted = true;
      this.#try(() => this.#binding.greetOthers?.());
    }
    return this.time.now();
  }

  /** Drops for a while what a client sends that does not know yet that it is refused. */
  ignore(transport: T): void {
    this.#try(() => this.#binding.ignore?.(transport, LINGER));
  }

  /**
   * Closes a client connection that nobody else uses, and drops it a while later:
   * what counts as closed above may still be open below, for a client that does
   * not cooperate.
   */
  close(transport: T): void {
    const binding = this.#binding;
    if (binding.isShared(transport)) return;
    this.clock.after(LINGER, () => this.#try(() => binding.drop(transport)));
    this.#try(() => binding.close(transport, LINGER));
  }

  /**
   * Whether a lost connection that a node has kept may be recovered: its session
   * was not revoked, as far as this node can know. It can once it has heard of
   * all revocations for as long as connections are kept; or, of a session of its
   * own, since that began.
   */
  mayRecover(keeper: string, previous: Previous): boolean {
    const { since } = this.revocations.awareness;
    const isOwn = keeper === this.node && (previous.since ?? -Infinity) >= since;
    if (!isOwn && this.clock.monotonic() - since <= this.#retention) return false;
    const { revocations, clock } = this;
    return !revocations.refusalFor(previous) && clock.monotonic() < revocations.limitOf(previous);
  }

  /** For how long at most a lost connection may have been kept, in ms. */
  get retention(): number {
    return this.#retention;
  }

  /**
   * Carries a revocation out here, then has all other nodes do so. Resolves with the number of
   * sockets.
   */
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

  /** Another node has made a revocation, or says so again. Returns how many sockets ended here. */
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
