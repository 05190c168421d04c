/**
 * The socket of socket.io-client, and the one place that uses what is not public of it. There
 * is no public way to keep an event on the client: `emit` writes it as soon as the namespace is
 * connected, and `retries` sends one at a time, so that credentials would wait behind it. Tried
 * on socket.io-client 4.6.0 to 4.8.4, and on its minified scripts, in which names that begin with
 * an underscore are others: where one is used here, it may be missing.
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
  /** The name of its connection to the namespace. */
  readonly id?: string | undefined;
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
  id?: number;
  options: { compress: boolean };
}

/** What Socket.IO says of the event that is emitted next. */
interface Flags {
  readonly volatile?: boolean;
  /** It is one of `retries`, which are emitted one by one. */
  readonly fromQueue?: boolean;
}

/** An event with the option `retries`. The last argument is called when it is acknowledged. */
interface Queued {
  /** Whether it is on its way, as far as Socket.IO knows. */
  pending: boolean;
  tryCount: number;
  args: unknown[];
}

type Send = (payload?: object) => void;

/** What is called or replaced, public or not. */
interface Internals extends ClientSocket {
  readonly io: {
    readonly nsps: Record<string, ClientSocket>;
    /** Since somebody has closed the connection on this side. */
    readonly skipReconnect?: boolean;
    reconnection(): unknown;
    on(event: "reconnect_failed", listener: () => void): unknown;
    off(event: "reconnect_failed", listener: () => void): unknown;
  };
  auth: object | ((send: Send) => void) | undefined;
  sendBuffer: Packet[];
  receiveBuffer: unknown[];
  /** The id of the next event with an acknowledgement, and what is called with those. */
  ids: number;
  readonly acks: Record<number, (answer: never) => void>;
  flags: Flags;
  readonly _opts?: { retries?: number | undefined };
  _queue?: Queued[];
  /** Emits the first one, unless that is pending. Since 4.6.1, only while connected. */
  _drainQueue?(): void;
  emit(...event: unknown[]): unknown;
  packet(packet: Packet): void;
  /** For socket.io-client's own events. */
  emitReserved(...event: unknown[]): void;
  /** For those of the server. */
  emitEvent(event: unknown[]): void;
  emitBuffered(): void;
  ondisconnect(): void;
  notifyOutgoingListeners(packet: Packet): void;
  /** Since 4.7.5. */
  _clearAcks?(): void;
}

/** Sockets whose connection of before was somebody else's, and is not to be recovered. */
const renewed = new WeakSet<ClientSocket>();

/** The type of an EVENT packet, before it is known whether there is binary data in it. */
const EVENT = 2;

/** A socket whose events wait until it is opened. */
export interface Line {
  /** Lets CONNECT go, if it is waiting, with something in its payload. */
  introduce(credentials?: unknown): void;
  /**
   * Emits an event past all that waits, and past the listeners for outgoing events; `answered` is
   * called with its acknowledgement.
   */
  emit(answered: (answer: never) => void, ...event: unknown[]): void;
  /** Opens it, or shuts it. What was emitted while it was shut goes out first, in order. */
  gate(open: boolean): void;
  /** Disconnects, without telling of it. */
  disconnect(): void;
  /**
   * Leaves the socket as it was. What has not been sent is kept for the next connection; or
   * `drops` it; or sends it, if the socket is connected and `goesOn`.
   */
  release(drops: boolean, goesOn: boolean): void;
}

/**
 * Takes a socket, and shuts it.
 *
 * @param opened Called when the transport is open, and CONNECT waits.
 * @param happened Called for each event of socket.io-client itself, and when that gives up
 * reconnecting.
 * @param received Called for each event of the server.
 */
