/**
 * Members of socket.io-client's sockets that are not public, as `line.ts` uses them.
 *
 * @module
 */
import type { ClientSocket } from "./session.ts";

/** A packet of Socket.IO. The number stands for its kind. */
export interface Packet {
  readonly type: number;
  readonly nsp?: string;
  readonly data?: unknown[];
  readonly id?: number;
}

/** Flags of the event that is emitted next; `fromQueue` is one of `retries`, one by one. */
type Flags = { readonly volatile?: boolean; readonly fromQueue?: boolean };

/** An event with the option `retries`. The last argument is called when it is acknowledged. */
interface Queued {
  /** Whether the event is on its way, as far as Socket.IO knows. */
  pending: boolean;
  args: unknown[];
}

/** Sends CONNECT with a payload. */
export type Send = (payload?: object) => void;

/** The members of a socket that a line calls or replaces, public or not. */
export interface Internals extends ClientSocket {
  readonly io: {
    /** Since the application has closed the connection. */
    readonly skipReconnect?: boolean;
    readonly engine?: { readonly readyState: string; close(): void };
    reconnection(): boolean;
    /** Closes the connection as if it were lost. */
    onclose(reason: string): void;
    on(event: string, listener: (packet: Packet) => void): unknown;
    off(event: string, listener: (packet: Packet) => void): unknown;
  };
  auth: object | ((send: Send) => void) | undefined;
  readonly nsp: string;
  sendBuffer: Packet[];
  receiveBuffer: unknown[];
  /** The id of the next event with an acknowledgement, and what is called with those. */
  ids: number;
  readonly acks: Record<number, (answer: never) => void>;
  flags: Flags;
  readonly _opts?: { retries?: number | undefined };
  _queue?: Queued[];
  /** Emits the first one, unless that is pending. Since 4.6.1, only while connected. */
  _drainQueue?(): void;
  emitBuffered(): void;
  /** Since 4.7.5. */
  _clearAcks?(): void;
}
