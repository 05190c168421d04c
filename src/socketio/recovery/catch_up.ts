import { EVENT, type Packet, type RawClient, type RawSocket } from "../internals.ts";

/** How long an adapter may deliver late what the client has been sent as missed, in ms. */
const SETTLE = 1000;

/** A broadcast that is about to go out to the client. */
interface Write {
  readonly packet: Packet | undefined;
  readonly args: unknown[];
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
    const client = this.#client = socket.client;
    socket.notifyOutgoingListeners = (packet) => void (this.#packet = packet);
    socket.client = Object.create(client, {
      writeToEngine: { value: (...args: unknown[]) => this.#write(args) },
      // The socket's own packets.
      _packet: { value: (...args: [Packet]) => client._packet(...args) },
    });
  }

  /** Lets out what was missed, then what has come since. */
  open(missed: readonly unknown[], send: (packet: Packet) => void): void {
    for (const data of missed) send({ type: EVENT, data });
    this.#sent = new Set(missed.map((data) => (data as unknown[]).at(-1)));
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) this.#pass(write);
    this.#timer = setTimeout(() => this.end(), SETTLE);
  }

  /** Takes it off the socket. */
  end(): void {
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

  #pass({ packet, args }: Write): void {
    if (packet && this.#sent.has(offsetOf(packet))) return;
    if (packet) {
      Object.getPrototypeOf(this.#socket).notifyOutgoingListeners.call(this.#socket, packet);
    }
    this.#client.writeToEngine(...args);
  }
}

/** What an adapter puts at the end of a packet that it keeps. */
function offsetOf({ type, id, data }: Packet): unknown {
  const offset = type === EVENT && id === undefined ? (data as unknown[]).at(-1) : undefined;
  return typeof offset === "string" ? offset : undefined;
}
