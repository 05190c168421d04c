/**
 * The client's state machine: one per socket. It is pure: it knows no socket, no timer and no
 * clock. What there is to do follows from the state that a client enters; see `client.ts`.
 *
 * ```text
 *                 connected                 authenticated
 *   connecting ─────────────▶ authenticating ───────────▶ authenticated ─┐
 *     ▲    ▲                    │      ▲ ▲                      │   ▲    │ refresh
 *     │    │          challenged│      │ │answered              │   └────┘
 *     │    │                    ▼      │ │                      │
 *     │    │                  challenged─┘                      │
 *  due│    │ connection lost                                    │
 *     │    └────────────────────────────────────────────────────┤
 *     │                                                         │
 *   waiting ◀──────────── refused, and may come back ───────────┤
 *   stopped ◀──────────── refused, or told to stop ─────────────┘
 * ```
 *
 * - Credentials are asked for while `connecting`, before the server's deadline runs; where the
 *   connection stands already, while `authenticating`; and for a refresh while `authenticated`.
 * - What is to happen if nothing else does is in the state, too: `due` says when.
 *
 * @module
 */
import type { AuthenticatedInfo } from "../protocol.ts";
import { failure, type UnauthorizedError } from "./errors.ts";

/** What a user interface can show of a client. */
export type SessionState =
  | "connecting"
  | "authenticating"
  | "challenged"
  | "authenticated"
  | "waiting"
  | "stopped";

/** Where a client is. */
export interface State {
  readonly name: SessionState;
  /** How far the credentials of this attempt have come; `taken` if the server has a question. */
  readonly credentials: "none" | "asked" | "ready" | "sent" | "taken";
  /** When to act if nothing else happens, in epoch milliseconds; `Infinity` for never. */
  readonly due: number;
  /** How often it has failed since a session last held. */
  readonly failures: number;
  /** Whether this follows on a session, or on credentials, that had expired. */
  readonly renews: boolean;
  /** When the session began and when it ends, by the client's clock; and by the server's. */
  readonly since?: number | undefined;
  readonly endsAt?: number;
  readonly expiresAt?: number | undefined;
  /** What went wrong last, until the client is signed in again. */
  readonly error?: UnauthorizedError | undefined;
}

/** What happens to a client, and what is to be known of it. */
export interface Details {
  /** The transport is open, and CONNECT waits for the credentials. */
  opened: void;
  /** The namespace is connected. Whether the server may say unasked that the client is in. */
  connected: boolean;
  /** The application has brought credentials, or answered a challenge. */
  answered: void;
  authenticated: AuthenticatedInfo;
  /** What was sent has been accepted, says its acknowledgement. */
  accepted: AuthenticatedInfo;
  challenged: void;
  /** The server has refused the client or ended its session; or the client has failed. */
  refused: UnauthorizedError;
  /** The server has declined a refresh, and the session goes on. */
  kept: UnauthorizedError;
  /** With an error if nobody is going to reconnect. */
  disconnected: UnauthorizedError | undefined;
  /** What the state waits for is due. */
  due: void;
  refresh: void;
  stop: void;
}

/** One of them, when it happens, and a number from 0 to 1 for what is left to chance. */
export type Event = {
  [T in keyof Details]: { type: T; detail: Details[T]; now: number; random: number };
}[keyof Details];

/** What stays the same for a client. Times are in milliseconds. */
export interface Rules {
  refreshMargin: number;
  credentialsTimeout: number;
  timeout: number;
}

/** How long to wait for what the server says unasked before the credentials are sent. */
const INTRODUCTION = 200;
/** The shortest time between two refreshes. */
const LEAST_DELAY = 100;
/** The longest delay before the first retry, and before any. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
/** A session that ends sooner than this counts as a failure, too. */
const HOLDS = 5_000;

export const initial: State = {
  name: "connecting",
  credentials: "none",
  due: Infinity,
  failures: 0,
  renews: false,
};

