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
 * One namespace's end of a client connection, with its gate: shut when the core
 * first sees the peer, opened once, outwards and then inwards, and silenced for
 * good in the end. It belongs to one user, once.
 *
 * @typeParam S the socket as the application knows it
 */
export interface Peer<S> {
  /** What hooks are given. */
  readonly socket: S;
  /** Whether the namespace is still connected. */
  readonly connected: boolean;
  /** Whose session it had, if its connection was recovered. */
  readonly previous?: Previous | undefined;
  /** When the socket was created, in epoch milliseconds. */
  readonly connectedAt: number;
  /** Where it is, for events. A throw is reported, and the event is lost. */
  origin(): Origin;
  /**
   * The session in force, for look-ups by socket. The core sets it before it
   * tells the client. It stays when the session has ended, so that listeners
   * and hooks can still see who left.
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
   * Lets the application meet the socket: its `connection` handlers run, the
   * first time this is called and never again. A throw is reported and
   * otherwise ignored.
   */
  introduce(): void;
  /**
   * Opens the gate inwards: hands the application what the client has sent
   * meanwhile. A throw is reported and otherwise ignored.
   */
  deliver(): void;
  /**
   * Shuts the gate both ways, for good: all rooms are left, what was held is
   * lost, and nothing that the application still does with the socket reaches
   * anybody. {@linkcode Peer.send} still does. A throw is reported and
   * otherwise ignored.
   */
  silence(): void;
  /**
   * Disconnects this namespace, after it was silenced. A throw is reported and
   * otherwise ignored.
   */
  disconnect(): void;
  /**
   * The same, but without a word to the client: a new socket begins in its
   * place, pending, as if the client had asked for the namespace again. A throw
   * is reported and otherwise ignored.
   */
  replace(): void;
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
