/**
 * What a client sends before it is signed in, counted for its whole transport and in front of
 * Socket.IO: the namespaces it asks for, and bytes. Engines look at the state of the transport
 * between the packets of a payload, so that nothing more is acted upon of one that is closed here.
 *
 * @module
 */
import { guardOf } from "../claims.ts";
import { connectionsOf } from "../connections.ts";
import { listenFirst } from "../engines.ts";
import type { Guard } from "../../core/guard.ts";
import {
  CONNECT,
  CONNECT_ERROR,
  type Packet,
  type RawClient,
  type RawConn,
  type RawDecoder,
  type RawServer,
  type RawSocket,
} from "../internals.ts";
import { joiningSockets } from "../joining.ts";
import { gateOf } from "./slot.ts";
import { closeUnused } from "../transport.ts";
import { unauthorized } from "../../protocol.ts";

/** How many namespaces may be asked for, the same ones again counted; those that are open do not count. */
const ASKED_LIMIT = 64;

/** How many bytes at least may come in. */
const LEAST_BYTES = 1_048_576;

/** How many times `maxCredentials` may come in, apart from the attempts that are allowed. */
const SPARE_CREDENTIALS = 32;

/** What comes with a packet of the engine. */
type Data = string | ArrayBufferView | ArrayBuffer;

/** What was counted on a transport. */
interface Count {
  readonly server: RawServer;
  asked: number;
  bytes: number;
  /** Where the parser is not Socket.IO's own: the name of the last CONNECT that was decoded. */
  decoder?: RawDecoder;
  decoded?: string | undefined;
  /** Why it was cut, if nobody was told so yet. */
  untold?: "too_many_attempts" | "too_many_events" | undefined;
}

/** What is counted on each transport whose client is not signed in. */
const counts = new WeakMap<RawConn, Count>();

/** Whether what is at hand, until everything that it leads to at once has happened, is dropped. */
let isBlocked = false;

/** Whether a request for a namespace is not to be acted upon. */
export function isBlockedNow(): boolean {
  return isBlocked;
}

type AnyGuard = Guard<unknown, RawClient>;

/** The policies of each server that is metered. */
const guards = new WeakMap<RawServer, Set<AnyGuard>>();

/** Has a policy count for the transports of a server. */
export function addPolicy(server: RawServer, guard: AnyGuard): void {
  if (!guards.has(server)) guards.set(server, new Set());
  guards.get(server)!.add(guard);
}

/** Counts what comes in on a transport, from zero, unless it is counted already. */
export function startMeter(server: RawServer, conn: RawConn): void {
  if (counts.has(conn)) return;
  counts.set(conn, { server, asked: 0, bytes: 0 });
  listenFirst(conn, "data", onData);
}

/** Counts nothing any more: the client is signed in. */
export function stopMeter(conn: RawConn): void {
  if (counts.delete(conn)) conn.removeListener("data", onData);
}

/** Shared by all transports, so that none has a closure. */
function onData(this: RawConn, data: Data | undefined): void {
  const count = counts.get(this);
  // A packet of the engine may be empty.
  if (!count || data === undefined) return;
  count.bytes += typeof data === "string" ? data.length : data.byteLength;
  const asked = namespaceOf(count, data);
  // Only Socket.IO 2 appends a query, which is not part of the name.
  const name = this.protocol === 3 ? asked?.split("?")[0] : asked;
  const isAsked = name !== undefined && !isOpen(count.server, name);
  if (isAsked && ++count.asked > ASKED_LIMIT) {
    // In words, but once: a client that does not read them would pile them up.
    if (count.asked === ASKED_LIMIT + 1) refuse(this, count.server, name);
    cut(this, count, "too_many_attempts");
  } else if (count.bytes > LEAST_BYTES && count.bytes > byteLimit(this, count.server)) {
    cut(this, count, "too_many_events");
  }
}

