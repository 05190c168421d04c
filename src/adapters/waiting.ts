import type { Hold } from "../core/hold.ts";
import type { Packet } from "./internals.ts";
import type { HeldEmit } from "./outbox.ts";
import type { Recovery } from "./recovery.ts";

/**
 * What a socket has while its gate is not open both ways, and again when it is
 * over. An authenticated socket has none of it.
 *
 * Outwards it is `shut`, then perhaps `opening` while what the client has
 * missed is being fetched, then `open`; `over` comes last, from anywhere.
 */
export class Waiting {
  outwards: "shut" | "opening" | "open" | "over" = "shut";
  /** Whether the client's own events reach the application. */
  isOpenInwards = false;
  /** The rooms to enter when the gate opens; those a socket had, when it is over. */
  rooms: readonly string[];
  /** What a recovered connection is owed. */
  recovery: Recovery | undefined;
  /** The server's direct emits. */
  outbox: Hold<HeldEmit> | undefined;
  /** What the client has sent. */
  inbox: Hold<Packet> | undefined;

  constructor(rooms: Iterable<string>) {
    this.rooms = [...rooms];
  }

  /** Whether the session is in force, as far as this socket is concerned. */
  get isAdmitted(): boolean {
    return this.outwards === "open" || this.outwards === "opening";
  }

  /** Remembers rooms, unless it is too late for any. */
  enter(rooms: Iterable<string>): void {
    if (this.outwards === "over") return;
    this.rooms = [...new Set([...this.rooms, ...rooms])];
  }

  /** Forgets a room, or all of them. */
  leave(room?: string): void {
    this.rooms = room === undefined ? [] : this.rooms.filter((other) => other !== room);
  }
}
