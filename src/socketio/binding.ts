import { systemClock } from "../core/clock.ts";
import type { Binding, Clock, Revocation } from "../core/interface.ts";
import type { Revocations } from "../core/revocations.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { RawClient } from "./internals.ts";
import type { Target } from "./target.ts";
import { closeTransport, dropTransport, isInUse } from "./transport.ts";

/** What the core needs of a socket.io server. */
export class SocketIoBinding implements Binding<RawClient> {
  readonly name: string;
  readonly clock: Clock;
  readonly recoverable: number;
  readonly #cluster: Cluster;

  constructor({ server, name }: Target, clock: Clock = systemClock) {
    const { maxDisconnectionDuration = 0 } = Object(server.opts.connectionStateRecovery);
    this.clock = clock;
    this.recoverable = maxDisconnectionDuration;
    this.name = name;
    this.#cluster = Cluster.of(server);
  }

  isShared(client: RawClient): boolean {
    return isInUse(client);
  }

  close(client: RawClient, linger: number): void {
    closeTransport(client, linger);
  }

  drop(client: RawClient): void {
    dropTransport(client);
  }

  tellOthers(current: () => Revocation, report: (error: unknown) => void): Promise<number> {
    return this.#cluster.revoke(this.name, this.clock, current, report);
  }

  /** From now on what other nodes revoke is carried out here. */
  hearOthers(revocations: Revocations): void {
    this.#cluster.join({ name: this.name, revocations });
  }
}
