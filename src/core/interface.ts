/**
 * The seam between the core, which decides, and a binding, which translates
 * between the core and one kind of server. `src/socketio` is one binding,
 * `examples/websocket` another; tests have one of plain objects and a fake clock.
 *
 * **What a binding does, in this order.** At set-up it makes one
 * `Guard` of the options and of its {@linkcode Binding}. Then, for each
 * client connection:
 *
 * 1. `new Connection(guard, transport)`, once, kept with the transport.
 * 2. For each namespace the client asks for (a server without namespaces has one
 *    for each transport): `connection.refusalToJoin(payload)`, and a {@linkcode Peer},
 *    shut. If there is a refusal, it tells the client so in its own way, must not
 *    accept the namespace, and then calls `connection.turnAway(peer, refusal)`. While
 *    `connection.isClosing` it drops what the client asks for.
 * 3. If the client has brought credentials along: `connection.handshake(…)`, and it
 *    must not accept the namespace before that has been answered with `ok`. If it
 *    will never accept it, for another reason than that answer: `connection.leave(peer, …)`.
 * 4. `connection.join(peer)` once the namespace is accepted and the client knows,
 *    and before the application has seen the socket.
 * 5. `connection.authenticate(…)` for each `authentication` event, at whatever time.
 *    Everything else the client sends, or is sent, is asked about: see `Waiting`. (With
 *    `connection.heard(name)` the operator learns why nobody has signed in, perhaps.)
 * 6. `connection.leave(peer, …)` when the namespace is disconnected, by whom ever:
 *    also where the core did it, by {@linkcode Peer.disconnect}. (If that is
 *    forgotten, the core does it itself.)
 * 7. `connection.close()` when the transport is gone, whether or not its peers
 *    have left.
 *
 * All of them may be called from anywhere, also from within a call that the core
 * makes: the event is taken up when the one at hand is done. None of them throws
 * but what the acknowledgement throws that it was given. What the binding must
 * not do: run application code on a peer before {@linkcode Peer.introduce}, let a
 * peer in or out while it is shut, or open it again once it was silenced.
 *
 * @module
 */
import type { Stamp } from "./cluster_time.ts";
import type { Origin } from "./events.ts";
import type { Unauthorized } from "../protocol.ts";
import type { RevocationTarget, Session } from "./session.ts";
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
  /** Whether it has been recovered, and has not caught up yet. */
  readonly isBehind?: boolean;
  /** When the socket was created, in epoch milliseconds. */
  readonly connectedAt: number;
  /**
   * The credentials that its transport brought, as a function in the option `handshake` finds
   * them. Called for an `authentication` event that has none. What it throws is reported, and the
   * client is told `server_error`.
   */
  brought?(): unknown;
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
  challenge(data: unknown, onAnswer: (answer: unknown) => void): () => void;
  /**
   * Fetches what a recovered connection has missed, so that from then on nothing
   * can be: called for one that {@linkcode Peer.isBehind}, once its user is known
   * to be the same, and before the session is in force. A rejection is reported,
   * and the connection ends with `server_error`; the client then begins anew.
   */
  catchUp?(): Promise<void>;
  /** Gives that up again, where nobody was admitted after all. */
  fallBehind?(): void;
  /**
   * Opens the gate outwards: sends what the client has missed, enters the rooms
   * that were joined meanwhile, and sends what was held. A throw is reported and
   * otherwise ignored: what was held past that point is lost.
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
   * Refuses the namespace, although its handshake was answered with `ok`: it is not connected yet,
   * and must not be. Called where a challenge was to be asked.
   */
  refuse?(refusal: Unauthorized): void;
  /**
   * Disconnects this namespace, after it was silenced. One that was refused before it was
   * connected is told so here, too, a while later. A throw is reported and otherwise ignored.
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
 * A server's side of all connections under one policy.
 *
 * @typeParam T what stands for a client connection
 */
export interface Binding<T> {
  /** What is guarded, the same on every node: revocations and lost connections are known by it. */
  readonly name: string;
  /** What the connections go by. */
  readonly clock: Clock;
  /** For how long a lost connection may be recovered, in milliseconds; 0 if never. */
  readonly recoverable: number;
  /**
   * Whether a socket outside this policy that is past its own gate still uses
   * the connection, so that it must not be closed.
   */
  isShared(transport: T): boolean;
  /**
   * For `ms` milliseconds a client may send what belongs to no socket any more: it was told only now
   * that it is refused, or has to leave a namespace. That is dropped, and does not have it closed.
   */
  ignore?(transport: T, ms: number): void;
  /**
   * Closes the whole client connection, behind what was sent before. Must not
   * wait for the client; what is below the binding may, for `linger` milliseconds.
   * A throw is reported and otherwise ignored.
   */
  close(transport: T, linger: number): void;
  /**
   * Drops a connection that was closed that long ago, if the client has not
   * cooperated. Does nothing if it is gone. A throw is reported and otherwise
   * ignored.
   */
  drop(transport: T): void;
  /**
   * Has the other nodes carry out a revocation (see `Guard.hear`), at once; what
   * goes wrong goes to `report`. Resolves with the number of sockets that were
   * ended on nodes that have answered; a rejection is reported. Returns nothing if
   * there can be no others.
   */
  tellOthers?(
    revocation: Revocation,
    report: (error: unknown) => void,
  ): Promise<number> | undefined;
  /** Asks the other nodes what time it is there. Called at the first sign-in. */
  greetOthers?(): void;
  /**
   * Tells them again, without asking for answers: for nodes that were cut off or
   * not there. The core says when. A rejection is ignored.
   */
  remindOthers?(revocations: readonly Revocation[]): Promise<void>;
}

/** A revocation as it travels between nodes: sessions end, or have to be renewed soon. */
export interface Revocation {
  /** Tells a repetition from a new one. */
  readonly id: string;
  readonly target: RevocationTarget;
  /** Milliseconds since it was made: clocks of two nodes cannot be compared. */
  readonly age: number;
  /** The id of a client connection that is spared. */
  readonly except?: string;
  /** The id of a session that is spared. */
  readonly exceptSession?: string;
  /** Only sessions whose sign-in began before this one are meant, by the time of the cluster. */
  readonly olderThan?: Stamp;
  /**
   * The sessions do not end at once, but this long after it was made, in milliseconds, unless they
   * are renewed.
   */
  readonly within?: number;
  /** What the client is told instead of the protocol's own text. */
  readonly message?: string;
  /** Whether the client is sent for fresh credentials. */
  readonly reconnect?: boolean;
}

/** Time, injected so that tests can hold it still. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for the end of sessions. */
  readonly now: () => number;
  /** Milliseconds that only ever go forward: for deadlines. */
  readonly monotonic: () => number;
  /**
   * Calls `fn` once after `ms` milliseconds, which never exceed
   * {@linkcode MAX_DELAY}; unless nothing but such calls keeps the process alive.
   * Returns a function that takes the call back.
   */
  after(ms: number, fn: () => void): () => void;
}

/** The longest delay that timers take on all runtimes: 2^31 - 1 ms, 24.8 days. */
export const MAX_DELAY = 2_147_483_647;
