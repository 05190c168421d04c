import { EVENT, type Packet, type RawClient, type RawSocket } from "../internals.ts";

/** How long an adapter may deliver late what the client has been sent as missed, in ms. */
const SETTLE = 1000;

/** A broadcast that is about to go out to the client. */
interface Write {
  readonly packet: Packet | undefined;
  readonly args: unknown[];
}

/** Those that have not been taken off their sockets yet: a gate may be gone by then. */
const catchUps = new WeakMap<RawSocket, CatchUp>();

/** Takes it off a socket, if it is still there. */
export function endCatchUp(socket: RawSocket): void {
  catchUps.get(socket)?.end();
}

/**
 * A socket that catches up: it is in its rooms already, so that from now on it
 * misses nothing, but broadcasts to it wait. Then it is sent what it has missed,
 * and then those that are not among that; adapters that deliver late may have
 * such for a while. All broadcasts go through the socket's `client`, which has a
 * stand-in until then, right after the socket was told of the packet.
 */
export class CatchUp {
  readonly #socket: RawSocket;
  readonly #client: RawClient;
  /** Those that wait; nothing once the client has caught up. */
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
      // The socket's own packets.
      _packet: { value: (...args: [Packet]) => client._packet(...args) },
    });
  }

  /**
   * Lets out what was missed, then what has come since. A throw of a listener over
   * the latter goes to `report`.
   *
   * @throws what cannot be sent any more of what was missed
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

  /** Takes it off the socket. */
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
    // What a listener throws goes to whoever broadcasts, as ever; the packet goes out all the same.
    try {
      if (packet) this.#notify(packet);
    } finally {
      this.#client.writeToEngine(...args);
    }
  }
}

/** What an adapter puts at the end of a packet that it keeps. */
function offsetOf({ type, id, data }: Packet): unknown {
  const offset = type === EVENT && id === undefined ? (data as unknown[]).at(-1) : undefined;
  return typeof offset === "string" ? offset : undefined;
}
