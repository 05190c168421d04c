/**
 * What passes a gate that is not open both ways, what is held, and what is lost.
 *
 * @module
 */
import { Hold } from "../core/hold.ts";
import { measure } from "../core/measure.ts";
import type { Gate } from "./gate.ts";
import { DISCONNECT, EVENT, type Flags, type Packet, type RawSocket } from "./internals.ts";
import { removeStale } from "./joining.ts";
import { authenticationArgs, isAck, isControl } from "./packets.ts";
import { isAnswer } from "./questions.ts";
import { gateOf } from "./slot.ts";
import type { Waiting } from "./waiting.ts";

/** Whether the client's packet may go on to the socket now. If not, it is held, or lost. */
export function mayReceive(socket: RawSocket, packet: Packet): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting) return true;
  if (waiting.outwards === "over") {
    if (packet.type === DISCONNECT) removeStale(socket.client, socket.nsp.name);
    return false;
  }
  if (waiting.isOpenInwards || packet.type === DISCONNECT || isAnswer(socket, packet)) return true;
  const args = authenticationArgs(packet);
  if (args) {
    if (packet.id != null) args.push(socket.ack(packet.id));
    gate.authenticate(args);
    return false;
  }
  // A hook that the client's events wait for may wait for the client's answer.
  if (waiting.isAdmitted && isAck(packet)) return true;
  const { incoming } = gate.host.policy;
  if (incoming === "hold" || waiting.isAdmitted) hold(gate, waiting, packet);
  return incoming === "pass";
}

function hold(gate: Gate<unknown>, waiting: Waiting, packet: Packet): void {
  const { holdLimit } = gate.host.policy;
  waiting.inbox ??= new Hold();
  const { bytes } = measure(packet.data, holdLimit.bytes);
  if (!waiting.inbox.add(packet, bytes, holdLimit)) gate.end("too_many_events");
}

/** Whether a packet may go out to the client now. If not, it is held, or lost. */
export function maySend(socket: RawSocket, packet: Packet, flags: Flags = {}): boolean {
  const gate = gateOf(socket)!;
  const { waiting } = gate;
  if (!waiting || waiting.outwards === "open") return true;
  if (waiting.outwards === "over") return isControl(packet);
  const passes = gate.host.policy.outgoing === "pass" && waiting.outwards === "shut";
  if (passes || packet.type !== EVENT) return true;
  if (!flags.volatile) holdEmit(gate, waiting, packet, flags);
  return false;
}

function holdEmit(gate: Gate<unknown>, waiting: Waiting, packet: Packet, flags: Flags): void {
  const { holdLimit } = gate.host.policy;
  waiting.outbox ??= new Hold();
  const { bytes } = measure(packet.data, holdLimit.bytes);
  if (waiting.outbox.add({ packet, flags }, bytes, holdLimit)) return;
  const [event] = packet.data as unknown[];
  const error = new Error(
    `The event "${event}" to a socket that is not authenticated was lost: more is held for it ` +
      "than holdLimit allows. Emit after authentication, or raise the limit.",
  );
  gate.report("emit", error);
}
