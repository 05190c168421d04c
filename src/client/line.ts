/**
 * The socket of socket.io-client, and the one place that uses what is not public of it. There
 * is no public way to keep an event on the client: `emit` writes it as soon as the namespace is
 * connected, and `retries` sends one at a time, so that credentials would wait behind it. Tried
 * on socket.io-client 4.6.0 to 4.8.4.
 *
 * While the line is shut, what the application emits goes where it goes while there is no
 * connection: into `sendBuffer`, where Socket.IO's own timeouts find it. Listening by way of
 * `emitReserved` and `emitEvent`, rather than `on`, goes on when the application removes all
 * listeners, and when one of them throws.
 *
 * @module
 */

/** A socket of socket.io-client, as far as applications know it. */
export interface ClientSocket {
  /** Whether the namespace is connected. */
  readonly connected: boolean;
  /** Whether it is, or Socket.IO goes on trying. */
  readonly active: boolean;
  /** Connects it. */
  connect(): unknown;
  /** Disconnects it. */
  disconnect(): unknown;
  /** Has the next acknowledgement time out. */
  timeout(ms: number): unknown;
}

interface Packet {
  type: number;
  data: unknown[];
  options: { compress: boolean };
}

/** An event with the option `retries`. The last argument is called when it is acknowledged. */
interface Queued {
  tryCount: number;
  args: unknown[];
}

type Send = (payload?: object) => void;

/** What is called or replaced, public or not. */
interface Internals extends ClientSocket {
  readonly io: {
    readonly nsps: Record<string, ClientSocket>;
    reconnection(): unknown;
    on(event: "reconnect_failed", listener: () => void): unknown;
    off(event: "reconnect_failed", listener: () => void): unknown;
  };
  auth: object | ((send: Send) => void) | undefined;
  sendBuffer: Packet[];
  readonly flags: { volatile?: boolean };
  readonly _queue: Queued[];
  _pid: string | undefined;
  packet(packet: Packet): void;
  /** For socket.io-client's own events. */
  emitReserved(...event: unknown[]): void;
  /** For those of the server. */
  emitEvent(event: unknown[]): void;
  emitBuffered(): void;
  notifyOutgoingListeners(packet: Packet): void;
  _drainQueue(force?: boolean): void;
  /** Since 4.7.5. */
  _clearAcks?(): void;
}

/** What does nothing while the line is shut, and is made up for when it opens. */
const later = ["emitBuffered", "notifyOutgoingListeners", "_drainQueue"] as const;
const replaced = [...later, "packet", "emitReserved", "emitEvent"] as const;

/** The type of an EVENT packet, before it is known whether there is binary data in it. */
const EVENT = 2;

/** A socket whose events wait until it is opened. */
export interface Line {
  /** Opens it, or shuts it. What was emitted while it was shut goes out first, in order. */
  gate(isOpen: boolean): void;
  /** Emits an event past all that waits, and past the listeners for outgoing events. */
  emit(...event: unknown[]): void;
  /**
   * Leaves the socket as it was. What has not been sent is dropped if it `isSomebodys`, with an
   * error to each acknowledgement that takes one, and so is what Socket.IO would recover.
   */
  release(isSomebodys: boolean): void;
}

/**
 * Takes a socket, and shuts it.
 *
 * @param opened Called when the transport is open. CONNECT goes out when `send` is called, and
 * what it is called with goes along.
 * @param received Called for each event, those of socket.io-client included, and when that gives
 * up reconnecting: with the name, and the arguments.
 */
export function createLine(
  client: ClientSocket,
  opened: (send: (credentials: unknown) => void) => void,
  received: (event: unknown[]) => void,
): Line {
  const socket = client as Internals;
  const base = Object.getPrototypeOf(socket);
  if (!replaced.every((method) => base[method])) {
    throw new TypeError("Not a socket of socket.io-client 4.6 to 4.8");
  }
  if (isTaken(socket)) throw new Error("This socket has a session: stop() it first");

  const { auth, io } = socket;
  let isOpen = false;
  const introduce = (send: Send) =>
    opened((credentials) => {
      const sendBoth = (payload?: object) => send({ ...payload, ...credentials as object });
      if (typeof auth === "function") auth(sendBoth);
      else sendBoth(auth);
    });
  const write = (packet: Packet) => base.packet.call(socket, packet);
  const giveUp = () => received(["reconnect_failed", "reconnect_failed"]);

  for (const method of later) {
    socket[method] = (argument?: unknown) => {
      if (isOpen) base[method].call(socket, argument);
    };
  }
  Object.assign(socket, {
    auth: introduce,
    packet(packet: Packet) {
      if (isOpen || packet.type !== EVENT) write(packet);
      else if (!socket.flags.volatile) socket.sendBuffer.push(packet);
    },
    // An application that connects again when it hears of the end must not be overtaken by it.
    emitReserved(...event: unknown[]) {
      both(() => received(event), () => base.emitReserved.apply(socket, event));
    },
    // An application hears why the connection ends before it ends.
    emitEvent(event: unknown[]) {
      both(() => base.emitEvent.call(socket, event), () => received(event));
    },
  });
  io.on("reconnect_failed", giveUp);

  return {
    gate(open) {
      const opens = open && !isOpen;
      isOpen = open;
      if (opens) {
        socket.emitBuffered();
        socket._drainQueue(true);
      }
    },
    emit: (...data) => write({ type: EVENT, data, options: { compress: true } }),
    release(isSomebodys) {
      if (isSomebodys && !isOpen) drop(socket);
      for (const method of replaced) delete (socket as Partial<Internals>)[method];
      if (socket.auth === introduce) socket.auth = auth;
      io.off("reconnect_failed", giveUp);
    },
  };
}

function isTaken(socket: ClientSocket): boolean {
  return Object.hasOwn(socket, "emitEvent");
}

/** Whether Socket.IO goes on trying to be connected. */
export function reconnects(socket: ClientSocket): boolean {
  return Boolean(socket.active && (socket as Internals).io.reconnection());
}

/** Whether it is the first namespace of its connection that signs in. */
export function isFirst(socket: ClientSocket): boolean {
  return Object.values((socket as Internals).io.nsps).find(isTaken) === socket;
}

function drop(socket: Internals): void {
  socket._pid = undefined;
  socket.sendBuffer = [];
  socket._clearAcks?.();
  for (let queued: Queued | undefined; (queued = socket._queue[0]);) {
    queued.tryCount = Infinity;
    (queued.args.at(-1) as (error: Error) => void)(new Error("stopped"));
  }
}

/** Calls both, whatever the first one throws. */
function both(first: () => void, second: () => void): void {
  try {
    first();
  } finally {
    second();
  }
}
