import type { Unauthorized } from "../protocol.ts";

/** What every event says: where it happened. */
export interface Origin {
  /** `socket.id`. */
  readonly socketId: string;
  /** The name of the socket's namespace. */
  readonly namespace: string;
  /** The client's address, as the option `address` or else the engine tells it. */
  readonly address?: string;
}

/** A socket has been connected, and is not authenticated. */
export interface PendingEvent extends Origin {
  /** Tells events apart. */
  readonly type: "pending";
}

/** The verifier has said yes. */
export interface AcceptedEvent extends Origin {
  /** Tells events apart, together with `ok`. */
  readonly type: "attempt";
  /** Tells events apart. */
  readonly ok: true;
  /** The user's id, where there is one. */
  readonly userId?: string;
  /** Milliseconds from the arrival of the credentials to the answer. */
  readonly duration: number;
  /** Milliseconds of it that the verifier took, challenges apart; absent if it was not asked. */
  readonly verification?: number;
}

/** An attempt has failed: by the verifier, before it was asked, or without an answer. */
export interface RefusedEvent extends Origin {
  /** Tells events apart, together with `ok`. */
  readonly type: "attempt";
  /** Tells events apart. */
  readonly ok: false;
  /** Why; `"abandoned"` if the client has left before there was an answer. */
  readonly code: Unauthorized["code"];
  /** Milliseconds from the arrival of the credentials to the answer. */
  readonly duration: number;
  /** Milliseconds of it that the verifier took, challenges apart; absent if it was not asked. */
  readonly verification?: number;
}

/** A socket has been admitted, or its user has a new session. */
export interface AuthenticatedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "authenticated" | "refreshed";
  /** The user's id, where there is one. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/** A socket has been refused, or cut. */
export interface UnauthorizedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "unauthorized";
  /** Why. */
  readonly code: Unauthorized["code"];
  /** The id of the user who was signed in until then, where there is one. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/** The session of a socket has come to its end. */
export interface SessionEndedEvent extends Origin {
  /** By its own time, by `revoke`, or by `deauthenticate`. */
  readonly type: "expired" | "revoked" | "signed_out";
  /** The user's id, where there is one. */
  readonly userId?: string;
  /** How long the session lasted, in milliseconds. */
  readonly duration: number;
}

/** A socket is gone, authenticated or not. */
export interface DisconnectedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "disconnected";
  /** Socket.IO's own. */
  readonly reason: string;
  /** The id of the user who was signed in until then, where there is one. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/**
 * What `observe` is told. There is one event for each socket that something
 * happens to, told apart by `type`, which is stable. New types and fields may
 * be added. Credentials and users are in none of them.
 */
export type AuthEvent =
  | PendingEvent
  | AcceptedEvent
  | RefusedEvent
  | AuthenticatedEvent
  | UnauthorizedEvent
  | SessionEndedEvent
  | DisconnectedEvent;

/** An event without where it happened, which its socket knows. */
export type Happening = AuthEvent extends infer E
  ? E extends unknown ? Omit<E, keyof Origin> : never
  : never;