export function createLine(
  client: ClientSocket,
  opened: () => void,
  happened: (event: unknown[]) => void,
  received: (event: unknown[]) => void,
): Line {
  const socket = client as Internals;
  const { auth, emit, io } = socket;
  const base: Internals = Object.getPrototypeOf(socket);
  let isOpen = false;
  let isLeaving = false;
  /** Sends CONNECT. */
  let pending: Send | undefined;
  /** Emits the event of `retries` that comes next, if it waits here. */
  let emitQueued: (() => void) | undefined;

  const write = (packet: Packet) => base.packet.call(socket, packet);
  const introduce = (send: Send) => {
    pending = (credentials) => {
      const neither = renewed.has(socket) && { pid: undefined, offset: undefined };
      const sendBoth = (payload?: object) => send({ ...payload, ...credentials, ...neither });
      if (typeof auth === "function") auth(sendBoth);
      else sendBoth(auth);
    };
    opened();
  };
  const giveUp = () => happened(["reconnect_failed"]);

  const replaced = {
    emit(...event: unknown[]) {
      const { flags } = socket;
      if (isOpen || !flags.fromQueue) return emit.apply(socket, event);
      emitQueued = () => {
        emitQueued = undefined;
        socket.flags = flags;
        emit.apply(socket, event);
      };
      socket.flags = {};
      return socket;
    },
    packet(packet: Packet) {
      if (isOpen || packet.type !== EVENT) write(packet);
      else if (!socket.flags.volatile) socket.sendBuffer.push(packet);
    },
    /** What the application has emitted waits on, and what came before CONNECT is of old. */
    emitBuffered() {},
    notifyOutgoingListeners(packet: Packet) {
      if (isOpen) base.notifyOutgoingListeners.call(socket, packet);
    },
    emitReserved(...event: unknown[]) {
      pending = undefined;
      if (event[0] === "connect") renewed.delete(socket);
      // First, so that an application that reacts to it is not overtaken.
      if (!isLeaving) happened(event);
      base.emitReserved.apply(socket, event);
    },
    emitEvent(event: unknown[]) {
      try {
        base.emitEvent.call(socket, event);
      } finally {
        received(event);
      }
    },
    /** A DISCONNECT that comes before CONNECT is of the former connection, and late. */
    ondisconnect() {
      if (socket.connected) base.ondisconnect.call(socket);
    },
    disconnect() {
      const { connected } = socket;
      base.disconnect.call(socket);
      // Socket.IO says nothing then.
      if (!connected) {
        pending = undefined;
        happened(["disconnect", "io client disconnect"]);
      }
      return socket;
    },
  };
  for (const method of Object.keys(replaced) as (keyof typeof replaced)[]) {
    if (!base?.[method]) throw new TypeError("Not a socket of socket.io-client 4.6 to 4.8");
  }
  if (isTaken(socket)) throw new Error("This socket has a session: stop() it first");
  Object.assign(socket, replaced, { auth: introduce });
  io.on("reconnect_failed", giveUp);
  // What a former line has left in the queue: 4.6.0 does not come back to it after CONNECT.
  socket._drainQueue?.();

  return {
    introduce(credentials) {
      pending?.(credentials as object);
      pending = undefined;
    },
    emit(answered, ...data) {
      const id = socket.ids++;
      socket.acks[id] = answered;
      write({ type: EVENT, data, id, options: { compress: true } });
    },
    gate(open) {
      if (open === isOpen) return;
      // What listeners for outgoing events emit comes behind what waits already.
      for (let packet; open && socket.connected && (packet = socket.sendBuffer.shift());) {
        const first = packet;
        safely(() => base.notifyOutgoingListeners.call(socket, first));
        safely(() => write(first));
      }
      isOpen = open && socket.connected;
      if (isOpen) emitQueued?.();
    },
    disconnect() {
      isLeaving = true;
      safely(() => base.disconnect.call(socket));
      isLeaving = false;
    },
    release(drops, goesOn) {
      // What somebody else has replaced since stays, and goes on working.
      for (const method of Object.keys(replaced) as (keyof typeof replaced)[]) {
        if (socket[method] === replaced[method]) delete (socket as Partial<Internals>)[method];
      }
      if (socket.emit === base.emit && emit !== base.emit) socket.emit = emit;
      isOpen = true;
      if (socket.auth === introduce) socket.auth = auth;
      io.off("reconnect_failed", giveUp);
      socket.receiveBuffer = [];
      const head = socket._queue?.[0];
      if (drops) drop(socket);
      else if (goesOn && socket.connected) {
        socket.emitBuffered();
        emitQueued?.();
      } else if (emitQueued && head) {
        // It was never sent. Socket.IO does so now, and no line any more, or it would come twice.
        head.pending = false;
      }
      if (!goesOn) return;
      pending?.();
      // While the socket is offline, only 4.6.0 does anything.
      socket._drainQueue?.();
    },
  };
}

/** Drops what is somebody's, telling each acknowledgement that takes an error. */
function drop(socket: Internals): void {
  renewed.add(socket);
  socket.sendBuffer = [];
  const { _opts: options, _queue: queue } = socket;
  if (options && queue) dropQueue(socket, options, queue);
  safely(() => socket._clearAcks?.());
}

function dropQueue(socket: Internals, options: { retries?: number | undefined }, queue: Queued[]) {
  const { retries } = options;
  const emittedMeanwhile: Queued[] = [];
  // One try is one too many: its callback then removes what comes first, and tells of it.
  options.retries = -1;
  for (const queued of queue) {
    socket._queue = [queued];
    safely(() => (queued.args.at(-1) as (error: Error) => void)(new Error("stopped")));
    queued.tryCount = -Infinity;
    emittedMeanwhile.push(...socket._queue);
  }
  options.retries = retries;
  socket._queue = emittedMeanwhile;
}

/** Whether Socket.IO goes on trying to be connected. */
export function reconnects(client: ClientSocket): boolean {
  const { active, io } = client as Internals;
  return Boolean(active && io.reconnection() && !io.skipReconnect);
}

/** Whether it is the first namespace of its connection that signs in. */
export function isFirst(socket: ClientSocket): boolean {
  return Object.values((socket as Internals).io.nsps).find(isTaken) === socket;
}

/** Whether another namespace uses its connection. */
export function isShared(socket: ClientSocket): boolean {
  return Object.values((socket as Internals).io.nsps).some((it) => it !== socket && it.active);
}

function isTaken(socket: ClientSocket): boolean {
  return Object.hasOwn(socket, "emitEvent");
}

/** Calls what may be the application's. What that throws is uncaught, but stops nothing here. */
function safely(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
