import { CHALLENGE } from "../../protocol.ts";
import { EVENT, type Packet, type RawSocket } from "../internals.ts";
import { sendPast } from "./sending.ts";
import { isAck } from "./packets.ts";

/** The acknowledgements that are answers to challenges. */
const answers = new WeakSet<object>();

/** Sends a challenge past the gate. Returns a function that takes it back. */
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

/** Whether a packet answers a challenge; those may pass a shut gate. */
export function isAnswer({ acks }: RawSocket, packet: Packet): boolean {
  return isAck(packet) && answers.has(Object(acks.get(packet.id!)));
}
