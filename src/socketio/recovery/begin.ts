/**
 * Where sessions have begun in the packets that an adapter has sent, in the adapter's own terms.
 * Nothing from before that is handed over, even if a client names such an offset. Without a
 * position from the adapter, nothing is recovered.
 *
 * @module
 */
import type { RawAdapter, RawSocket } from "../internals.ts";

/** The in-memory adapter, which keeps what it has sent. */
interface Remembering extends RawAdapter {
  readonly packets: readonly { readonly id: string }[];
}

/** An adapter that reads a Redis stream, whose ids are a time and a number. */
interface Reading extends RawAdapter {
  onRawMessage(message: unknown, offset: string): unknown;
  /** Resolves with the id of the written message, which the adapter reads later. */
  doPublish(message: unknown): Promise<string>;
}

/** A position before everything that is kept. */
const START = "";

/** A prefix: the position before the id that follows. */
const BEFORE = "<";

/** The ids that an adapter has read from its stream, or written. */
interface Known {
  readonly first: string;
  readonly last: string;
}

const known = new WeakMap<RawAdapter, Known>();
const begun = new WeakMap<RawSocket, string>();

/** Makes an adapter that reads a stream tell which ids it has seen. */
export function watchReading(adapter: RawAdapter): void {
  if (!isReading(adapter)) return;
  const { onRawMessage, doPublish } = adapter;
  const note = (offset: string) => {
    const { first = offset, last = offset } = known.get(adapter) ?? {};
    known.set(adapter, {
      first: isAfter(first, offset) ? offset : first,
      last: isAfter(offset, last) ? offset : last,
    });
  };
  adapter.onRawMessage = (message, offset) => {
    note(offset);
    return onRawMessage.call(adapter, message, offset);
  };
  adapter.doPublish = async (message) => {
    const offset = await doPublish.call(adapter, message);
    note(offset);
    return offset;
  };
}

/** Notes that a session begins on a socket now, or continues from `inherited`. */
export function noteBegin(socket: RawSocket, inherited?: string): void {
  const { adapter } = socket.nsp;
  const position = isRemembering(adapter) ? adapter.packets.at(-1)?.id : known.get(adapter)?.last;
  begun.set(socket, inherited ?? position ?? START);
}

/** Returns where the session of a socket has begun, if its adapter has told by now. */
export function beginOf(socket: RawSocket): string | undefined {
  const { adapter } = socket.nsp;
  const begin = begun.get(socket);
  if (begin !== START || isRemembering(adapter)) return begin;
  // Everything that the adapter knows has come since.
  const { first } = known.get(adapter) ?? {};
  return first && BEFORE + first;
}

/**
 * Returns the later one of the offset that a client has named and the beginning of its session, or
 * `undefined` if there is nothing to continue from.
 */
export function laterOf(adapter: RawAdapter, offset: string, begin: string): string | undefined {
  if (begin === START) return offset;
  if (begin.startsWith(BEFORE)) {
    return isAfter(begin.slice(BEFORE.length), offset) ? undefined : offset;
  }
  if (!isRemembering(adapter)) return isAfter(begin, offset) ? begin : offset;
  const index = (id: string) => adapter.packets.findIndex((packet) => packet.id === id);
  // If the beginning is not kept any more, all that is kept has come since.
  return index(begin) > index(offset) ? begin : offset;
}

function isRemembering(adapter: RawAdapter): adapter is Remembering {
  return Array.isArray((adapter as Partial<Remembering>).packets);
}

function isReading(adapter: RawAdapter): adapter is Reading {
  const { onRawMessage, doPublish } = adapter as Partial<Reading>;
  return typeof onRawMessage === "function" && typeof doPublish === "function";
}

/** Returns whether one id of a stream is after another. A text that is no id is before all. */
function isAfter(one: string, other: string): boolean {
  const [[time, number], [otherTime, otherNumber]] = [parse(one), parse(other)];
  return time > otherTime || time === otherTime && number > otherNumber;
}

function parse(id: string): [time: bigint, number: bigint] {
  const [, time = "-1", number = "0"] = /^(\d{1,20})-(\d{1,20})$/.exec(id) ?? [];
  return [BigInt(time), BigInt(number)];
}
