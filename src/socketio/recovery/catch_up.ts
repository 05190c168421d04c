import { EVENT, type Packet, type RawClient, type RawSocket } from "../internals.ts";

/** How long an adapter may deliver a packet late that was sent as missed, in ms. */
const SETTLE = 1000;

/** A broadcast that is about to go out to the client. */
interface Write {
  readonly packet: Packet | undefined;
  readonly args: unknown[];
}

/** The sockets that are catching up. Kept here, because a gate may be gone by then. */
const catchUps = new WeakMap<RawSocket, CatchUp>();

export function endCatchUp(socket: RawSocket): void {
  catchUps.get(socket)?.end();
}

/**
 * A socket that catches up. The socket is in its rooms already, so that it misses nothing from now
 * on, but broadcasts to it wait until the missed packets are sent. Broadcasts that were among those
 * are left out; slow adapters may deliver such for a while. All broadcasts go through the socket's
 * `client`, which has a stand-in until then, right after `notifyOutgoingListeners`.
 */
export class CatchUp {
  readonly #socket: RawSocket;
  readonly #client: RawClient;
  /** The broadcasts that wait; `undefined` once the missed packets are sent. */
  #held: Write[] | undefined = [];
  #packet: Packet | undefined;
  #sent: ReadonlySet<unknown> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: RawSocket) {
    this.#socket = socket;
    catchUps.set(socket, this);
    const client = this.#client = socket.client;
    socket.notifyOutgoingListeners = (packet) => void (this.#packet = packet);
    socket.client = Object.create(client, {
      writeToEngine: { value: (...args: unknown[]) => this.#write(args) },
      // For the socket's own packets.
      _packet: { value: (...args: [Packet]) => client._packet(...args) },
    });
  }

  /**
   * Sends the missed packets, then the broadcasts that wait. A listener's throw over one of the
   * latter goes to `report`.
   *
   * @throws if a missed packet cannot be sent
   */
  open(
    missed: readonly unknown[],
    send: (packet: Packet) => void,
    report: (error: unknown) => void,
  ): void {
    for (const data of missed) send({ type: EVENT, data });
    this.#sent = new Set(missed.map((data) => (data as unknown[]).at(-1)));
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#timer = setTimeout(() => this.end(), SETTLE);
    for (const write of held) {
      try {
        this.#pass(write);
      } catch (error) {
        report(error);
      }
    }
  }

  end(): void {
    catchUps.delete(this.#socket);
    clearTimeout(this.#timer);
    this.#socket.client = this.#client;
    delete (this.#socket as Partial<RawSocket>).notifyOutgoingListeners;
  }

  #write(args: unknown[]): void {
    const write = { packet: this.#packet, args };
    this.#packet = undefined;
    if (this.#held) this.#held.push(write);
    else this.#pass(write);
  }

  #notify(packet: Packet): void {
    const { notifyOutgoingListeners } = Object.getPrototypeOf(this.#socket) as RawSocket;
    notifyOutgoingListeners.call(this.#socket, packet);
  }

  #pass({ packet, args }: Write): void {
    if (packet && this.#sent.has(offsetOf(packet))) return;
    // A listener's throw reaches the broadcasting code, as without a gate; the packet still goes
    // out.
    try {
      if (packet) this.#notify(packet);
    } finally {
      this.#client.writeToEngine(...args);
    }
  }
}

/** Returns the offset that an adapter has put at the end of a packet. */
function offsetOf({ type, id, data }: Packet): unknown {
  const offset = type === EVENT && id === undefined ? (data as unknown[]).at(-1) : undefined;
  return typeof offset === "string" ? offset : undefined;
}
