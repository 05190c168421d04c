import type { Clock, Host } from "../core/interface.ts";
import type { Policy } from "../core/policy.ts";
import { Gate } from "./gate.ts";
import { missingMethod, type RawClient, type RawSocket } from "./internals.ts";
import { gateOf } from "./slot.ts";
import { closeTransport, connectionOf, isInUse } from "./transport.ts";

/** One policy at work: puts a gate on each socket that falls under it. */
export class Guard<S> implements Host<S, RawClient> {
  readonly policy: Policy<S>;
  readonly clock: Clock;

  constructor(policy: Policy<S>, clock: Clock) {
    this.policy = policy;
    this.clock = clock;
  }

  /**
   * Puts a gate on a socket, shut. A socket that is connected already counts
   * as connected now.
   *
   * @throws {TypeError} if the socket is not of a kind the gate can hold
   */
  guard(socket: RawSocket): void {
    const missing = missingMethod(socket);
    if (missing) {
      throw new TypeError(
        `Cannot guard a socket without a method "${missing}": socketio-auth supports socket.io 4.6 ` +
          "to 4.8. The connection was closed.",
      );
    }
    // A namespace may get its own policy while a socket is on its way into it.
    const hadGate = gateOf(socket) !== undefined;
    const gate = new Gate(socket, this);
    if (!hadGate) {
      socket.on("authentication", onAuthentication);
      socket.on("disconnect", onDisconnect);
    }
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

// Shared by all sockets, so that an authenticated one costs no closure.

function onAuthentication(this: RawSocket, ...args: unknown[]): void {
  gateOf(this)?.authenticate(args);
}

function onDisconnect(this: RawSocket, reason: string): void {
  gateOf(this)?.vanish(reason);
}
