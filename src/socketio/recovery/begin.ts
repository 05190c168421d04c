/**
 * Where sessions have begun in what an adapter has sent, in the adapter's own terms: nothing from
 * before that is handed over, whatever offset a client names. Of an adapter that does not tell where
 * it is, nothing is recovered.
 *
 * @module
 */
import type { RawAdapter, RawSocket } from "../internals.ts";

/** An adapter that keeps what it has sent: the one in memory. */
interface Remembering extends RawAdapter {
  readonly packets: readonly { readonly id: string }[];
}

/** An adapter that reads a stream, and whose ids are those of Redis: a time and a number. */
interface Reading extends RawAdapter {
  onRawMessage(message: unknown, offset: string): unknown;
  /** Resolves with the id of what it has written, which it reads later. */
  doPublish(message: unknown): Promise<string>;
}

/** In front of all that is kept. */
const START = "";

/** In front of the first thing that an adapter has read, if the rest of the text is that. */
const BEFORE = "<";

/** What an adapter has read of its stream, or written. */
interface Known {
  readonly first: string;
  readonly last: string;
}

const known = new WeakMap<RawAdapter, Known>();
/** Where the sessions of sockets have begun. */
const begun = new WeakMap<RawSocket, string>();

/** Has an adapter tell from now on what it knows of its stream, if it reads one. */
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

/** Notes that a session begins on a socket now, or where the one has that it goes on with. */
export function noteBegin(socket: RawSocket, inherited?: string): void {
  const { adapter } = socket.nsp;
  const position = isRemembering(adapter) ? adapter.packets.at(-1)?.id : known.get(adapter)?.last;
  begun.set(socket, inherited ?? position ?? START);
}

/** Where the session of a socket has begun, if its adapter has told by now. */
export function beginOf(socket: RawSocket): string | undefined {
  const { adapter } = socket.nsp;
  const begin = begun.get(socket);
  if (begin !== START || isRemembering(adapter)) return begin;
  // All that is known has come since.
  const { first } = known.get(adapter) ?? {};
  return first && BEFORE + first;
}

/**
 * The later one of the offset that a client has named, and of where its session has begun. Nothing
 * if that is where there is nothing to go on from.
 */
export function laterOf(adapter: RawAdapter, offset: string, begin: string): string | undefined {
  if (begin === START) return offset;
  if (begin.startsWith(BEFORE)) {
    return isAfter(begin.slice(BEFORE.length), offset) ? undefined : offset;
  }
  if (!isRemembering(adapter)) return isAfter(begin, offset) ? begin : offset;
  const index = (id: string) => adapter.packets.findIndex((packet) => packet.id === id);
  // What began before all that is still kept is no bound any more.
  return index(begin) > index(offset) ? begin : offset;
}

function isRemembering(adapter: RawAdapter): adapter is Remembering {
  return Array.isArray((adapter as Partial<Remembering>).packets);
}

function isReading(adapter: RawAdapter): adapter is Reading {
  const { onRawMessage, doPublish } = adapter as Partial<Reading>;
  return typeof onRawMessage === "function" && typeof doPublish === "function";
}

/** Whether one id of a stream is after another; what is no id is before all. */
function isAfter(one: string, other: string): boolean {
  const [[time, number], [otherTime, otherNumber]] = [parse(one), parse(other)];
  return time > otherTime || time === otherTime && number > otherNumber;
}

function parse(id: string): [time: bigint, number: bigint] {
  const [, time = "-1", number = "0"] = /^(\d{1,20})-(\d{1,20})$/.exec(id) ?? [];
  return [BigInt(time), BigInt(number)];
}
