/**
 * The types of the state machine: states of a connection, events, and effects.
 *
 * @module
 */
import type { Declined, Unauthorized } from "../protocol.ts";
import type { Session, Subject } from "./session.ts";

/** The rules of a policy that the machine needs. */
export interface Rules {
  /** Milliseconds from connection to authenticated; `Infinity` for no limit. */
  readonly timeout: number;
  /** Failed attempts allowed on one client connection. */
  readonly attempts: number;
  /** Milliseconds that a session lasts beyond its end. */
  readonly grace: number;
}

/** A session, with the beginning of its sign-in. */
export interface Begun {
  readonly session: Session<unknown>;
  /** When the attempt began that led to the session, by the monotonic clock. */
  readonly since: number;
  /** When the first attempt of the session began, by the time of the cluster. */
  readonly stamp: number;
}

/**
 * The state of a connection. `attempt` is the id of the attempt in flight, 0 for none. `failures`
 * counts the failed attempts of the client connection, in all states.
 */
export type State =
  /** There is no socket, or none any more. */
  | { readonly phase: "idle"; readonly failures: number }
  | {
    readonly phase: "pending";
    readonly attempt: number;
    readonly failures: number;
    /** Attempts that the server itself has caused to fail; they do not count as failures. */
    readonly errors: number;
    /** The lost session, if the connection was recovered: only its user may sign in. */
    readonly previous?: Previous | undefined;
    /** The session that the verifier has accepted, until sockets are let in. */
    readonly verified?: Begun | undefined;
  }
  | Begun & {
    readonly phase: "authenticated";
    readonly attempt: number;
    readonly failures: number;
    /** As in `pending`, of an attempt in flight. */
    readonly verified?: Begun | undefined;
  }
  /** The client was told that it is refused, and is closed a while later. */
  | { readonly phase: "closing"; readonly failures: number };

/**
 * The ids of a session; when it began, by the monotonic clock; when its sign-in began, by the time
 * of the cluster; and the id of the connection, where these are known.
 */
export type Previous = Subject & {
  readonly since?: number | undefined;
  readonly stamp?: number | undefined;
  readonly connection?: string | undefined;
};

/** An attempt has led to a session. `stamp` is that of the attempt. */
interface Accepted<T extends string> extends Begun {
  readonly type: T;
  readonly attempt: number;
  readonly isBrought?: boolean;
}

type IsMeant = (whose: Previous) => boolean;

export type Event =
  /** A socket has joined a namespace. `previous` is its lost session, if it was recovered. */
  | { readonly type: "joined"; readonly previous?: Previous | undefined }
  /**
   * The client sent credentials. `previous` is as in "joined". Here and below, `isBrought` says
   * that they came with a CONNECT.
   */
  | {
    readonly type: "credentials";
    readonly attempt: number;
    readonly previous?: Previous | undefined;
    readonly isBrought?: boolean;
  }
  /** The verifier has accepted; the session cannot begin yet. */
  | Accepted<"verified">
  /** The session can begin. */
  | Accepted<"accepted">
  /** The user must not have any of the namespaces. */
  | {
    readonly type: "forbidden";
    readonly attempt: number;
    readonly refusal: Unauthorized;
    readonly isBrought?: boolean;
  }
  /**
   * The attempt was refused: for its credentials if `isVerdict`, otherwise because of the server.
   * `isAsked` if the verifier was asked.
   */
  | {
    readonly type: "refused";
    readonly attempt: number;
    readonly refusal: Unauthorized;
    readonly isVerdict: boolean;
    readonly isAsked: boolean;
    readonly isBrought?: boolean;
  }
  /** The socket that sent the credentials left before the answer. */
  | { readonly type: "abandoned"; readonly attempt: number }
  /** The verifier has refused an attempt that was abandoned. */
  | { readonly type: "failed" }
  | { readonly type: "challenged"; readonly attempt: number }
  /** The client has answered the challenge, or its time is over. */
  | { readonly type: "answered"; readonly attempt: number }
  /** The deadline has passed. `isAsked` if the verifier was asked and has not answered. */
  | { readonly type: "deadline"; readonly refusal: Unauthorized; readonly isAsked: boolean }
  | { readonly type: "expired" }
  /** The application has signed the client out, which stays connected. */
  | { readonly type: "signed_out" }
  | { readonly type: "revoked"; readonly isMeant: IsMeant; readonly refusal: Unauthorized }
  /** Sessions were limited to `until` by the monotonic clock, which is `at` by the wall clock. */
  | {
    readonly type: "limited";
    readonly isMeant: IsMeant;
    readonly until: number;
    readonly at: number;
  }
  /** The server ends the connection because of a limit, or refuses it without an attempt. */
  | { readonly type: "ended" | "rejected"; readonly refusal: Unauthorized }
  /** The time to read a refusal is over. */
  | { readonly type: "closed" }
  /** The last socket has left, and the transport lives. */
  | { readonly type: "deserted" }
  | { readonly type: "gone" };

/** An effect, to be carried out in order. */
export type Effect =
  /** Begin the attempt of the event. */
  | { readonly type: "verify" }
  /** Let in the sockets of the event's attempt, which the verifier has accepted. */
  | { readonly type: "let_in" }
  /** Refuse the attempt of the event, which was not begun. */
  | { readonly type: "decline"; readonly refusal: Declined }
  /** End the attempt in flight, if any, and answer it. Without a refusal, its client has left. */
  | { readonly type: "abort"; readonly refusal?: Declined }
  | { readonly type: "start_deadline"; readonly ms: number }
  | { readonly type: "pause_deadline" }
  | { readonly type: "resume_deadline" }
  | { readonly type: "start_expiry"; readonly session: Session<unknown> }
  /** Close a while later. */
  | { readonly type: "start_closing" }
  | { readonly type: "stop_timer" }
  /** Open the gate of every socket, tell the client, run the hooks. */
  | { readonly type: "admit"; readonly session: Session<unknown> }
  /** Do the same for the socket that has just joined. */
  | { readonly type: "admit_joined" }
  | { readonly type: "silence_joined" }
  /**
   * Put a session with another end in force. `tell_end` tells the client, unless the end is the
   * same.
   */
  | { readonly type: "tell_end" | "keep_end"; readonly session: Session<unknown> }
  /** Tell the client that its new session is in force. */
  | { readonly type: "refresh"; readonly session: Session<unknown> }
  /** Tell the socket of the event's attempt that it was refused and may try again. */
  | { readonly type: "tell_sender"; readonly refusal: Unauthorized }
  /** Silence all sockets, and tell them why. */
  | { readonly type: "tell"; readonly refusal: Unauthorized }
  /** Replace the silenced sockets by new ones. */
  | { readonly type: "replace" }
  /** Disconnect the silenced sockets, and close the connection. */
  | { readonly type: "close" };

export interface Transition {
  readonly state: State;
  readonly effects: readonly Effect[];
}