/** Computes the state of a client after `event`; the same one, if that does not matter in it. */
export function transition(state: State, event: Event, rules: Rules): State {
  const { name, credentials, failures, renews, since, error: previous } = state;
  const { now, random } = event;
  const isIn = name === "authenticated";

  const ask = (state: State): State => ({
    ...state,
    credentials: "asked",
    due: now + rules.credentialsTimeout,
  });
  const send = (state: State): State => ({
    ...state,
    credentials: "sent",
    due: now + rules.timeout,
  });

  /** A client that has no session, or not any more. */
  const leave = (name: SessionState, error = previous): State => ({
    ...initial,
    name,
    failures: now - since! >= HOLDS ? 0 : failures,
    renews,
    error,
  });

  /** Tries again later: exponential backoff with full jitter, and not before the server likes. */
  const postpone = (state: State, error: UnauthorizedError): State => {
    const { failures } = state;
    const delay = random * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures);
    const due = now + Math.max(0, Number(error.retryAfter) || 0) + delay;
    return { ...state, credentials: "none", due, failures: failures + 1, error };
  };

  const refuse = (error: UnauthorizedError): State => {
    // A refresh that finds no credentials leaves the session as it is; the next one may find some.
    if (isIn && error.code === "credentials_failed") return postpone(state, error);
    // Once, and with fresh credentials, whatever the server says: those may have been stale.
    const isExpired = error.code === "expired";
    return (isExpired ? !renews : error.reconnect)
      ? { ...postpone(leave("waiting"), error), renews: renews || isExpired }
      : leave("stopped", error);
  };

  /** The server has looked at nothing. Another user can only sign in on another connection. */
  const keep = (error: UnauthorizedError): State => {
    if (!isIn) return postpone(leave("waiting"), error);
    return error.code === "subject_mismatch"
      ? { ...state, credentials: "none", due: Infinity, error }
      : postpone(state, error);
  };

  if (name === "stopped") return state;
  const isSent = credentials === "sent" || credentials === "taken";
  // An `authenticated` has said so already, unless it has said something else.
  if (event.type === "accepted" && !(isIn && isSent)) return state;
  switch (event.type) {
    case "opened":
      return ask(leave("connecting"));
    case "connected":
      state = { ...state, name: "authenticating" };
      if (credentials !== "ready") return ask(state);
      return event.detail ? { ...state, due: now + INTRODUCTION } : send(state);
    case "answered":
      if (credentials === "taken") {
        return { ...state, name: isIn ? name : "authenticating", due: now + rules.timeout };
      }
      if (credentials !== "asked") return state;
      return name === "connecting"
        ? { ...state, credentials: "ready", due: Infinity }
        : send(state);
    case "challenged":
      return { ...state, name: isIn ? name : "challenged", credentials: "taken", due: Infinity };
    case "accepted":
    case "authenticated": {
      const { expiresAt, expiresIn: given } = event.detail;
      // Either alone may be anything.
      const expiresIn = [expiresAt, given].every(Number.isFinite) ? given! : Infinity;
      // A refresh that has gained nothing is not repeated at once, and no other either.
      const isVain = expiresAt! <= state.expiresAt!;
      const least = isIn ? isVain ? FIRST_DELAY : LEAST_DELAY : 0;
      // The server has shortened the session: it wants it renewed, but not all of them at once.
      const isShortened = isIn && event.type === "authenticated" &&
        expiresAt! < (state.expiresAt ?? Infinity) && rules.refreshMargin > -Infinity;
      // What is being asked, or was sent, is of before, and goes on.
      if (isShortened && credentials !== "none") {
        return { ...state, endsAt: now + expiresIn, expiresAt, error: undefined };
      }
      const part = isShortened ? random / 2 : 1 / 2;
      const margin = isShortened ? Infinity : rules.refreshMargin;
      return {
        ...initial,
        name: "authenticated",
        due: now + Math.max(expiresIn - margin, expiresIn * part, isShortened ? 0 : least),
        failures: isIn ? 0 : failures,
        since: isIn ? since : now,
        endsAt: now + expiresIn,
        expiresAt,
      };
    }
    case "refused":
      return refuse(event.detail);
    case "kept":
      return isSent ? keep(event.detail) : state;
    case "disconnected":
      return event.detail ? leave("waiting", event.detail) : leave("connecting");
    case "due":
      if (name === "waiting") return leave("connecting");
      if (credentials === "none") return ask(state);
      if (credentials === "ready") return send(state);
      return refuse(
        failure(
          credentials === "asked" ? "credentials_failed" : "no_answer",
          new Error("timed out"),
          true,
        ),
      );
    case "refresh":
      return isIn && credentials === "none" ? ask(state) : state;
    case "stop":
      return leave("stopped", failure("stopped"));
  }
}
