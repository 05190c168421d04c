import type { Clock, Link } from "../core/interface.ts";
import type { RawClient } from "./internals.ts";
import { gates } from "./prototype.ts";

/** How long a closed transport may take to flush before it is dropped, in ms. */
const LINGER = 1000;

/** The client connection under the sockets of one policy. */
export class ClientLink implements Link {
  readonly #client: RawClient;
  readonly #clock: Clock;

  constructor(client: RawClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  shared(): boolean {
    for (const socket of this.#client.sockets.values()) {
      if (!gates.get(socket)?.isShut) return true;
    }
    return false;
  }

  close(): void {
    const { conn } = this.#client;
    this.#client._disconnect();
    // The transport closes once it has sent what is left in its buffer. A
    // client that does not fetch it could keep the transport for as long as
    // the heartbeat allows.
    if (conn.readyState === "closed") return;
    const cancel = this.#clock.after(LINGER, () => conn.onClose?.("forced close"));
    conn.on("close", cancel);
  }
}