/** The namespace that is asked for, if data of the engine is a CONNECT. */
function namespaceOf(count: Count, data: Data): string | undefined {
  if (!isTextual(count.server)) return decodedNamespaceOf(count, data);
  if (typeof data !== "string" || data[0] !== `${CONNECT}`) return undefined;
  // As Socket.IO's parser reads it.
  return /^0(\/[^,]*)/.exec(data)?.[1] ?? "/";
}

function decodedNamespaceOf(count: Count, data: Data): string | undefined {
  if (!count.decoder) {
    count.decoder = new count.server._parser.Decoder();
    count.decoder.on("decoded", ({ type, nsp = "/" }: Packet) => {
      if (type === CONNECT) count.decoded = nsp;
    });
  }
  count.decoded = undefined;
  try {
    count.decoder.add(data);
  } catch {
    // Socket.IO finds that out itself, and closes the transport.
  }
  return count.decoded;
}

const textual = new WeakMap<RawServer, boolean>();

/** Whether a server speaks as Socket.IO's own parser does. */
function isTextual(server: RawServer): boolean {
  let is = textual.get(server);
  if (is === undefined) {
    const [encoded] = server.encoder.encode({ type: CONNECT, nsp: "/" });
    textual.set(server, is = encoded === `${CONNECT}`);
  }
  return is;
}

/** Whether there is a namespace of a name that nothing is demanded in. */
function isOpen(server: RawServer, name: string): boolean {
  const nsp = server._nsps.get(name);
  return nsp !== undefined && !guardOf(nsp);
}

/** How many bytes may come in, at most, by the policies that are concerned. */
function byteLimit(conn: RawConn, server: RawServer): number {
  if (usesOpenNamespace(conn, server)) return Infinity;
  const own = connectionsOf(conn).map(({ guard }) => guard as AnyGuard);
  const limits = (own.length > 0 ? own : [...guards.get(server) ?? []]).map(({ policy }) => {
    const { attempts, holdLimit, incoming, maxCredentials } = policy;
    if (incoming === "pass") return Infinity;
    return Math.max(
      2 * holdLimit.bytes,
      LEAST_BYTES,
      (attempts + SPARE_CREDENTIALS) * maxCredentials,
    );
  });
  return Math.max(...limits);
}

function usesOpenNamespace(conn: RawConn, { _nsps }: RawServer): boolean {
  for (const nsp of _nsps.values()) {
    if (guardOf(nsp)) continue;
    for (const { client } of nsp.sockets.values()) if (client.conn === conn) return true;
  }
  return false;
}

/** Tells the client that it must not have a namespace, as Socket.IO does. */
function refuse(conn: RawConn, server: RawServer, nsp: string): void {
  const { message, code, reconnect } = unauthorized("too_many_attempts");
  const data = conn.protocol === 3 ? message : { message, data: { code, reconnect } };
  for (const part of server.encoder.encode({ type: CONNECT_ERROR, nsp, data })) conn.write(part);
}

/**
 * Ends what is not signed in on a transport, and the transport, unless an open namespace uses it.
 * The packet at hand is not acted upon.
 */
function cut(
  conn: RawConn,
  count: Count,
  code: "too_many_attempts" | "too_many_events",
): void {
  isBlocked = true;
  queueMicrotask(() => isBlocked = false);
  const told = connectionsOf(conn).map((connection) => connection.cut(code));
  if (!told.includes(true)) count.untold = code;
  // Those that were asked for in the same turn come a moment later.
  const [joining] = joiningSockets(conn).filter((socket) => gateOf(socket));
  if (joining) noteCut(joining);
  if (conn.readyState === "open" && !usesOpenNamespace(conn, count.server)) closeUnused(conn);
}

/** Tells those who observe of a transport that was cut before it had a socket, once it gets one. */
export function noteCut(socket: RawSocket): void {
  const count = counts.get(socket.client.conn);
  if (!count?.untold) return;
  const gate = gateOf(socket)!;
  gate.connection.noteCut(gate, count.untold);
  count.untold = undefined;
}
