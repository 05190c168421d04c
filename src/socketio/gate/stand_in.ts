/**
 * What stands in for the adapter of a socket whose gate is not open. Everything
 * that a socket does with rooms goes through its `adapter`, also a method that
 * the application has bound or kept from before; and so does `emit` where
 * connection state recovery is on. Broadcasts to others pass, until a session
 * was ended and the listeners of its sockets have run.
 *
 * @module
 */
import type {
  BroadcastOptions,
  Packet,
  RawAdapter,
  RawNamespace,
  RawSession,
  RawSocket,
} from "../internals.ts";
import { socketOnTheWay } from "../joining.ts";
import { isAway } from "../recovery/away.ts";
import { baseOf, gateOf } from "./prototype.ts";

interface StandIn extends RawAdapter {
  socket: RawSocket;
}

/** What all stand-ins for one adapter have in common. */
const common = new WeakMap<RawAdapter, object>();

/** Puts a stand-in in the place of a socket's adapter. */
export function standIn(socket: RawSocket): void {
  const { adapter } = socket.nsp;
  let prototype = common.get(adapter);
  if (!prototype) common.set(adapter, prototype = createCommon(adapter));
  const instead: StandIn = Object.create(prototype);
  instead.socket = socket;
  socket.adapter = instead;
}

const watched = new WeakSet<RawAdapter>();

/** Has the adapter of a namespace itself take nobody in whose gate is shut. */
export function watchRooms(nsp: RawNamespace): void {
  const { adapter, sockets } = nsp;
  if (watched.has(adapter)) return;
  watched.add(adapter);
  const own = Object.hasOwn(adapter, "addAll") && adapter.addAll;
  adapter.addAll = (id, rooms) => {
    // A middleware has the socket before it is there.
    const socket = sockets.get(id) ?? socketOnTheWay(nsp, id);
    const gate = socket && gateOf(socket);
    if (gate && !gate.mayHear) return gate.waiting?.enter(rooms);
    // Looked up each time: uWebSockets.js puts another one on the class.
    const { addAll } = own ? { addAll: own } : Object.getPrototypeOf(adapter) as RawAdapter;
    return addAll.call(adapter, id, rooms);
  };
}

function createCommon(adapter: RawAdapter): object {
  const methods: ThisType<StandIn> & Partial<RawAdapter> = {
    addAll(id: string, rooms: ReadonlySet<string>): unknown {
      const gate = gateOf(this.socket)!;
      gate.waiting?.enter(rooms);
      if (gate.mayHear) return adapter.addAll(id, rooms);
    },
    del(id: string, room: string): unknown {
      const gate = gateOf(this.socket)!;
      gate.waiting?.leave(room);
      // Not for one that is over: another may have its id by now.
      if (gate.mayHear) return adapter.del(id, room);
    },
    delAll(id: string): unknown {
      const gate = gateOf(this.socket)!;
      gate.waiting?.leave();
      if (gate.mayHear) return adapter.delAll(id);
    },
    socketRooms(): Set<string> {
      return new Set(gateOf(this.socket)!.waiting?.rooms);
    },
    broadcast(packet: Packet, options: BroadcastOptions): unknown {
      if (isMute(this)) return;
      const { socket } = this;
      const { flags } = options;
      const isPast = isAway(socket) || !isToItself(socket, options);
      if (isPast) return adapter.broadcast(packet, options);
      baseOf(socket).notifyOutgoingListeners.call(socket, packet);
      const gate = gateOf(socket)!;
      if (!gate.passesNow) return socket.packet(packet, flags);
      // The client takes a text at the end for what the adapter puts there: how far it has come.
      const { recovered } = gate.waiting!;
      if (recovered && packet.id === undefined) {
        const data = [...packet.data as unknown[], recovered.offset];
        return socket.packet({ ...packet, data }, flags);
      }
      const kept: unknown = adapter.broadcast(packet, options);
      if (kept instanceof Promise) void kept.then(() => socket.packet(packet, flags));
      else socket.packet(packet, flags);
    },
    broadcastWithAck(packet, options, onClients, onAnswer): unknown {
      if (!isMute(this)) return adapter.broadcastWithAck(packet, options, onClients, onAnswer);
      onClients(0);
    },
    /** Whoever waits for answers of this many servers gets none, at once. */
    serverCount(): Promise<number> {
      return isMute(this) ? Promise.resolve(1) : adapter.serverCount();
    },
    addSockets(options: BroadcastOptions, rooms: string[]): unknown {
      if (!isMute(this)) return adapter.addSockets(options, rooms);
    },
    delSockets(options: BroadcastOptions, rooms: string[]): unknown {
      if (!isMute(this)) return adapter.delSockets(options, rooms);
    },
    disconnectSockets(options: BroadcastOptions, close: boolean): unknown {
      if (!isMute(this)) return adapter.disconnectSockets(options, close);
    },
    // Whoever is over is not to be recovered.
    persistSession(session: RawSession): void {
      if (gateOf(this.socket)!.waiting?.outwards !== "over") adapter.persistSession(session);
    },
  };
  return Object.setPrototypeOf(methods, adapter);
}

function isMute({ socket }: StandIn): boolean {
  return gateOf(socket)!.waiting?.isMute === true;
}

/** Whether this is a direct emit: a broadcast of a socket never reaches itself otherwise. */
function isToItself({ id }: RawSocket, { rooms, except }: BroadcastOptions): boolean {
  return rooms?.size === 1 && rooms.has(id) && !except?.has(id);
}

/** What separates namespace and room in a topic. */
const SEPARATOR = "\x1f";

/**
 * uWebSockets.js publishes to the topics that a WebSocket is subscribed to,
 * past the adapter; and Socket.IO unsubscribes one only from single rooms.
 */
export function leaveTopics({ client, nsp }: RawSocket): void {
  const { socket } = client.conn.transport;
  if (!socket?.getTopics || !socket.unsubscribe) return;
  try {
    for (const topic of socket.getTopics()) {
      const isOurs = topic === nsp.name || topic.startsWith(nsp.name + SEPARATOR);
      if (isOurs) socket.unsubscribe(topic);
    }
  } catch {
    // It is closed, which it says by throwing: then it has no topics any more.
  }
}
