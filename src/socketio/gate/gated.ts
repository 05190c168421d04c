import { type Owner, Waiting } from "../../core/waiting.ts";
import type { Packet } from "../internals.ts";
import type { CatchUp } from "../recovery/catch_up.ts";
import type { Recovered } from "../recovery/recovered.ts";
import type { HeldEmit } from "./sending.ts";

/** What waits at the gate of a socket, with what is Socket.IO's own. */
export class Gated extends Waiting<Packet, HeldEmit> {
  /** The rooms to enter when the gate opens; those a socket had, when it is over. */
  rooms: readonly string[];
  /** The lost connection, if this is one that has come back. */
  recovered: Recovered | undefined;
  /** Catches up with what it has missed, from the moment its user is known to be the same. */
  catchUp: CatchUp | undefined;
  /** Settles when that is there. */
  caughtUp: Promise<void> | undefined;
  missed: readonly unknown[] | undefined;
  /** Whether the application knows the socket. */
  isIntroduced: boolean;

  constructor(owner: Owner, rooms: Iterable<string>, isIntroduced: boolean) {
    super(owner);
    this.rooms = [...rooms];
    this.isIntroduced = isIntroduced;
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
