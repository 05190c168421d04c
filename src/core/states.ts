/**
 * The vocabulary of the state machine: what a connection can be, what can
 * happen to it, and what is to be done about it.
 *
 * @module
 */
import type { Declined, Unauthorized } from "../protocol.ts";
import type { RevocationTarget, Session, Subject } from "./session.ts";

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
    /** Whose connection it was, if it was recovered: only they may have it. */
    readonly previous?: Previous | undefined;
  }
  | {
    readonly phase: "authenticated";
    readonly attempt: number;
    readonly failures: number;
    readonly session: Session<unknown>;
    /** When the attempt began that the session came of, by the monotonic clock. */
    readonly since: number;
  };

/** Whose session a lost connection had; when it began, and the connection's id, where known. */
export type Previous = Subject & {
  readonly since?: number | undefined;
  readonly connection?: string | undefined;
};

/** What can happen to a connection. */
export type Event =
  /**
   * A socket of the connection has joined a namespace. If it was recovered,
   * `previous` says whose it was.
   */
  | { readonly type: "joined"; readonly previous?: Previous | undefined }
  /** The client sent credentials, `previous` as in "joined". */
  | {
    readonly type: "credentials";
    readonly attempt: number;
    readonly previous?: Previous | undefined;
  }
  /** The verifier said yes; the attempt began at `since`. */
  | {
    readonly type: "accepted";
    readonly attempt: number;
    readonly session: Session<unknown>;
    readonly since: number;
  }
  /** The verifier said no, or failed. */
  | { readonly type: "refused"; readonly attempt: number; readonly refusal: Unauthorized }
  /** The socket that sent the credentials is gone before they were judged. */
  | { readonly type: "abandoned"; readonly attempt: number; readonly byClient: boolean }
  /** The verifier asked the client a further question. */
  | { readonly type: "challenged"; readonly attempt: number }
  /** The client answered it, or its time is over. */
  | { readonly type: "answered"; readonly attempt: number }
  /** The time to authenticate is over. */
  | { readonly type: "deadline"; readonly refusal: Unauthorized }
  /** The session's own time is over. */
  | { readonly type: "expired" }
  /** The application signed the client out, which stays connected. */
  | { readonly type: "signed_out" }
  /** The sessions of a user, or one session, that began until `at` are no longer good. */
  | { readonly type: "revoked"; readonly target: RevocationTarget; readonly at: number }
  /** The server ends the connection: a limit was passed, something failed. */
  | { readonly type: "ended"; readonly refusal: Unauthorized }
  /** The last socket has left, and the transport lives. */
  | { readonly type: "deserted" }
  /** The transport is gone. */
  | { readonly type: "gone" };

/** What is to be done, in order. */
export type Effect =
  /** Give the credentials of the event to the verifier. */
  | { readonly type: "verify" }
  /** Tell the sender of the event that its credentials are not looked at. */
  | { readonly type: "decline"; readonly refusal: Declined }
  /** Stop the attempt in flight, if any; whatever it answers from now on is late. */
  | { readonly type: "abort"; readonly refusal?: Unauthorized }
  /** (Re)start the deadline. */
  | { readonly type: "start_deadline"; readonly ms: number }
  /** Suspend the deadline while a challenge is open. */
  | { readonly type: "pause_deadline" }
  /** Let it run on with what was left of it. */
  | { readonly type: "resume_deadline" }
  /** Watch for the end of the session. */
  | { readonly type: "start_expiry"; readonly at: number }
  /** Stop whichever of the two runs. */
  | { readonly type: "stop_timer" }
  /** Open the gate of every socket, tell the client, run the hooks. */
  | { readonly type: "admit"; readonly session: Session<unknown> }
  /** The same for the socket that has just joined. */
  | { readonly type: "admit_joined" }
  /** Tell the client that its new session stands. */
  | { readonly type: "refresh"; readonly session: Session<unknown> }
  /** Tell the client that this attempt failed; it may try again. */
  | { readonly type: "refuse"; readonly refusal: Unauthorized }
  /** Tell the client why, end its sockets, and begin new ones in their place. */
  | { readonly type: "replace"; readonly refusal: Unauthorized }
  /** Tell the client why, and disconnect it at once. */
  | { readonly type: "end"; readonly refusal: Unauthorized };

/** A state and what is to be done on the way there. */
export interface Transition {
  readonly state: State;
  readonly effects: readonly Effect[];
}
