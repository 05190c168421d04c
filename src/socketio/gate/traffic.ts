/**
 * Packets at a gate that is not open both ways: what the core is asked about,
 * and what is the gate's own business.
 *
 * @module
 */
import {
  CONNECT_ERROR,
  DISCONNECT,
  EVENT,
  type Flags,
  type Packet,
  type RawSocket,
} from "../internals.ts";
import { callOff } from "../joining.ts";
import { authenticate } from "./events.ts";
import { authenticationArgs, isAck, isControl } from "./packets.ts";
import { isAnswer } from "./challenges.ts";
import { gateOf } from "./slot.ts";

/** Whether the client's packet may go on to the socket now. If not, it is held, or lost. */
export function mayReceive(socket: RawSocket, packet: Packet): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting) return true;
  const isOver = waiting.outwards === "over";
  if (packet.type === DISCONNECT) {
    // One that was refused while others stay may leave, and be asked for again.
    if (!isOver || socket.connected && !gate.connection.isClosing) return true;
    callOff(socket);
    return false;
  }
  if (!isOver && !waiting.isOpenInwards) {
    if (isAnswer(socket, packet)) return true;
    const args = authenticationArgs(packet);
    if (args) {
      if (packet.id != null) args.push(socket.ack(packet.id));
      authenticate(socket, args);
      return false;
    }
    // What a client sends may lack its data.
    if (packet.type === EVENT) gate.connection.heard((packet.data as unknown[] | undefined)?.[0]);
  }
  // What is held is what is measured, and no more: parsers may leave other things in a packet.
  const { type, nsp, data, id } = packet;
  const held: Packet = { type, ...nsp !== undefined && { nsp }, data, ...id != null && { id } };
  return waiting.mayReceive(held, data, isAck(packet));
}

/** Whether a packet may go out to the client now. If not, it is held, or lost. */
export function maySend(socket: RawSocket, packet: Packet, flags: Flags = {}): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting) return true;
  // That a middleware has refused a socket is of no use once the gate has.
  if (packet.type === CONNECT_ERROR && waiting.isEnded) return false;
  if (packet.type !== EVENT) return waiting.outwards !== "over" || isControl(packet);
  const [name] = packet.data as unknown[];
  const isVolatile = Boolean(flags.volatile);
  return waiting.maySend({ packet, flags }, name, packet.data, isVolatile, () => {
    // Nobody is going to answer it.
    if (packet.id != null) socket.acks.delete(packet.id);
  });
}
