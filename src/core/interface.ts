/**
 * The interface between the core, which decides, and a binding, which translates between the core
 * and one kind of server. `src/socketio` is one binding, `examples/websocket` another. Tests have
 * one of plain objects and a fake clock.
 *
 * **What a binding does, in this order.** At set-up it creates one `Guard` from the options and its
 * {@linkcode Binding}. Then, for each client connection:
 *
 * 1. `new Connection(guard, transport)`, once, kept with the transport.
 * 2. For each namespace that the client asks for (a server without namespaces has one for each
 * transport): `connection.refusalToJoin(payload)`, and a {@linkcode Peer} whose gate is shut. If
 * there is a refusal, the binding tells the client in its own way, must not accept the namespace,
 * and then calls `connection.turnAway(peer, refusal)`. While `connection.isClosing`, it drops
 * requests for namespaces.
 * 3. If the client has brought credentials along: `connection.handshake(…)`. The binding must not
 * accept the namespace before the acknowledgement is called with `ok`. If the namespace will not be
 * accepted for another reason: `connection.leave(peer, …)`.
 * 4. `connection.join(peer)` once the namespace is accepted and the client knows, and before the
 * application has seen the socket.
 * 5. `connection.authenticate(…)` for each `authentication` event, at any time. For everything else
 * that the client sends or is sent, the binding asks `Waiting`. (`connection.heard(name)` helps the
 * operator to find out why a client does not sign in.)
 * 6. `connection.leave(peer, …)` when the namespace is disconnected for any reason, including
 * {@linkcode Peer.disconnect}. (If the binding omits the call, the core does it.)
 * 7. `connection.close()` when the transport is gone, whether or not its peers have left.
 *
 * All of these may be called at any time, also from within a call of the core: the event is then
 * queued. None of them throws, except for errors of the acknowledgement that was passed in. A
 * binding must not run application code on a peer before {@linkcode Peer.introduce}, must not let
 * anything through while the peer is shut, and must not open it again once it was silenced.
 *
 * @module
 */
import type { Stamp } from "./cluster_time.ts";
import type { Origin } from "./events.ts";
import type { Unauthorized } from "../protocol.ts";
import type { RevocationTarget, Session } from "./session.ts";
import type { Previous } from "./states.ts";

/**
 * One namespace's end of a client connection, with its gate. The gate is shut when the core first
 * sees the peer. It opens once, outwards and then inwards, and is silenced for good in the end. A
 * peer belongs to one user, once.
 *
 * @typeParam S the socket as the application knows it
 */
export interface Peer<S> {
  /** The socket that hooks are given. */
  readonly socket: S;
  /** Whether the namespace is still connected. */
  readonly connected: boolean;
  /** The former session, if the connection was recovered. */
  readonly previous?: Previous | undefined;
  /** Whether the peer was recovered, and has not caught up yet. */
  readonly isBehind?: boolean;
  /** When the socket was created, in epoch milliseconds. */
  readonly connectedAt: number;
  /**
   * Returns the credentials that a function in the option `handshake` finds on the transport.
   * Called for an `authentication` event without credentials. If it throws, the error is reported,
   * and the client is told `server_error`.
   */
  brought?(): unknown;
  /** Returns where an event happened. If it throws, the error is reported and the event lost. */
  origin(): Origin;
  /**
   * The session in force, for look-ups by socket. The core sets it before it tells the client. It
   * remains after the end of the session, for listeners and hooks.
   */
  session: Session<unknown> | undefined;
  /**
   * Sends a protocol event past the gate, in order with everything sent before. Does nothing if the
   * client is gone. If it throws (the data cannot be serialized), the error is reported; if the
   * event was `authenticated`, the connection ends with `server_error`.
   */
  send(event: string, ...args: unknown[]): void;
  /**
   * Sends a `challenge` past the gate, and calls `onAnswer` with the client's answer, at most once.
   * Returns a function that takes the challenge back. If it throws (the data cannot be serialized),
   * the challenge fails.
   */
  challenge(data: unknown, onAnswer: (answer: unknown) => void): () => void;
  /**
   * Fetches what a recovered connection has missed, and makes sure that nothing more is missed.
   * Called if {@linkcode Peer.isBehind}, once the user is known to be the same, and before the
   * session is in force. If it rejects, the error is reported, and the connection ends with
   * `server_error`; the client then begins a new session.
   */
  catchUp?(): Promise<void>;
  /** Undoes {@linkcode Peer.catchUp}, if the user was not admitted after all. */
  fallBehind?(): void;
  /**
   * Opens the gate outwards: sends what the client has missed, enters the rooms that were joined
   * meanwhile, and sends what was held. If it throws, the error is reported, and the rest of what
   * was held is lost.
   */
  open(): void;
  /**
   * Runs the application's `connection` handlers, on the first call only, and never after the peer
   * was silenced. A throw is reported and otherwise ignored.
   */
  introduce(): void;
  /**
   * Opens the gate inwards: passes on what the client has sent meanwhile. Has no effect after the
   * peer was silenced. A throw is reported and otherwise ignored.
   */
  deliver(): void;
  /**
   * Shuts the gate both ways, for good: the socket leaves all rooms, what was held is lost, and
   * nothing that the application does with the socket has an effect on others. Only {@linkcode
   * Peer.send} still works. A throw is reported and otherwise ignored.
   */
  silence(): void;
  /**
   * Refuses a namespace that is not connected yet, although `handshake` was answered with `ok`.
   * Called if a challenge was to be asked.
   */
  refuse?(refusal: Unauthorized): void;
  /**
   * Disconnects the namespace, after it was silenced; or tells the client so, if the namespace was
   * refused before it was connected. A throw is reported and otherwise ignored.
   */
  disconnect(): void;
  /**
   * Disconnects the namespace without telling the client. A new socket begins in its place,
   * pending, as if the client had asked for the namespace again. A throw is reported and otherwise
   * ignored.
   */
  replace(): void;
}

