/**
 * The socket of socket.io-client, and the one place that uses what is not public of it. There
 * is no public way to keep an event on the client: `emit` writes it as soon as the namespace is
 * connected, and `retries` sends one at a time, so that credentials would wait behind it. Tried
 * on socket.io-client 4.6.0 to 4.8.4, and on its minified scripts, in which names that begin with
 * an underscore are others: where one is used here, it may be missing.
 *
 * A line puts methods of its own between the socket and its prototype, which work on when the
 * application removes all listeners, or one throws. While the line is shut, the application's
 * events go where they go offline: into `sendBuffer`, where Socket.IO's own timeouts find them.
 *
 * @module
 */
import { check } from "./errors.ts";
import type { Internals, Packet, Send } from "./internals.ts";
import type { ClientSocket } from "./session.ts";

/** Sockets whose former connection was another user's, and is not to be recovered. */
const renewed = new WeakSet<ClientSocket>();

/** Sockets that a session has taken. */
export const taken: WeakSet<ClientSocket> = new WeakSet();

/** The types of packets. */
const CONNECT = 0;
const DISCONNECT = 1;
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
  /** Whether Socket.IO goes on trying to be connected. */
  readonly reconnects: boolean;
  /** The transport, which the sockets of a connection share. Each connection has another one. */
  readonly transport: object;
  /** Connects again, on another transport. Every socket on this one loses its connection. */
  renew(): void;
  /**
   * Leaves the socket as it was. What has not been sent is kept for the next connection; or is
   * dropped, if it `drops`; or is sent, if the socket is connected and `goesOn`. A CONNECT that
   * waits is sent if it `goesOn`; otherwise the socket is disconnected.
   */
  release(drops: boolean, goesOn: boolean): void;
}

/**
 * Takes a socket, and shuts it.
 *
 * @param happened What is called for events of socket.io-client itself, by their names; for
 * `reconnect_failed`, when that gives up; and `open`, when the transport is, and CONNECT waits.
 * @param received Called for each event of the server, before the application's listeners.
 * @param heard Called for each packet and heartbeat on the connection.
 */
