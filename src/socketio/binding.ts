import { systemClock } from "../core/clock.ts";
import type { Binding, Clock, Revocation } from "../core/interface.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { SocketIoGuard } from "./guarding.ts";
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

  tellOthers(
    revocation: Revocation,
    report: (error: unknown) => void,
  ): Promise<number> | undefined {
    if (!this.#cluster.hasOthers) return undefined;
    return this.#cluster.revoke(this.name, this.clock, revocation, report);
  }

  remindOthers(revocations: readonly Revocation[]): Promise<void> {
    return this.#cluster.remind(this.name, revocations);
  }

  /** From now on what other nodes revoke is carried out here. */
  hearOthers(guard: SocketIoGuard): void {
    this.#cluster.join(guard);
  }
}