/**
 * The part of a binding that all connections under one policy share.
 *
 * @typeParam T the transport of a client connection
 */
export interface Binding<T> {
  /** The name of the target, the same on every node, for revocations and lost connections. */
  readonly name: string;
  /** The clock of all deadlines and sessions. */
  readonly clock: Clock;
  /** How long a lost connection may be recovered, in milliseconds; 0 for never. */
  readonly recoverable: number;
  /**
   * Returns whether a socket outside this policy that is past its own gate uses the transport,
   * which must not be closed then.
   */
  isShared(transport: T): boolean;
  /**
   * Ignores packets that belong to no socket, for `ms` milliseconds: the client was only just told
   * that it was refused, or has to leave a namespace. They do not close the connection.
   */
  ignore?(transport: T, ms: number): void;
  /**
   * Closes the whole client connection, after what was sent before. Must not wait for the client;
   * the layers below may, for `linger` milliseconds. A throw is reported and otherwise ignored.
   */
  close(transport: T, linger: number): void;
  /**
   * Drops a connection that was closed `linger` milliseconds ago, if the client has not cooperated.
   * Does nothing if it is gone. A throw is reported and otherwise ignored.
   */
  drop(transport: T): void;
  /**
   * Makes the other nodes carry out a revocation (see `Guard.hear`). Errors go to `report`.
   * Resolves with the number of sockets that were ended on nodes that have answered; a rejection is
   * reported. Returns `undefined` if there are no other nodes.
   */
  tellOthers?(
    revocation: Revocation,
    report: (error: unknown) => void,
  ): Promise<number> | undefined;
  /** Asks the other nodes for their time. Called with the first client connection. */
  greetOthers?(): void;
  /**
   * Repeats revocations without asking for answers, for nodes that were cut off or not running. The
   * core decides when. A rejection is ignored.
   */
  remindOthers?(revocations: readonly Revocation[]): Promise<void>;
}

/** A revocation, as one node sends it to another: sessions end, or have to be renewed soon. */
export interface Revocation {
  /** Tells a repetition from a new revocation. */
  readonly id: string;
  readonly target: RevocationTarget;
  /** Milliseconds since the call: clocks of two nodes cannot be compared. */
  readonly age: number;
  /** The id of a client connection that is spared. */
  readonly except?: string;
  /** The id of a session that is spared. */
  readonly exceptSession?: string;
  /** Only sessions are meant whose sign-in began before this one, by the time of the cluster. */
  readonly olderThan?: Stamp;
  /** The sessions have to be renewed, and end otherwise, this many milliseconds after the call. */
  readonly within?: number;
  /** The text that the client is told instead of the protocol's own. */
  readonly message?: string;
  /** Whether the client is told to connect again. */
  readonly reconnect?: boolean;
}

/** The clock, injected so that tests can control it. */
export interface Clock {
  /** The wall clock, in epoch milliseconds: for the end of sessions. */
  readonly now: () => number;
  /** The monotonic clock, in milliseconds: for deadlines. */
  readonly monotonic: () => number;
  /**
   * Calls `fn` once after `ms` milliseconds, which never exceed {@linkcode MAX_DELAY}. Does not
   * keep the process alive. Returns a function that cancels the call.
   */
  after(ms: number, fn: () => void): () => void;
}

/** The longest delay that timers take on all runtimes: 2^31 - 1 ms, 24.8 days. */
export const MAX_DELAY = 2_147_483_647;
