import { type Owner, Waiting } from "../../core/waiting.ts";
import type { Packet, RawSocket } from "../internals.ts";
import { CatchUp } from "../recovery/catch_up.ts";
import type { Recovered } from "../recovery/recovered.ts";
import { withinLimit } from "../recovery/within.ts";
import type { HeldEmit } from "./sending.ts";

/** What a recovered socket has missed: what is broadcast meanwhile waits behind that. */
interface Arrears {
  readonly catchUp: CatchUp;
  caughtUp?: Promise<void>;
  /** Once it is known. */
  missed?: readonly unknown[];
}

/** What waits at the gate of a socket, with what is Socket.IO's own. */
export class Gated extends Waiting<Packet, HeldEmit> {
  /** The rooms to enter when the gate opens; those a socket had, when it is over. */
  rooms: readonly string[];
  /** The lost connection, if this is one that has come back. */
  recovered: Recovered | undefined;
  #arrears: Arrears | undefined;
  /** Whether the application knows the socket. */
  isIntroduced: boolean;
  // Without a value, and so without memory for them, until they are set.
  /** Whether the server ended its session, or refused it; its client has not left by itself. */
  declare isEnded?: true;
  /** Whether other sockets hear nothing of it any more: its listeners have run since its end. */
  declare isMute?: true;

  constructor(owner: Owner, rooms: Iterable<string>, isIntroduced: boolean) {
    super(owner);
    this.rooms = [...rooms];
    this.isIntroduced = isIntroduced;
  }

  /** Whether it was recovered, and does not know yet what it has missed. */
  get isBehind(): boolean {
    return this.recovered !== undefined && !this.#arrears?.missed;
  }

  /** Whether it is in its rooms already, where broadcasts to it wait. */
  get isCatchingUp(): boolean {
    return this.#arrears !== undefined;
  }

  /** Enters its rooms, and fetches what it has missed. Rejects if that is not to be had. */
  catchUp(raw: RawSocket): Promise<void> {
    if (!this.#arrears) {
      const arrears: Arrears = { catchUp: new CatchUp(raw) };
      this.#arrears = arrears;
      arrears.caughtUp = withinLimit(() => this.#fetchMissed(raw, this.recovered!, arrears));
    }
    return this.#arrears.caughtUp!;
  }

  async #fetchMissed(raw: RawSocket, recovered: Recovered, arrears: Arrears): Promise<void> {
    // In its rooms first: what is sent from now on is held, all else is in the store.
    await raw.nsp.adapter.addAll(raw.id, new Set(this.rooms));
    for (;;) {
      const { rooms } = this;
      const missed = await recovered.missed(rooms);
      // The socket may be gone by now, or not have been admitted.
      if (this.#arrears !== arrears) return;
      // What is sent to rooms that it has left meanwhile is not its business.
      if (!rooms.every((room) => this.rooms.includes(room))) continue;
      arrears.missed = missed;
      return;
    }
  }

  /** Forgets what it has caught up with. */
  fallBehind(): void {
    this.#arrears = undefined;
  }

  /**
   * Lets out what was missed, and what was broadcast since.
   *
   * @throws what cannot be sent any more
   */
  sendMissed(send: (packet: Packet) => void, report: (error: unknown) => void): void {
    this.#arrears?.catchUp.open(this.#arrears.missed ?? [], send, report);
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
