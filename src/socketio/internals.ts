/**
 * The members of socket.io's objects that the binding uses, as structural types: socket.io is only
 * imported as types, and some of these members are private there. They are the same in all
 * supported versions, and `supported.ts` checks for them.
 *
 * @module
 */

export interface Packet {
  type: number;
  data?: unknown;
  id?: number | null;
  nsp?: string;
}

/** Packet types of the Socket.IO protocol, revision 5. */
export const CONNECT = 0;
export const DISCONNECT = 1;
export const EVENT = 2;
export const ACK = 3;
export const CONNECT_ERROR = 4;
export const BINARY_EVENT = 5;
export const BINARY_ACK = 6;

/** A WebSocket, of ws, of Bun or of uWebSockets.js. */
export interface RawWebSocket {
  terminate?(): void;
  getTopics?(): string[];
  unsubscribe?(topic: string): unknown;
}

/** The part of a transport that both engines have. */
export interface RawTransport {
  readonly name: string;
  closeTimeout?: number;
  doClose?(done?: () => void): void;
  readonly socket?: RawWebSocket;
}

/** The transport: a socket of engine.io or of @socket.io/bun-engine. */
export interface RawConn {
  readonly readyState: string;
  /** The revision of the Engine.IO protocol. */
  readonly protocol: number;
  readonly transport: RawTransport;
  on(event: "close", listener: (this: RawConn) => void): unknown;
  removeListener(event: "data", listener: (data: never) => void): unknown;
  write(data: string | Uint8Array): unknown;
  close(): unknown;
  onClose?(reason: string): unknown;
  _maybeUpgrade?(transport: RawTransport): unknown;
  maybeUpgrade?(transport: RawTransport): unknown;
}

/** One client connection, with a socket for each namespace. */
export interface RawClient {
  readonly conn: RawConn;
  readonly sockets: ReadonlyMap<string, RawSocket>;
  /** The socket that takes the packets for a namespace, by the name of the namespace. */
  readonly nsps: Map<string, RawSocket>;
  connect(name: string, auth: object): void;
  close(): void;
  _disconnect(): void;
  _packet(packet: Packet, options?: object): void;
  writeToEngine(...args: unknown[]): void;
}

export interface RawSession {
  readonly sid: string;
  readonly pid: string;
  readonly rooms: string[];
  readonly data: unknown;
  readonly missedPackets?: unknown[];
}

export interface BroadcastOptions {
  readonly rooms?: ReadonlySet<string>;
  readonly except?: ReadonlySet<string>;
  readonly flags?: Flags;
}

export interface RawAdapter {
  addAll(id: string, rooms: ReadonlySet<string>): unknown;
  del(id: string, room: string): unknown;
  delAll(id: string): unknown;
  socketRooms(id: string): Set<string> | undefined;
  broadcast(packet: Packet, options: BroadcastOptions): unknown;
  broadcastWithAck(
    packet: Packet,
    options: BroadcastOptions,
    onClients: (count: number) => void,
    onAnswer: (...args: unknown[]) => void,
  ): unknown;
  serverCount(): Promise<number>;
  addSockets(options: BroadcastOptions, rooms: string[]): unknown;
  delSockets(options: BroadcastOptions, rooms: string[]): unknown;
  disconnectSockets(options: BroadcastOptions, close: boolean): unknown;
  persistSession(session: RawSession): unknown;
  restoreSession(pid: string, offset: string): Promise<RawSession | null> | null;
  serverSideEmit(packet: unknown[]): unknown;
}

/** Flags that apply to the next `emit`. */
export interface Flags {
  volatile?: boolean;
  compress?: boolean;
  timeout?: number;
}

/** The request with which the client asked for a namespace. */
export interface RawHandshake {
  auth?: Record<string, unknown>;
  readonly address?: string;
  /** When the socket was created, in epoch milliseconds. */
  readonly issued: number;
}

export interface RawSocket {
  readonly id: string;
  readonly nsp: RawNamespace;
  client: RawClient;
  readonly rooms: Set<string>;
  readonly connected: boolean;
  /** The callbacks for the client's answers, by the id of the event. */
  readonly acks: Map<number, (...args: unknown[]) => void>;
  readonly handshake: RawHandshake;
  adapter: RawAdapter;
  data: unknown;
  auth?: boolean;
  on(event: string, listener: (this: RawSocket, ...args: never[]) => void): unknown;
  removeAllListeners(event: string): unknown;
  emitReserved(event: string, ...args: unknown[]): unknown;
  join(rooms: string | string[]): unknown;
  packet(packet: Packet, flags?: Flags): void;
  ack(id: number): (...args: unknown[]) => void;
  notifyOutgoingListeners(packet: Packet): void;
  disconnect(close?: boolean): unknown;
  _cleanup(): void;
  _onpacket(packet: Packet): void;
  _onclose(reason: string, description?: unknown): unknown;
}

export interface RawNamespace {
  readonly name: string;
  /** The id of the next event that expects an answer. */
  _ids: number;
  readonly server: RawServer;
  readonly adapter: RawAdapter;
  readonly sockets: ReadonlyMap<string, RawSocket>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  _initAdapter(): void;
  _createSocket(client: RawClient, auth: Record<string, unknown>): Promise<RawSocket>;
  _doConnect(socket: RawSocket, fn: unknown): void;
  _remove(socket: RawSocket): void;
  /** Takes a message of another node from the adapter. */
  _onServerSideEmit(args: unknown[]): void;
  emitReserved(event: string, socket: RawSocket): unknown;
}

export interface RawParentNamespace extends RawNamespace {
  readonly children: ReadonlySet<RawNamespace>;
  createChild(name: string): RawNamespace;
}

export interface RawDecoder {
  on(event: "decoded", listener: (packet: Packet) => void): unknown;
  add(data: unknown): void;
}

export interface RawServer {
  readonly encoder: { encode(packet: Packet): (string | Uint8Array)[] };
  readonly _parser: { readonly Decoder: new () => RawDecoder };
  readonly _nsps: Map<string, RawNamespace>;
  readonly opts: { readonly connectionStateRecovery?: unknown };
  readonly parentNsps: ReadonlyMap<unknown, RawParentNamespace>;
  /** The parents made of a regular expression; since socket.io 4.7. */
  readonly parentNamespacesFromRegExp?: ReadonlyMap<RegExp, RawParentNamespace>;
  of(name: string): RawNamespace;
  close(...args: unknown[]): unknown;
  /** Asks the parents, oldest first, whether there is such a namespace. */
  _checkNamespace(name: string, auth: object, fn: (nsp: RawNamespace | false) => void): void;
}

export function isServer(value: unknown): value is RawServer {
  const { _nsps, of } = Object(value);
  return _nsps instanceof Map && typeof of === "function";
}

export function isNamespace(value: unknown): value is RawNamespace {
  const { sockets, server } = Object(value);
  return sockets instanceof Map && isServer(server);
}

export function isParent(nsp: RawNamespace): nsp is RawParentNamespace {
  const { children, createChild } = nsp as Partial<RawParentNamespace>;
  return children instanceof Set && typeof createChild === "function";
}
