/**
 * Sends past a gate: the protocol's messages, challenges, and held emits.
 *
 * @module
 */
import { CHALLENGE } from "../../protocol.ts";
import { EVENT, type Flags, type Packet, type RawSocket } from "../internals.ts";
import { answers, baseOf } from "./prototype.ts";

/** A direct emit, as the packet that socket.io has made of it. */
export interface HeldEmit {
  readonly packet: Packet;
  readonly flags: Flags;
}

/**
 * Sends a direct emit past the gate, as `emit` would have done. With connection state recovery,
 * that is a broadcast to the socket's own room, which the adapter keeps for clients that are away.
 */
export function sendEmit(socket: RawSocket, packet: Packet, flags: Flags): void {
  const { nsp } = socket;
  if (!nsp.server.opts.connectionStateRecovery) return sendPast(socket, packet, flags);
  nsp.adapter.broadcast(packet, { rooms: new Set([socket.id]), except: new Set(), flags });
}

/** Sends a packet straight to the client, in any state of the gate. */
export function sendPast(socket: RawSocket, packet: Packet, flags?: Flags): void {
  baseOf(socket).packet.call(socket, packet, flags);
}

/** Sends a challenge past the gate. Returns a function that takes the challenge back. */
export function sendChallenge(
  socket: RawSocket,
  data: unknown,
  onAnswer: (answer: unknown) => void,
): () => void {
  const id = socket.nsp._ids++;
  const acknowledge = (answer: unknown) => onAnswer(answer);
  answers.add(acknowledge);
  socket.acks.set(id, acknowledge);
  sendPast(socket, { type: EVENT, id, data: [CHALLENGE, data] });
  return () => void socket.acks.delete(id);
}
