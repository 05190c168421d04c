/**
 * The client's state machine: one per socket. The machine is pure: it knows no socket, no timer
 * and no clock. What a client does follows from the state that it enters; see `client.ts`.
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
 * - The client asks for credentials while `connecting`, before the server's deadline runs. Where
 *   the connection stands already, it asks while `authenticating`, and for a refresh while
 *   `authenticated`.
 * - `due` in the state says when to act if nothing else happens.
 * - The clients of several namespaces share a connection, which the server signs in as a whole. They
 *   take turns: what comes of the sign-in or refresh of one is told to all.
 *
 * @module
 */
import type { AuthenticatedInfo, Code } from "../protocol.ts";
import { failure, type UnauthorizedError } from "./errors.ts";

/** The state of a client, as a user interface can show it. */
export type SessionState =
  | "connecting"
  | "authenticating"
  | "challenged"
  | "authenticated"
  | "waiting"
  | "stopped";

/**
 * How far the credentials of an attempt have come:
 *
 * - `asked`: the application is asked for them.
 * - `queued`: it is another client's turn.
 * - `ready`: CONNECT goes, with them, or before them, or without them if another client is signed in.
 * - `sent`: the server has them. `taken`: and has asked a further question.
 */
export type Stage = "none" | "asked" | "queued" | "ready" | "sent" | "taken";

/** Where a client is. */
export interface State {
  readonly name: SessionState;
  readonly credentials: Stage;
  /** When to act if nothing else happens, in epoch milliseconds; `Infinity` for never. */
  readonly due: number;
  /** How often it has failed since a session last held. */
  readonly failures: number;
  /** Whether the client has had its second chance. */
  readonly isSecond?: boolean | undefined;
  /** When the session began and when it ends, by the client's clock; and by the server's. */
  readonly since?: number | undefined;
  readonly endsAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  /** The last error, until the client is signed in again. */
  readonly error?: UnauthorizedError | undefined;
}

/** The events of a client, and the detail of each. */
export interface Details {
  /** The transport is open, and CONNECT waits for the credentials. */
  opened: void;
  /** The namespace is connected. Whether the server may say unasked that the client is in. */
  connected: boolean;
  /** There are the credentials that were asked for. Whether they are those that were refused. */
  answered: boolean;
  authenticated: AuthenticatedInfo;
  /** The server has asked a further question. Whether it has the answer. */
  challenged: boolean;
  /** The server has refused the client or ended its session. */
  refused: UnauthorizedError;
  /** The client itself has failed. */
  failed: UnauthorizedError;
  /** The server has declined a refresh, and the session goes on. */
  kept: UnauthorizedError;
  /** The connection is lost, or cannot be had, and Socket.IO goes on trying. Why, if that is told. */
  lost: UnauthorizedError | undefined;
  /** The connection is lost, or cannot be had, and nothing tries again. */
  ended: UnauthorizedError | undefined;
  /** The application has disconnected the socket. */
  left: UnauthorizedError | undefined;
  /** The time that the state waits for has come. */
  due: void;
  refresh: void;
  stop: void;
}

/** An event with its detail. */
export type Event = { [T in keyof Details]: [type: T, detail: Details[T]] }[keyof Details];

/** The settings of a client. Times are in milliseconds. */
export interface Rules {
  refreshMargin: number;
  credentialsTimeout: number;
  timeout: number;
  /** The type of what the client's credentials come from; `undefined` if it has none. */
  source: string;
}

/** The code of credentials that may have been stale. */
const REFUSED: Code = "authentication_failed";
/** How long to wait for what the server says unasked before the credentials are sent. */
const INTRODUCTION = 200;
/** How long to wait before a client looks again whether it is its turn. */
const LOOKS = 50;
/** How long after a refusal the server closes, and a little more. */
export const CLOSING = 1_100;
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
};

/** Whether the server has the client's credentials, or is about to get them. */
export function isTrying({ credentials }: State): boolean {
  return /ready|sent|taken/.test(credentials);
}

/**
 * Computes the state of a client after an event; the same one, if that does not matter in it.
 *
 * @param isTurn Whether it is the client's turn on its connection.
 * @param now The time, in epoch milliseconds.
 * @param random A number from 0 to 1, for what is left to chance.
 */
