import type { Unauthorized } from "./protocol.ts";

/** Where something happened. */
export interface Origin {
  /** `socket.id`. */
  readonly socketId: string;
  /** The name of the socket's namespace. */
  readonly namespace: string;
  /** The client's address, as the option `address` or else the runtime tells it. */
  readonly address?: string;
}

/** Whose session it is about, where that is known. */
interface Whose {
  /** What the option `userId` says. */
  readonly userId?: string;
}

/** How long it took or lasted. */
interface Lasting {
  /** Milliseconds; of what, each event says. */
  readonly duration: number;
}

/** A socket has been connected, and is not authenticated. */
export interface PendingEvent extends Origin {
  readonly type: "pending";
}

/** The verifier has answered; `duration` is how long it took. */
export type AttemptEvent =
  & Origin
  & Lasting
  & (
    | ({ readonly type: "attempt"; readonly ok: true } & Whose)
    | {
      readonly type: "attempt";
      readonly ok: false;
      /** Why not. */
      readonly code: Unauthorized["code"];
    }
  );

/** A socket has been admitted; `duration` since it was connected. */
export interface AuthenticatedEvent extends Origin, Whose, Lasting {
  readonly type: "authenticated";
}

/** The user has a new session; `duration` since the socket was connected. */
export interface RefreshedEvent extends Origin, Whose, Lasting {
  readonly type: "refreshed";
}

/** A socket has been refused, or cut; `duration` since it was connected. */
export interface UnauthorizedEvent extends Origin, Whose, Lasting {
  readonly type: "unauthorized";
  /** Why. */
  readonly code: Unauthorized["code"];
}

/** The session of a socket has come to its end; `duration` of that session. */
export interface SessionEndedEvent extends Origin, Whose, Lasting {
  /** By its own time, by `revoke`, or by `deauthenticate`. */
  readonly type: "expired" | "revoked" | "signed_out";
}

/** A socket is gone, authenticated or not; `duration` since it was connected. */
export interface DisconnectedEvent extends Origin, Whose, Lasting {
  readonly type: "disconnected";
  /** Socket.IO's own. */
  readonly reason: string;
}

/**
 * What `observe` is told. There is one event for each socket that something
 * happens to; told apart by `type`, which is stable. New types and fields may
 * be added. Credentials and users are in none of them.
 */
export type AuthEvent =
  | PendingEvent
  | AttemptEvent
  | AuthenticatedEvent
  | RefreshedEvent
  | UnauthorizedEvent
  | SessionEndedEvent
  | DisconnectedEvent;

/** An event without where it happened, which its socket knows. */
export type Happening = AuthEvent extends infer E
  ? E extends unknown ? Omit<E, keyof Origin> : never
  : never;
