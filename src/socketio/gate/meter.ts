/**
 * Counts what a client sends before it is signed in: namespaces that it asks for, and bytes. It
 * counts for the whole transport, and before Socket.IO. Engines check the state of the transport
 * between the packets of a payload, so that nothing more of a payload takes effect once the
 * transport is closed here.
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

/** How many times a client may ask for a namespace, repeated or not. Open ones do not count. */
const ASKED_LIMIT = 64;

const LEAST_BYTES = 1_048_576;

/** How many times `maxCredentials` may come in, in addition to the allowed attempts. */
const SPARE_CREDENTIALS = 32;

type Data = string | ArrayBufferView | ArrayBuffer;

interface Count {
  readonly server: RawServer;
  /** Whether the parser is Socket.IO's own. */
  readonly isTextual: boolean;
  asked: number;
  bytes: number;
  /** Whether the client has asked for an open namespace, and a socket that it got there. */
  hasAskedOpen: boolean;
  openSocket?: RawSocket;
  /** Where it is not: a decoder, and the namespaces of decoded CONNECTs. */
  decoder?: RawDecoder;
  decoded?: string[];
  isCut?: true;
  /** The code of the cut, until a socket or an observer was told. */
  untold?: "too_many_attempts" | "too_many_events" | undefined;
}

const COUNT = Symbol("socketio-auth count");

/** A transport, with its count while its client is not signed in. */
interface CountedConn extends RawConn {
  [COUNT]?: Count | undefined;
}

/** Whether the packet at hand is dropped, with all that it leads to in this turn. */
let isBlocked = false;

export function isBlockedNow(): boolean {
  return isBlocked;
}

type AnyGuard = Guard<unknown, RawClient>;

const guards = new WeakMap<RawServer, Set<AnyGuard>>();

export function addPolicy(server: RawServer, guard: AnyGuard): void {
  if (!guards.has(server)) guards.set(server, new Set());
  guards.get(server)!.add(guard);
}

/** Counts what comes in on a transport, from zero, unless it is counted already. */
export function startMeter(server: RawServer, transport: RawConn): void {
  const conn: CountedConn = transport;
  if (conn[COUNT]) return;
  // Socket.IO connects a client of revision 3 to the main namespace without being asked.
  const hasAskedOpen = conn.protocol === 3;
  conn[COUNT] = { server, isTextual: isTextual(server), asked: 0, bytes: 0, hasAskedOpen };
  listenFirst(conn, "data", onData);
}

/** Stops counting: the client is signed in. */
export function stopMeter(transport: RawConn): void {
  const conn: CountedConn = transport;
  if (!conn[COUNT]) return;
  conn[COUNT] = undefined;
  conn.removeListener("data", onData);
}

/** Shared by all transports, so that none has a closure. */
function onData(this: CountedConn, data: Data | undefined): void {
  const count = this[COUNT];
  // A packet of the engine may be empty.
  if (!count || data === undefined) return;
  const isText = typeof data === "string";
  count.bytes += isText ? data.length : data.byteLength;
  if (!count.isTextual) {
    for (const asked of decode(count, data)) ask(this, count, asked);
  } else if (isText && data !== "" && Number(data[0]) === CONNECT) {
    // Read as Socket.IO's parser does, which takes a white space for a 0.
    ask(this, count, /^[^](\/[^,]*)/.exec(data)?.[1] ?? "/");
  }
  if (count.bytes > LEAST_BYTES && count.bytes > byteLimit(this, count)) {
    cut(this, count, "too_many_events");
  }
}

function ask(conn: RawConn, count: Count, asked: string): void {
  const name = nameOf(conn, asked);
  if (isOpen(count.server, name)) count.hasAskedOpen = true;
  else if (++count.asked > ASKED_LIMIT) {
    // Tells the client once only: a client that does not read would pile refusals up.
    if (count.asked === ASKED_LIMIT + 1) refuse(conn, count.server, name);
    cut(conn, count, "too_many_attempts");
  }
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
    // Socket.IO finds the same error, and closes the transport.
  }
  return names;
}

/** Returns the name that Socket.IO looks up: a client of Socket.IO 2 sends a URL with a query. */
function nameOf({ protocol }: RawConn, asked: string): string {
  if (protocol !== 3) return asked;
  try {
    return new URL(asked, "https://socket.io").pathname;
  } catch {
    return asked;
  }
}

const textual = new WeakMap<RawServer, boolean>();

/** Returns whether a server encodes packets as Socket.IO's own parser does. */
function isTextual(server: RawServer): boolean {
  let is = textual.get(server);
  if (is === undefined) {
    const [encoded] = server.encoder.encode({ type: CONNECT, nsp: "/" });
    textual.set(server, is = encoded === `${CONNECT}`);
  }
  return is;
}

function isOpen(server: RawServer, name: string): boolean {
  const nsp = server._nsps.get(name);
  return nsp !== undefined && !isUndecided(nsp) && !guardOf(nsp);
}

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
  // Remembered, because searching with every packet would take long where there are many.
  if (!count.openSocket?.connected) delete count.openSocket;
  for (const nsp of count.openSocket ? [] : count.server._nsps.values()) {
    if (!isOpen(count.server, nsp.name)) continue;
    for (const socket of nsp.sockets.values()) {
      if (socket.client.conn === conn) count.openSocket = socket;
    }
  }
  return count.openSocket !== undefined;
}

function refuse(conn: RawConn, server: RawServer, nsp: string): void {
  const { message, code, reconnect } = unauthorized("too_many_attempts");
  const data = conn.protocol === 3 ? message : { message, data: { code, reconnect } };
  for (const part of server.encoder.encode({ type: CONNECT_ERROR, nsp, data })) conn.write(part);
}

/**
 * Ends all that is not signed in on a transport, and closes the transport unless an open namespace
 * uses it. The packet at hand has no effect.
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
  // Sockets that were asked for in the same turn are created a moment later.
  const [joining] = joiningSockets(conn).filter((socket) => gateOf(socket));
  if (joining) noteCut(joining);
  for (const socket of joiningSockets(conn)) gateOf(socket)?.dropJoining();
  if (conn.readyState === "open" && !usesOpenNamespace(conn, count)) closeUnused(conn);
}

function countOf({ conn }: RawClient): Count | undefined {
  return (conn as CountedConn)[COUNT];
}

/** Returns whether the transport of a socket was cut, although an open namespace uses it. */
export function wasCut({ client }: RawSocket): boolean {
  return countOf(client)?.isCut === true;
}

/** Tells `observe` of a transport that was cut before it had a socket, once it gets one. */
export function noteCut(socket: RawSocket): void {
  const count = countOf(socket.client);
  if (!count?.untold) return;
  const gate = gateOf(socket)!;
  gate.connection.noteCut(gate, count.untold);
  count.untold = undefined;
}
