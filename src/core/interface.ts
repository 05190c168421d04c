/**
 * All that the core needs of the world around it. An adapter implements it for
 * a server; a test implements it with plain objects and a fake clock.
 *
 * @module
 */
import type { Origin } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { Policy } from "./policy.ts";
import type { Revocations } from "./revocations.ts";
import type { Session } from "./session.ts";
import type { Previous } from "./states.ts";

/**
 * One namespace's end of a client connection, with its gate. The gate is shut
 * when the core first sees the peer.
 *
 * @typeParam S the socket as the application knows it
 */
export interface Peer<S> {
  /** What hooks are given. */
  readonly socket: S;
  /** Whether the namespace is still connected. */
  readonly connected: boolean;
  /** Whose session it carries on, if its connection was recovered. */
  readonly previous?: Previous | undefined;
  /** That session itself, if it may be resumed as it is. */
  readonly resumable?: Session<unknown> | undefined;
  /** When the socket was created, in epoch milliseconds. */
  readonly connectedAt: number;
  /** Where it is, for events. A throw is reported, and the event is lost. */
  origin(): Origin;
  /**
   * The session in force, for look-ups by socket. The core sets it before it
   * tells the client, and clears it before it shuts the gate; a disconnect
   * leaves it, so that a `disconnect` hook can still see who left.
   */
  session: Session<unknown> | undefined;
  /**
   * Sends a protocol event past the gate, in order with everything sent
   * before. Does nothing if the client is gone. A throw (something that
   * cannot be serialized) is reported; where it was `authenticated`, the
   * connection ends with `server_error`.
   */
  send(event: string, ...args: unknown[]): void;
  /**
   * Sends a `challenge` past the gate, and calls back with the client's answer,
   * once at most. Returns a function that takes the question back. A throw
   * (something that cannot be serialized) fails the challenge.
   */
  ask(data: unknown, onAnswer: (answer: unknown) => void): () => void;
  /**
   * Opens the gate outwards: enters the rooms that were joined meanwhile and
   * sends what was held for the client. What a recovered connection has missed
   * goes out before that, and may have to be fetched first. A throw is
   * reported and otherwise ignored: what was held past that point is lost.
   */
  open(): void;
  /**
   * Opens the gate inwards: hands the application what the client has sent
   * meanwhile. A throw is reported and otherwise ignored.
   */
  deliver(): void;
  /**
   * Shuts the gate again, both ways. The rooms are left at once; with
   * `keepRooms` they are remembered and entered again by the next
   * {@linkcode Peer.open}. A throw is reported, and the core disconnects.
   */
  shut(keepRooms: boolean): void;
  /**
   * Disconnects this namespace for good, with its gate shut: whatever the
   * application still emits to it is lost. A throw is reported and otherwise
   * ignored.
   */
  disconnect(): void;
}

/**
 * The server's side of all connections under one policy.
 *
 * @typeParam S the socket as the application knows it
 * @typeParam T what stands for a client connection
 */
export interface Host<S, T> {
  /** The policy they are under. */
  readonly policy: Policy<S>;
  /** The clock they go by. */
  readonly clock: Clock;
  /** What has happened under it. */
  readonly journal: Journal<S>;
  /** Which sessions are no longer good. */
  readonly revocations: Revocations;
  /**
   * Whether a socket outside this policy that is past its own gate still uses
   * the connection, so that it must not be closed.
   */
  isShared(transport: T): boolean;
  /**
   * Closes the whole client connection, behind what was sent before. Must not
   * wait for the client. A throw is reported and otherwise ignored.
   */
  close(transport: T): void;
}

/** Time, injected so that tests can hold it still. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for the end of sessions. */
  readonly now: () => number;
  /** Milliseconds that only ever go forward: for deadlines. */
  readonly monotonic: () => number;
  /**
   * Calls `fn` once after `ms` milliseconds, which never exceed
   * {@linkcode MAX_DELAY}. Returns a function that takes the call back.
   */
  after(ms: number, fn: () => void): () => void;
}

/** The longest delay that timers take on all runtimes: 2^31 - 1 ms, 24.8 days. */
export const MAX_DELAY = 2_147_483_647;