export function createLine(
  client: ClientSocket,
  happened: Record<string, (...args: never[]) => void>,
  received: (event: unknown[]) => void,
  heard: () => void,
): Line {
  const socket = Object(client) as Internals;
  const { auth, io } = socket;
  const base = Object.getPrototypeOf(socket);
  let isOpen = false;
  let isLeaving = false;
  /** Sends CONNECT, if that waits. */
  let pending: Send | undefined;
  /** The transport that CONNECT has gone out on, until it is answered. */
  let unanswered: object | undefined;
  /** Emits the event of `retries` that comes next, if it waits here. */
  let emitQueued: (() => void) | undefined;

  const call = (method: string, packet?: Packet) => safely(() => base[method].call(socket, packet));
  const tell = (name: string, ...args: unknown[]) => {
    pending = undefined;
    if (!isLeaving) happened[name]?.(...args as never[]);
  };
  const introduce = (send: Send) => {
    // The application connects once more. For a second CONNECT, Socket.IO closes the transport.
    if (unanswered === io.engine) return;
    pending = (credentials) => {
      pending = undefined;
      unanswered = io.engine;
      const neither = renewed.has(socket) && { pid: undefined, offset: undefined };
      const sendBoth = (payload?: object) => send({ ...payload, ...credentials, ...neither });
      if (typeof auth === "function") auth(sendBoth);
      else sendBoth(auth);
    };
    happened.open!();
  };
  const listeners: Record<string, (packet: Packet) => void> = {
    reconnect_failed: () => tell("reconnect_failed"),
    ping: heard,
    packet({ nsp, type }: Packet) {
      heard();
      // The application has left in the meantime, and Socket.IO takes no notice of the answer.
      if (unanswered && !socket.active && nsp === socket.nsp) {
        unanswered = undefined;
        if (type === CONNECT) call("packet", { type: DISCONNECT });
      }
    },
  };

  const methods = {
    __proto__: base,
    emit(...event: unknown[]) {
      const { flags } = socket;
      if (isOpen || !flags.fromQueue) return super.emit(...event);
      emitQueued = () => {
        emitQueued = undefined;
        socket.flags = flags;
        super.emit(...event);
      };
      socket.flags = {};
      return socket;
    },
    packet(packet: Packet) {
      if (isOpen || packet.type !== EVENT) super.packet(packet);
      else if (!socket.flags.volatile) socket.sendBuffer.push(packet);
    },
    /** Emits nothing: the application's events wait on, and those of before CONNECT are old. */
    emitBuffered() {},
    notifyOutgoingListeners(packet: Packet) {
      if (isOpen) super.notifyOutgoingListeners(packet);
    },
    emitReserved(name: string, ...args: unknown[]) {
      unanswered = undefined;
      if (name === "connect") renewed.delete(socket);
      // First, so that an application that reacts to it is not overtaken.
      tell(name, ...args);
      super.emitReserved(name, ...args);
    },
    emitEvent(event: unknown[]) {
      received(event);
      super.emitEvent(event);
    },
    /** After a sign-out, Socket.IO would send again what the next user must not send. */
    onconnect(...args: unknown[]) {
      isOpen = false;
      super.onconnect(...args);
    },
    /** A DISCONNECT that comes before CONNECT is of the former connection, and late. */
    ondisconnect() {
      if (socket.connected) super.ondisconnect();
    },
    disconnect() {
      const { connected } = socket;
      super.disconnect();
      // Socket.IO says nothing then.
      if (!connected) tell("disconnect", "io client disconnect");
      return socket;
    },
  };
  for (const method in methods) {
    check(base[method], "socket must be of socket.io-client 4.6 to 4.8");
  }
  check(!taken.has(socket), "socket has a session: stop() it first", Error);
  taken.add(socket);
  Object.setPrototypeOf(socket, methods);
  socket.auth = introduce;
  for (const name in listeners) io.on(name, listeners[name]!);
  // What a former line has left in the queue: 4.6.0 does not come back to it after CONNECT.
  socket._drainQueue?.();

  return {
    introduce(credentials) {
      pending?.(credentials as object);
    },
    emit(answered, ...data) {
      socket.acks[socket.ids] = answered;
      call("packet", { type: EVENT, data, id: socket.ids++ });
    },
    gate(open) {
      // What listeners for outgoing events emit comes behind what waits already.
      for (let packet; open && socket.connected && (packet = socket.sendBuffer.shift());) {
        call("notifyOutgoingListeners", packet);
        call("packet", packet);
      }
      isOpen = open && socket.connected;
      if (isOpen) emitQueued?.();
    },
    disconnect() {
      isLeaving = true;
      safely(() => socket.disconnect());
      isLeaving = false;
    },
    get reconnects() {
      return socket.active && io.reconnection() && !io.skipReconnect;
    },
    get transport() {
      return io.engine ?? io;
    },
    renew() {
      const { engine } = io;
      // Where Socket.IO reconnects already, a second end would have it forget to.
      if (engine?.readyState === "open") {
        io.onclose("forced close");
        engine.close();
      }
      socket.connect();
    },
    release(drops, goesOn) {
      taken.delete(socket);
      Object.setPrototypeOf(socket, base);
      isOpen = true;
      if (socket.auth === introduce) socket.auth = auth;
      for (const name in listeners) io.off(name, listeners[name]!);
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
      if (goesOn) {
        pending?.();
        // While the socket is offline, only 4.6.0 does anything.
        socket._drainQueue?.();
      } else if (pending) socket.disconnect();
    },
  };
}

/** Drops what is of the former user, telling each acknowledgement that takes an error. */
function drop(socket: Internals): void {
  renewed.add(socket);
  socket.sendBuffer = [];
  const { _opts: options, _queue: queue } = socket;
  if (queue) {
    const { retries } = options!;
    // An event's callback removes the first of the queue, and tells the application if no try is left.
    options!.retries = -1;
    for (const queued of queue.splice(0)) {
      queue.unshift(queued);
      safely(() => (queued.args.at(-1) as (error: Error) => void)(new Error("stopped")));
    }
    options!.retries = retries;
  }
  safely(() => socket._clearAcks?.());
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
