import type { Unauthorized } from "../protocol.ts";

/** The members of every event that say where it happened. */
export interface Origin {
  /** `socket.id`. */
  readonly socketId: string;
  /** The name of the socket's namespace. */
  readonly namespace: string;
  /** The client's address, from the option `address` or from the engine. */
  readonly address?: string;
}

/** A socket was connected, and is not authenticated. */
export interface PendingEvent extends Origin {
  /** Tells events apart. */
  readonly type: "pending";
}

/** The verifier has accepted an attempt. */
export interface AcceptedEvent extends Origin {
  /** Tells events apart, together with `ok`. */
  readonly type: "attempt";
  /** Tells accepted attempts from refused ones. */
  readonly ok: true;
  /** The user's id, if it is known. */
  readonly userId?: string;
  /** Milliseconds from the arrival of the credentials to the outcome. */
  readonly duration: number;
  /** Milliseconds that the verifier took, challenges excluded; absent if it was not asked. */
  readonly verification?: number;
}

/** An attempt was refused, by the verifier or before it, or has ended without an answer. */
export interface RefusedEvent extends Origin {
  /** Tells events apart, together with `ok`. */
  readonly type: "attempt";
  /** Tells accepted attempts from refused ones. */
  readonly ok: false;
  /** The code of the refusal; `"abandoned"` if the client left before there was an answer. */
  readonly code: Unauthorized["code"];
  /** Milliseconds from the arrival of the credentials to the outcome. */
  readonly duration: number;
  /** Milliseconds that the verifier took, challenges excluded; absent if it was not asked. */
  readonly verification?: number;
}

/** A socket was admitted, or its session was refreshed. */
export interface AuthenticatedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "authenticated" | "refreshed";
  /** The user's id, if it is known. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/** A socket was refused, or its session was ended by the server. */
export interface UnauthorizedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "unauthorized";
  /** The code that the client was told. */
  readonly code: Unauthorized["code"];
  /** The id of the user who was signed in until then, if it is known. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/** The session of a socket has ended. */
export interface SessionEndedEvent extends Origin {
  /** Whether the session expired, was ended by `revoke`, or by `deauthenticate`. */
  readonly type: "expired" | "revoked" | "signed_out";
  /** The user's id, if it is known. */
  readonly userId?: string;
  /** The length of the session, in milliseconds. */
  readonly duration: number;
}

/** A socket has disconnected, authenticated or not. */
export interface DisconnectedEvent extends Origin {
  /** Tells events apart. */
  readonly type: "disconnected";
  /** The reason that Socket.IO gives. */
  readonly reason: string;
  /** The id of the user who was signed in until then, if it is known. */
  readonly userId?: string;
  /** Milliseconds since the socket was connected. */
  readonly duration: number;
}

/**
 * An event for the option `observe`. There is one event for each socket concerned. `type` is
 * stable; new types and members may be added. No event has credentials or users in it.
 */
export type AuthEvent =
  | PendingEvent
  | AcceptedEvent
  | RefusedEvent
  | AuthenticatedEvent
  | UnauthorizedEvent
  | SessionEndedEvent
  | DisconnectedEvent;

/** An event without the members that say where it happened. */
export type Happening = AuthEvent extends infer E
  ? E extends unknown ? Omit<E, keyof Origin> : never
  : never;
