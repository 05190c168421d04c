/**
 * The gated prototype: what a socket wears while its gate is shut. It stands
 * between the socket and its own prototype, so that shutting and opening the
 * gate is one step, atomic, and leaves no wrapper behind.
 *
 * Every method asks for the gate again: the application may have kept a
 * reference to one from before the gate opened.
 *
 * @module
 */
import type { Gate } from "./gate.ts";
import type { Packet, RawAdapter, RawSocket } from "./internals.ts";
import { gateOf } from "./slot.ts";

/** For each prototype of a socket, its gated one; and the other way round. */
const gatedPrototypes = new WeakMap<object, object>();
const basePrototypes = new WeakMap<object, object>();

/** The prototype a socket wears while its gate is open. */
export function baseOf(socket: RawSocket): object {
  const worn: object = Object.getPrototypeOf(socket);
  return basePrototypes.get(worn) ?? worn;
}

/** The prototype a socket wears while its gate is shut. */
export function gatedPrototypeOf(socket: RawSocket): object {
  const base = baseOf(socket);
  let gated = gatedPrototypes.get(base);
  if (!gated) {
    gated = createGatedPrototype(base as RawSocket);
    gatedPrototypes.set(base, gated);
    basePrototypes.set(gated, base);
  }
  return gated;
}

function shutGateOf(socket: RawSocket): Gate<unknown> | undefined {
  const gate = gateOf(socket);
  return gate?.isShut ? gate : undefined;
}

function createGatedPrototype(base: RawSocket): object {
  const gated: ThisType<RawSocket> & Partial<RawSocket> = {
    get rooms(): Set<string> {
      return shutGateOf(this as RawSocket)?.rooms ?? Reflect.get(base, "rooms", this);
    },
    join(rooms: string | string[]): unknown {
      const gate = shutGateOf(this);
      if (!gate) return base.join.call(this, rooms);
      for (const room of [rooms].flat()) gate.join(room);
    },
    leave(room: string): unknown {
      const gate = shutGateOf(this);
      return gate ? gate.leave(room) : base.leave.call(this, room);
    },
    leaveAll(): void {
      const gate = shutGateOf(this);
      return gate ? gate.leave() : base.leaveAll.call(this);
    },
    emit(event: string, ...args: unknown[]): boolean {
      const gate = shutGateOf(this);
      if (!gate) return base.emit.call(this, event, ...args);
      if (!gate.emit(event, args)) return true;
      const emit = () => base.emit.call(this, event, ...args);
      return this.nsp.server.opts.connectionStateRecovery ? emitStraight(this, emit) : emit();
    },
    _onpacket(packet: Packet): void {
      const gate = shutGateOf(this);
      if (!gate || gate.receive(packet)) base._onpacket.call(this, packet);
    },
    _onconnect(): void {
      base._onconnect.call(this);
      shutGateOf(this)?.connect();
    },
    _onclose(reason: string, description?: unknown): unknown {
      const close = () => base._onclose.call(this, reason, description);
      return shutGateOf(this) ? closeForGood(this, close) : close();
    },
  };
  return Object.setPrototypeOf(gated, base);
}

/** Calls `fn` while one method of an adapter is another one. */
function replacing<K extends keyof RawAdapter, T>(
  adapter: RawAdapter,
  name: K,
  method: RawAdapter[K],
  fn: () => T,
): T {
  const own = Object.getOwnPropertyDescriptor(adapter, name);
  adapter[name] = method;
  try {
    return fn();
  } finally {
    if (own) Object.defineProperty(adapter, name, own);
    else delete (adapter as Partial<RawAdapter>)[name];
  }
}

/**
 * With connection state recovery, `emit` broadcasts to the socket's own room,
 * in which a socket with a shut gate is not: send that straight to it.
 */
function emitStraight(socket: RawSocket, emit: () => boolean): boolean {
  const packets: [packet: Packet, flags: object | undefined][] = [];
  const collect: RawAdapter["broadcast"] = (packet, { flags }) =>
    void packets.push([packet, flags]);
  const result = replacing(socket.adapter, "broadcast", collect, emit);
  for (const [packet, flags] of packets) {
    socket.notifyOutgoingListeners(packet);
    socket.packet(packet, flags);
  }
  return result;
}

/** What is closed with its gate shut must not be recoverable. */
function closeForGood(socket: RawSocket, close: () => unknown): unknown {
  const { adapter } = socket;
  const { persistSession } = adapter;
  return replacing(adapter, "persistSession", (session) => {
    if (session.sid !== socket.id) persistSession.call(adapter, session);
  }, close);
}
