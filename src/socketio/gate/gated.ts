import { type Owner, Waiting } from "../../core/waiting.ts";
import type { Packet, RawSocket } from "../internals.ts";
import { CatchUp } from "../recovery/catch_up.ts";
import type { Recovered } from "../recovery/recovered.ts";
import { withinLimit } from "../recovery/within.ts";
import type { HeldEmit } from "./prototype.ts";

/** The packets that a recovered socket has missed. Broadcasts wait until these are sent. */
interface Arrears {
  readonly catchUp: CatchUp;
  caughtUp?: Promise<void>;
  /** Set once the packets are known. */
  missed?: readonly unknown[];
}

/** The state of the gate of a Socket.IO socket. */
export class Gated extends Waiting<Packet, HeldEmit> {
  /** The rooms to enter when the gate opens; after the end, the rooms that the socket had. */
  rooms: readonly string[];
  recovered: Recovered | undefined;
  #arrears: Arrears | undefined;
  /** Whether `connection` was emitted for the socket. */
  isIntroduced: boolean;
  // `declare`, so that these take no memory until they are set.
  /** Set if the server ended the session or refused the socket. */
  declare isEnded?: true;
  /** Set once the listeners have run after the end: broadcasts of the socket are then lost. */
  declare isMute?: true;

  constructor(owner: Owner, rooms: readonly string[], isIntroduced: boolean) {
    super(owner);
    this.rooms = rooms;
    this.isIntroduced = isIntroduced;
  }

  /** Whether the socket was recovered, and the packets that it has missed are not known yet. */
  get isBehind(): boolean {
    return this.recovered !== undefined && !this.#arrears?.missed;
  }

  /** Whether the socket is in its rooms already, while broadcasts to it wait. */
  get isCatchingUp(): boolean {
    return this.#arrears !== undefined;
  }

  /** Enters the rooms, and fetches the missed packets. Rejects if they cannot be had. */
  catchUp(raw: RawSocket): Promise<void> {
    if (!this.#arrears) {
      const arrears: Arrears = { catchUp: new CatchUp(raw) };
      this.#arrears = arrears;
      arrears.caughtUp = withinLimit(() => this.#fetchMissed(raw, this.recovered!, arrears));
    }
    return this.#arrears.caughtUp!;
  }

  async #fetchMissed(raw: RawSocket, recovered: Recovered, arrears: Arrears): Promise<void> {
    // Enters the rooms first: what is sent from now on is held, and all else is in the store.
    await raw.nsp.adapter.addAll(raw.id, new Set(this.rooms));
    for (;;) {
      const { rooms } = this;
      const missed = await recovered.missed(rooms);
      // The socket may have left, or been refused.
      if (this.#arrears !== arrears) return;
      // The rooms have changed: fetch again, without the packets of rooms that were left.
      if (!rooms.every((room) => this.rooms.includes(room))) continue;
      arrears.missed = missed;
      return;
    }
  }

  fallBehind(): void {
    this.#arrears = undefined;
  }

  /**
   * Sends the missed packets, then what was broadcast since.
   *
   * @throws if a missed packet cannot be sent
   */
  sendMissed(send: (packet: Packet) => void, report: (error: unknown) => void): void {
    this.#arrears?.catchUp.open(this.#arrears.missed ?? [], send, report);
  }

  enter(rooms: Iterable<string>): void {
    if (this.outwards === "over") return;
    this.rooms = this.rooms.length === 0 ? [...rooms] : [...new Set([...this.rooms, ...rooms])];
  }

  leave(room?: string): void {
    this.rooms = room === undefined ? [] : this.rooms.filter((other) => other !== room);
  }
}
