/**
 * What a client sends before it is signed in, counted for its whole transport and in front of
 * Socket.IO: the namespaces it asks for, and bytes. Engines look at the state of the transport
 * between the packets of a payload, so that nothing more is acted upon of one that is closed here.
 *
 * @module
 */
import { guardOf, isUndecided } from "../claims.ts";
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
import { gateOf } from "./prototype.ts";
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
  /** Whether it has asked for a namespace that is open; and a socket that it has got there. */
  hasAskedOpen: boolean;
  openSocket?: RawSocket;
  /** Where the parser is not Socket.IO's own: what puts packets together, and the names in CONNECTs. */
  decoder?: RawDecoder;
  decoded?: string[];
  isCut?: true;
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
  // Socket.IO connects a client of revision 3 to the main namespace without being asked.
  counts.set(conn, { server, asked: 0, bytes: 0, hasAskedOpen: conn.protocol === 3 });
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
  for (const asked of namespacesIn(count, data)) ask(this, count, nameOf(this, asked));
  if (count.bytes > LEAST_BYTES && count.bytes > byteLimit(this, count)) {
    cut(this, count, "too_many_events");
  }
}

function ask(conn: RawConn, count: Count, name: string): void {
  if (isOpen(count.server, name)) count.hasAskedOpen = true;
  else if (++count.asked > ASKED_LIMIT) {
    // In words, but once: a client that does not read them would pile them up.
    if (count.asked === ASKED_LIMIT + 1) refuse(conn, count.server, name);
    cut(conn, count, "too_many_attempts");
  }
}

/** The namespaces that are asked for in data of the engine. */
function namespacesIn(count: Count, data: Data): readonly string[] {
  if (!isTextual(count.server)) return decode(count, data);
  // As Socket.IO's parser reads it, which takes a white space for a 0.
  const isConnect = typeof data === "string" && data !== "" && Number(data[0]) === CONNECT;
  return isConnect ? [/^[^](\/[^,]*)/.exec(data)?.[1] ?? "/"] : [];
}

function decode(count: Count, data: Data): readonly string[] {
  if (!count.decoder) {
    count.decoder = new count.server._parser.Decoder();
    count.decoder.on("decoded", ({ type, nsp = "/" }: Packet) => {
      if (type === CONNECT) count.decoded?.push(nsp);
    });
  }
  const names: string[] = count.decoded = [];
  try {
    count.decoder.add(data);
  } catch {
    // Socket.IO finds that out itself, and closes the transport.
  }
  return names;
}

/** The name that Socket.IO looks for: what a client of Socket.IO 2 says is a URL, with a query. */
function nameOf({ protocol }: RawConn, asked: string): string {
  if (protocol !== 3) return asked;
  try {
    return new URL(asked, "https://socket.io").pathname;
  } catch {
    return asked;
  }
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
  return nsp !== undefined && !isUndecided(nsp) && !guardOf(nsp);
}

/** How many bytes may come in, at most, by the policies that are concerned. */
function byteLimit(conn: RawConn, count: Count): number {
  if (usesOpenNamespace(conn, count)) return Infinity;
  const { server } = count;
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

function usesOpenNamespace(conn: RawConn, count: Count): boolean {
  if (!count.hasAskedOpen) return false;
  // To look for it again with every packet would take long where there are many.
  if (!count.openSocket?.connected) delete count.openSocket;
  for (const nsp of count.openSocket ? [] : count.server._nsps.values()) {
    if (!isOpen(count.server, nsp.name)) continue;
    for (const socket of nsp.sockets.values()) {
      if (socket.client.conn === conn) count.openSocket = socket;
    }
  }
  return count.openSocket !== undefined;
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
  count.isCut = true;
  isBlocked = true;
  queueMicrotask(() => isBlocked = false);
  const told = connectionsOf(conn).map((connection) => connection.cut(code));
  if (!told.includes(true)) count.untold = code;
  // Those that were asked for in the same turn come a moment later.
  const [joining] = joiningSockets(conn).filter((socket) => gateOf(socket));
  if (joining) noteCut(joining);
  for (const socket of joiningSockets(conn)) gateOf(socket)?.dropJoining();
  if (conn.readyState === "open" && !usesOpenNamespace(conn, count)) closeUnused(conn);
}

/** Whether the transport of a socket was cut, although an open namespace uses it. */
export function wasCut({ client }: RawSocket): boolean {
  return counts.get(client.conn)?.isCut === true;
}

/** Tells those who observe of a transport that was cut before it had a socket, once it gets one. */
export function noteCut(socket: RawSocket): void {
  const count = counts.get(socket.client.conn);
  if (!count?.untold) return;
  const gate = gateOf(socket)!;
  gate.connection.noteCut(gate, count.untold);
  count.untold = undefined;
}
