/**
 * What stands in for the adapter of a socket whose gate is not open. Everything
 * that a socket does with rooms goes through its `adapter`, also a method that
 * the application has bound or kept from before; and so does `emit` where
 * connection state recovery is on. Broadcasts to others pass.
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
import { isAway } from "./away.ts";
import { gateOf } from "./slot.ts";

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
export function watchRooms({ adapter, sockets }: RawNamespace): void {
  if (watched.has(adapter)) return;
  watched.add(adapter);
  const own = Object.hasOwn(adapter, "addAll") && adapter.addAll;
  adapter.addAll = (id, rooms) => {
    const socket = sockets.get(id);
    const gate = socket && gateOf(socket);
    if (gate && !gate.isAdmitted) return gate.waiting?.enter(rooms);
    // Looked up each time: uWebSockets.js puts another one on the class.
    const { addAll } = own ? { addAll: own } : Object.getPrototypeOf(adapter) as RawAdapter;
    return addAll.call(adapter, id, rooms);
  };
}

function createCommon(adapter: RawAdapter): object {
  const methods: ThisType<StandIn> & Partial<RawAdapter> = {
    addAll(_id: string, rooms: ReadonlySet<string>): void {
      gateOf(this.socket)!.waiting?.enter(rooms);
    },
    del(_id: string, room: string): void {
      gateOf(this.socket)!.waiting?.leave(room);
    },
    delAll(): void {
      gateOf(this.socket)!.waiting?.leave();
    },
    socketRooms(): Set<string> {
      return new Set(gateOf(this.socket)!.waiting?.rooms);
    },
    broadcast(packet: Packet, options: BroadcastOptions): void {
      const { socket } = this;
      const isPast = isAway(socket) || !isToItself(socket, options);
      if (isPast) return adapter.broadcast(packet, options);
      socket.notifyOutgoingListeners(packet);
      socket.packet(packet, options.flags);
    },
    // Whoever is not admitted, or is over, is not to be recovered.
    persistSession(session: RawSession): void {
      if (gateOf(this.socket)!.isAdmitted) adapter.persistSession(session);
    },
  };
  return Object.setPrototypeOf(methods, adapter);
}

/** Whether this is a direct emit: a broadcast of a socket never reaches itself otherwise. */
function isToItself({ id }: RawSocket, { rooms, except }: BroadcastOptions): boolean {
  return rooms?.size === 1 && rooms.has(id) && !except?.has(id);
}
