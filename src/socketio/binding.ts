import { systemClock } from "../core/clock.ts";
import type { Binding, Clock } from "../core/interface.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { RawClient } from "./internals.ts";
import type { Target } from "./target.ts";
import { ignoreInvalid } from "./connections.ts";
import { isInUse } from "./gate/gate.ts";
import { closeTransport, dropTransport } from "./transport.ts";

export function bindingOf(
  { server, name }: Target,
  clock: Clock = systemClock,
): Binding<RawClient> {
  const { maxDisconnectionDuration = 0 } = Object(server.opts.connectionStateRecovery);
  const cluster = Cluster.of(server);
  return {
    name,
    clock,
    recoverable: maxDisconnectionDuration,
    isShared: isInUse,
    ignore: (client, ms) => ignoreInvalid(client, clock, ms),
    close: closeTransport,
    drop: dropTransport,
    tellOthers(revocation, report) {
      return cluster.hasOthers ? cluster.revoke(name, clock, revocation, report) : undefined;
    },
    greetOthers: () => cluster.greet(name),
    remindOthers: (revocations) => cluster.remind(name, revocations),
  };
}