export function transition(
  state: State,
  [type, detail]: Event,
  rules: Rules,
  isTurn: boolean,
  now: number,
  random: number,
): State {
  const { name, credentials, failures, since, error: previous, isSecond } = state;
  const isIn = name === "authenticated";

  const go = (to: Stage, wait: number, from = state): State => ({
    ...from,
    credentials: to,
    due: now + wait,
  });
  const ask = (from = state) => go("asked", rules.credentialsTimeout, from);
  const send = () => go("sent", rules.timeout);

  /** Goes on when it is the client's turn: to the server, or for a refresh to the application. */
  const take = () => {
    if (!isTurn) return go("queued", LOOKS);
    if (isIn) return ask();
    return name === "connecting" ? go("ready", Infinity) : send();
  };

  /** A client that has no session, or not any more. */
  const leave = (name: SessionState, error = previous): State => ({
    ...initial,
    name,
    failures: now - since! >= HOLDS ? 0 : failures,
    isSecond,
    error,
  });

  /** Tries again later: exponential backoff with full jitter, and not before the server likes. */
  const postpone = (from: State, error: UnauthorizedError, least = 0): State => {
    const delay = random * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** from.failures);
    return {
      ...go("none", least + (error.retryAfter ?? 0) + delay, from),
      failures: from.failures + 1,
      error,
    };
  };

  const refuse = (error: UnauthorizedError, least?: number): State => {
    const waiting = leave("waiting", error);
    if (error.reconnect) return postpone(waiting, error, least);
    // Once: what was sent may have been stale.
    if (error.code === REFUSED && !isSecond && isTrying(state)) {
      const second = { ...waiting, isSecond: true };
      if (rules.source === "function") return ask(second);
      // The request that opened the transport has the cookie of then.
      if (rules.source === "undefined" && isIn) return go("none", CLOSING, second);
    }
    return leave("stopped", error);
  };

  if (name === "stopped") return state;
  switch (type) {
    case "opened":
      return ask(leave("connecting"));
    case "connected":
      state = { ...state, name: "authenticating" };
      if (credentials !== "ready") return ask();
      return detail ? go("ready", INTRODUCTION) : send();
    case "answered":
      if (name === "waiting") {
        const isRefused = detail && previous?.code === REFUSED;
        return isRefused ? leave("stopped") : go("none", CLOSING);
      }
      return isIn ? send() : take();
    case "challenged":
      return {
        ...go("taken", detail ? rules.timeout : Infinity),
        name: isIn ? name : detail ? "authenticating" : "challenged",
      };
    case "authenticated": {
      const { expiresAt, expiresIn = Infinity } = detail;
      const session = { endsAt: expiresAt && now + expiresIn, expiresAt, error: undefined };
      // The server has shortened the session: it wants it renewed, but not all of them at once.
      const isShortened = isIn && expiresAt! < (state.expiresAt ?? Infinity);
      // What is being asked, or was sent, is of before, and goes on.
      if (isShortened && credentials !== "none") return { ...state, ...session };
      // A refresh that has gained nothing is not repeated at once, and no other either.
      const least = expiresAt! <= state.expiresAt! ? FIRST_DELAY : LEAST_DELAY;
      const wait = isShortened
        ? expiresIn * random / 2
        : Math.max(expiresIn - rules.refreshMargin, expiresIn / 2, least);
      return {
        ...go("none", wait, initial),
        ...session,
        name: "authenticated",
        failures: isIn ? 0 : failures,
        since: isIn ? since : now,
      };
    }
    case "refused":
      return refuse(detail, CLOSING);
    case "failed":
      return isIn && detail.reconnect ? postpone(state, detail) : refuse(detail);
    case "kept":
      // On this connection, the server is never going to look at those of another user.
      return isIn && detail.code === "subject_mismatch"
        ? { ...go("none", Infinity), error: detail }
        : postpone(isIn ? state : leave("waiting"), detail);
    case "lost":
    case "ended":
      return name === "waiting"
        // The server has closed, as it does behind a refusal.
        ? { ...state, due: Math.max(now, state.due - CLOSING) }
        : leave(type === "lost" ? "connecting" : "waiting", detail);
    case "left":
      return leave("waiting", detail);
    case "due":
      if (credentials === "asked") {
        // The application may still bring them.
        return {
          ...go("asked", Infinity, isIn ? state : leave("waiting")),
          error: failure("credentials_failed", "timed out, see credentialsTimeout", true),
        };
      }
      if (name === "waiting") return leave("connecting");
      return /sent|taken/.test(credentials)
        ? refuse(failure("no_answer", "timed out, see timeout", true))
        : take();
    case "refresh":
      return isIn && credentials === "none" ? take() : state;
    case "stop":
      return leave("stopped", failure("stopped"));
  }
}
