import type { Clock, Host } from "../core/interface.ts";
import { Journal } from "../core/journal.ts";
import type { Policy } from "../core/policy.ts";
import { AUTHENTICATION } from "../core/protocol.ts";
import { type Revocation, Revocations } from "../core/revocations.ts";
import type { RevocationTarget } from "../core/session.ts";
import type { Previous } from "../core/states.ts";
import { Cluster, type Member } from "./cluster.ts";
import { Gate } from "./gate.ts";
import type { RawClient, RawSocket } from "./internals.ts";
import { gateOf } from "./slot.ts";
import type { Target } from "./target.ts";
import { closeTransport, connectionOf, isInUse } from "./transport.ts";

/** How much longer than promised an adapter may keep a session, in ms. */
const SLACK = 60_000;

/** One policy at work: puts a gate on each socket that falls under it. */
export class Guard<S> implements Host<S, RawClient>, Member {
  readonly policy: Policy<S>;
  readonly clock: Clock;
  readonly journal: Journal<S>;
  readonly revocations: Revocations;
  /** What it guards; the same on every node. */
  readonly name: string;
  /** This node, among all that share an adapter. */
  readonly node: string = crypto.randomUUID();
  readonly #cluster: Cluster;
  /** For how long a connection can be recovered, in ms. */
  readonly #recoverable: number;
  readonly #installedAt: number;

  constructor(policy: Policy<S>, clock: Clock, { server, name }: Target) {
    const { maxDisconnectionDuration = 0 } = Object(server.opts.connectionStateRecovery);
    this.policy = policy;
    this.clock = clock;
    this.name = name;
    this.#recoverable = maxDisconnectionDuration + SLACK;
    this.#installedAt = clock.monotonic();
    this.journal = new Journal(policy);
    this.revocations = new Revocations(clock, this.#recoverable);
    this.#cluster = Cluster.of(server);
  }

  /** From now on it carries out what other nodes revoke. */
  joinCluster(): void {
    this.#cluster.join(this);
  }

  /**
   * Whether a session that a node has kept may be recovered: it was not revoked,
   * as far as this node can know. It can know all of what it has kept itself, and
   * everything else once it has been there for as long as sessions are kept.
   */
  mayRecover(keeper: string, previous: Previous): boolean {
    const isOwn = keeper === this.node;
    const uptime = this.clock.monotonic() - this.#installedAt;
    if (!isOwn && uptime <= this.#recoverable) return false;
    return !this.revocations.covers(previous, previous.since ?? -Infinity, previous.connection);
  }

  /**
   * Revokes sessions here, then on all other nodes, but for one client
   * connection. Resolves with the number of sockets.
   */
  async revoke(target: RevocationTarget, except?: string): Promise<number> {
    const begun = this.clock.monotonic();
    const id = crypto.randomUUID();
    const revocation = (): Revocation => ({
      ...{ id, target, age: this.clock.monotonic() - begun },
      ...except !== undefined && { except },
    });
    const here = this.revocations.revoke(revocation());
    const report = (error: unknown) => this.policy.report(error, { during: "revoke" });
    return here + await this.#cluster.revoke(this, revocation, report);
  }

  /**
   * Puts a gate on a socket, shut. A socket that is connected already counts
   * as connected now.
   */
  guard(socket: RawSocket): void {
    // A namespace may get its own policy while a socket is on its way into it.
    const hadGate = gateOf(socket) !== undefined;
    const gate = new Gate(socket, this);
    if (!hadGate) socket.on(AUTHENTICATION, onAuthentication);
    if (socket.connected) gate.connect();
  }

  /** Whether a client that asks for a namespace may have a socket there. */
  mayJoin(client: RawClient): boolean {
    return connectionOf(client, this).approach();
  }

  isShared(client: RawClient): boolean {
    return isInUse(client);
  }

  close(client: RawClient): void {
    closeTransport(client, this.clock);
  }
}

/** A refresh. Shared by all sockets, so that an authenticated one costs no closure. */
function onAuthentication(this: RawSocket, ...args: unknown[]): void {
  gateOf(this)?.authenticate(args);
}
