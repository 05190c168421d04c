import type { Peer } from "./interface.ts";
import { type Acknowledge, type Unauthorized, unauthorized } from "../protocol.ts";

/** A socket that is joining, with the credentials that it has brought. */
export class Newcomer<S> {
  readonly peer: Peer<S>;
  readonly credentials: unknown;
  #acknowledge: Acknowledge | undefined;

  constructor(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge) {
    this.peer = peer;
    this.credentials = credentials;
    this.#acknowledge = acknowledge;
  }

  letIn(): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.({ ok: true, reply: undefined });
  }

  /** Refuses the namespace, even if it was allowed already and is not connected yet. */
  refuse(refusal: Unauthorized = unauthorized("server_error")): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    if (acknowledge) acknowledge({ ok: false, ...refusal });
    else if (!this.peer.connected) this.peer.refuse?.(refusal);
  }
}
