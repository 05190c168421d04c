/**
 * The vocabulary of the state machine: what a connection can be, what can
 * happen to it, and what is to be done about it.
 *
 * @module
 */
import type { Declined, Unauthorized } from "../protocol.ts";
import type { Session, Subject } from "./session.ts";

/** The rules of a policy that the machine needs. */
export interface Rules {
  /** Milliseconds from connection to authenticated; `Infinity` for no limit. */
  readonly timeout: number;
  /** Failed attempts allowed on one transport. */
  readonly attempts: number;
  /** Milliseconds that a session is good beyond its end. */
  readonly grace: number;
}

/**
 * Where a connection stands. `attempt` is the one in flight, 0 for none;
 * `failures` are those of the transport, which outlive all else.
 */
export type State =
  /** Nobody is there: no socket yet, or none any more. */
  | { readonly phase: "idle"; readonly failures: number }
  | {
    readonly phase: "pending";
    readonly attempt: number;
    readonly failures: number;
    /** Attempts that were refused since then and were no failures: the server's own. */
    readonly errors: number;
    /** Whose connection it was, if it was recovered: only they may have it. */
    readonly previous?: Previous | undefined;
    /** Whose session it would be: the verifier has said yes, and nobody is let in yet. */
    readonly verified?: Previous | undefined;
  }
  | {
    readonly phase: "authenticated";
    readonly attempt: number;
    readonly failures: number;
    readonly session: Session<unknown>;
    /** When the attempt began that the session came of, by the monotonic clock. */
    readonly since: number;
    /** When its first one did, by the time of the cluster. */
    readonly stamp: number;
    /** As above, of an attempt in flight. */
    readonly verified?: Previous | undefined;
  }
  /** The client was told that it is refused, and is closed a while later. */
  | { readonly phase: "closing"; readonly failures: number };

/**
 * Whose session it is, or was; when it began, by the monotonic clock, and when its sign-in did, by
 * the time of the cluster; and the connection's id, where these are known.
 */
export type Previous = Subject & {
  readonly since?: number | undefined;
  readonly stamp?: number | undefined;
  readonly connection?: string | undefined;
};

/** An attempt has led to a session; it began at `since`, and by the time of the cluster at `stamp`. */
interface Accepted<T extends string> {
  readonly type: T;
  readonly attempt: number;
  readonly session: Session<unknown>;
  readonly since: number;
  readonly stamp: number;
  readonly isBrought?: boolean;
}

/** Whether a session is meant. */
type IsMeant = (whose: Previous) => boolean;

/** What can happen to a connection. */
export type Event =
  /**
   * A socket of the connection has joined a namespace. If it was recovered,
   * `previous` says whose it was.
   */
  | { readonly type: "joined"; readonly previous?: Previous | undefined }
  /**
   * The client sent credentials, `previous` as in "joined". Here and below `isBrought` says that
   * they came with a CONNECT.
   */
  | {
    readonly type: "credentials";
    readonly attempt: number;
    readonly previous?: Previous | undefined;
    readonly isBrought?: boolean;
  }
  /** The verifier said yes, and there is more to do before the session can begin. */
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
   * The attempt was refused; `isVerdict` if for its credentials, and not because of the server.
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
  /** The socket that sent the credentials is gone before they were judged. */
  | { readonly type: "abandoned"; readonly attempt: number }
  /** The verifier said no to such an attempt later. */
  | { readonly type: "failed" }
  /** The verifier asked the client a further question. */
  | { readonly type: "challenged"; readonly attempt: number }
  /** The client answered it, or its time is over. */
  | { readonly type: "answered"; readonly attempt: number }
  /** The time to authenticate is over; `isAsked` if the verifier was asked, and has not answered. */
  | { readonly type: "deadline"; readonly refusal: Unauthorized; readonly isAsked: boolean }
  /** The session's own time is over. */
  | { readonly type: "expired" }
  /** The application signed the client out, which stays connected. */
  | { readonly type: "signed_out" }
  /** Sessions are no longer good. */
  | { readonly type: "revoked"; readonly isMeant: IsMeant; readonly refusal: Unauthorized }
  /** Sessions end at `until` at the latest, by the monotonic clock, which is `at` by the wall clock. */
  | {
    readonly type: "limited";
    readonly isMeant: IsMeant;
    readonly until: number;
    readonly at: number;
  }
  /** The server ends the connection, as a limit was passed, or refuses it without an attempt. */
  | { readonly type: "ended" | "rejected"; readonly refusal: Unauthorized }
  /** A client that was refused has had the time to read that. */
  | { readonly type: "closed" }
  /** The last socket has left, and the transport lives. */
  | { readonly type: "deserted" }
  /** The transport is gone. */
  | { readonly type: "gone" };

/** What is to be done, in order. */
export type Effect =
  /** Begin the attempt of the event. */
  | { readonly type: "verify" }
  /** Let in the sockets of the event's attempt, which the verifier has said yes to. */
  | { readonly type: "let_in" }
  /** Refuse the attempt of the event, which was not begun. */
  | { readonly type: "decline"; readonly refusal: Declined }
  /** End the attempt in flight, if any, and answer it. Without a refusal its client has left. */
  | { readonly type: "abort"; readonly refusal?: Declined }
  /** (Re)start the deadline. */
  | { readonly type: "start_deadline"; readonly ms: number }
  /** Suspend the deadline while a challenge is open. */
  | { readonly type: "pause_deadline" }
  /** Let it run on with what was left of it. */
  | { readonly type: "resume_deadline" }
  /** Watch for the end of the session. */
  | { readonly type: "start_expiry"; readonly session: Session<unknown> }
  /** Close a while later. */
  | { readonly type: "start_closing" }
  /** Stop whichever of the three runs. */
  | { readonly type: "stop_timer" }
  /** Open the gate of every socket, tell the client, run the hooks. */
  | { readonly type: "admit"; readonly session: Session<unknown> }
  /** The same for the socket that has just joined. */
  | { readonly type: "admit_joined" }
  /** Silence the socket that has just joined. */
  | { readonly type: "silence_joined" }
  /** Put a session in force that has another end, and tell the client unless that is the same. */
  | { readonly type: "tell_end" | "keep_end"; readonly session: Session<unknown> }
  /** Tell the client that its new session stands. */
  | { readonly type: "refresh"; readonly session: Session<unknown> }
  /** Tell the socket of the event's attempt, which was refused; it may try again. */
  | { readonly type: "tell_sender"; readonly refusal: Unauthorized }
  /** Silence all sockets, and tell them why. */
  | { readonly type: "tell"; readonly refusal: Unauthorized }
  /** Begin new sockets in the place of the silenced ones. */
  | { readonly type: "replace" }
  /** Disconnect the silenced sockets, and close the connection. */
  | { readonly type: "close" };

/** A state and what is to be done on the way there. */
export interface Transition {
  readonly state: State;
  readonly effects: readonly Effect[];
}
