import { Connection } from "../core/connection.ts";
import type { Clock } from "../core/interface.ts";
import type { Policy } from "../core/policy.ts";
import { Gate, type GateContext } from "./gate.ts";
import { missingMethod, type RawClient, type RawSocket } from "./internals.ts";
import { ClientLink } from "./link.ts";
import { gates } from "./prototype.ts";

/** One policy at work: puts a gate on each socket that falls under it. */
export class Guard<S> implements GateContext<S> {
  readonly policy: Policy<S>;
  readonly clock: Clock;
  readonly #connections: WeakMap<RawClient, Connection<S>> = new WeakMap();

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
    const gate = new Gate(socket, this as GateContext<S>);
    gates.set(socket, gate as Gate<unknown>);
    socket.on("authentication", onAuthentication);
    socket.on("disconnect", onDisconnect);
    if (socket.connected) gate.connect();
  }

  connectionOf({ client }: RawSocket): Connection<S> {
    let connection = this.#connections.get(client);
    if (!connection) {
      const created = new Connection(this.policy, this.clock, new ClientLink(client, this.clock));
      client.conn.on("close", () => created.close());
      this.#connections.set(client, connection = created);
    }
    return connection;
  }
}

// Shared by all sockets, so that an authenticated one costs no closure.

function onAuthentication(this: RawSocket, ...args: unknown[]): void {
  gates.get(this)?.authenticate(args);
}

function onDisconnect(this: RawSocket, reason: string): void {
  gates.get(this)?.vanish(reason);
}
