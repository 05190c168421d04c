/**
 * The stand-in for the adapter of a socket whose gate is not open. Everything that a socket does
 * with rooms goes through its `adapter`, including methods that the application has bound or kept
 * from before; and so does `emit` with connection state recovery. Broadcasts to others pass until
 * the session was ended and the socket's listeners have run.
 *
 * @module
 */
import type {
  BroadcastOptions,
  Packet,
  RawAdapter,
  RawNamespace,
  RawSocket,
} from "../internals.ts";
import { socketOnTheWay } from "../joining.ts";
import { isAway } from "../recovery/away.ts";
import { baseOf, gateOf } from "./prototype.ts";

interface StandIn extends RawAdapter {
  socket: RawSocket;
}

/** The prototype of all stand-ins for one adapter. */
const common = new WeakMap<RawAdapter, object>();

export function standIn(socket: RawSocket): void {
  const { adapter } = socket.nsp;
  let prototype = common.get(adapter);
  if (!prototype) common.set(adapter, prototype = createCommon(adapter));
  const instead: StandIn = Object.create(prototype);
  instead.socket = socket;
  socket.adapter = instead;
}

const watched = new WeakSet<RawAdapter>();

/** Makes the adapter of a namespace admit no socket whose gate is shut. */
export function watchRooms(nsp: RawNamespace): void {
  const { adapter, sockets } = nsp;
  if (watched.has(adapter)) return;
  watched.add(adapter);
  const own = Object.hasOwn(adapter, "addAll") && adapter.addAll;
  adapter.addAll = (id, rooms) => {
    // A middleware has the socket before it is in the namespace.
    const socket = sockets.get(id) ?? socketOnTheWay(nsp, id);
    const gate = socket && gateOf(socket);
    if (gate && !gate.mayHear) return gate.waiting?.enter(rooms);
    // Looked up each time: uWebSockets.js replaces the method on the class.
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
      // Not after the end of the session: another socket may have the id by now.
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
      // The client takes a text at the end for the adapter's offset, which says how far it has
      // come.
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
    /** Reports one server, so that a caller who waits for answers gets none, at once. */
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
  };
  return Object.setPrototypeOf(methods, adapter);
}

function isMute({ socket }: StandIn): boolean {
  return gateOf(socket)!.waiting?.isMute === true;
}

/** Returns whether this is a direct emit: no other broadcast of a socket reaches itself. */
function isToItself({ id }: RawSocket, { rooms, except }: BroadcastOptions): boolean {
  return rooms?.size === 1 && rooms.has(id) && !except?.has(id);
}

const SEPARATOR = "\x1f";

/**
 * Unsubscribes a socket from its topics. uWebSockets.js publishes to the topics that a WebSocket is
 * subscribed to, past the adapter, and Socket.IO unsubscribes from single rooms only.
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
    // A closed WebSocket throws, and has no topics any more.
  }
}
