import type { Outbox } from "./outbox.ts";
import type { Recovery } from "./recovery.ts";

/** What waits for a shut gate to open. An authenticated socket has none of it. */
export class Waiting {
  /** Rooms to enter when the gate opens. */
  rooms: readonly string[];
  /** What a recovered connection is owed. */
  recovery: Recovery | undefined;
  /** The server's direct emits. */
  outbox: Outbox | undefined;
  /** The client is signed in; what it has missed is being fetched. */
  isOpening = false;
  /** Disconnected: nothing passes any more. */
  isOver = false;

  constructor(rooms: Iterable<string>) {
    this.rooms = [...rooms];
  }

  join(room: string): void {
    if (!this.rooms.includes(room)) this.rooms = [...this.rooms, room];
  }

  /** Forgets a room, or all of them. */
  leave(room?: string): void {
    this.rooms = room === undefined ? [] : this.rooms.filter((other) => other !== room);
  }
}
