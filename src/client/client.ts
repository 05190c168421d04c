/**
 * The client's side, for socket.io-client in browsers and on every runtime: signs in, stays
 * signed in, and keeps what the application emits until it is.
 *
 * ```ts
 * import { io } from "socket.io-client";
 * import { authenticate } from "@socketio-auth/socketio-auth/client";
 *
 * const socket = io("http://localhost:3000");
 * const session = authenticate(socket, () => ({ token: getToken() }));
 * socket.emit("chat", "hello"); // waits until the client is signed in
 * await session.ready;
 * ```
 *
 * @module
 */
import type * as protocol from "../protocol.ts";
import type { AuthenticatedInfo, Unauthorized } from "../protocol.ts";
import { type ClientCode, failure, UnauthorizedError } from "./errors.ts";
import { createLine, taken } from "./line.ts";
import {
  CLOSING,
  type Details,
  type Event,
  initial,
  isTrying,
  type SessionState,
  type State,
  transition,
} from "./machine.ts";
import { readOptions } from "./options.ts";
import type {
  AuthenticateOptions,
  ClientSession,
  ClientSocket,
  CredentialsSource,
  Question,
} from "./session.ts";

export {
  type AuthenticatedInfo,
  type AuthenticateOptions,
  type ClientCode,
  type ClientSession,
  type ClientSocket,
  type CredentialsSource,
  type Question,
  type SessionState,
  type Unauthorized,
  UnauthorizedError,
};

/** The server's events. By their types alone, the names are those of the protocol. */
type Message =
  | typeof protocol.AUTHENTICATED
  | typeof protocol.UNAUTHORIZED
  | typeof protocol.CHALLENGE;

/** The events of socket.io-client itself. */
type Happening = "open" | "connect" | "connect_error" | "disconnect" | "reconnect_failed";

type Handlers<Name extends string> = Record<Name, (...args: never[]) => void>;

/** The knowledge that the clients of a connection share. Their sockets stand for them. */
interface Shared {
  /** The client whose turn it is, or was last, and until when the others wait for it. */
  owner?: ClientSocket;
  until?: number;
  /** The clients that are signed in, and for each the client that has sent the credentials. */
  readonly members: Map<ClientSocket, ClientSocket | undefined>;
  /** A session that was stopped while it was signed in: its credentials, and who had sent them. */
  former?: { credentials: unknown; owner: ClientSocket | undefined };
  /** The sender of credentials in whose place there are others on the next transport. */
  replaced?: ClientSocket | undefined;
  /** Until when the server drops what comes: it has refused a client, and closes. */
  closing?: number;
}

/** By transport: on the next one, all begin again. */
const shares = new WeakMap<object, Shared>();

function shareOf(transport: object): Shared {
  return shares.get(transport) ?? shares.set(transport, { members: new Map() }).get(transport)!;
}

/**
 * How long others wait for a client whose turn it is, and for how long an `unauthorized` that
 * answers nothing may have to do with what follows it, in milliseconds.
 */
const MOMENT = 2_000;

/** The longest time to trust a timer, in milliseconds: machines sleep, and timers with them. */
const WALL_CLOCK_CHECK = 30_000;

/**
 * Signs a socket in whenever it has connected, and refreshes the session before its end. After a
 * close that allows it, the client comes back: with exponential backoff and full jitter, and not
 * before the server's `retryAfter`. What the application emits while the client is not signed in
 * waits here, and follows in order.
 *
 * ```ts
 * import { authenticate } from "@socketio-auth/socketio-auth/client";
 *
 * const session = authenticate(socket, async () => ({ token: await getToken() }), {
 *   onUnauthorized: ({ code, message }) => console.log(code, message),
 * });
 * await session.ready;
 * ```
 *
 * The function connects the socket if nothing else has. Call it once for each socket: every
 * namespace of a connection has a socket of its own. Without `credentials`, the server has to find
 * them itself, for example in a cookie.
 *
 * @throws {TypeError} if `socket` is not one of socket.io-client 4.6 to 4.8, if an option is unknown
 * or of the wrong kind, or if `credentials` are a primitive value and `handshake` is set
 * @throws {RangeError} if a time is negative or NaN
 * @throws {Error} if the socket has a session already
 */
// deno-lint-ignore no-explicit-any -- as in the options
export function authenticate<Reply = unknown, Challenge = any>(
  socket: ClientSocket,
  credentials?: CredentialsSource,
  options: AuthenticateOptions<Reply, Challenge> = {},
): ClientSession<Reply> {
  const { onAuthenticated, onUnauthorized, onChallenge, ...rules } = readOptions(
    credentials,
    options,
  );

  let state = initial;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();
  /** The outcome of the next sign-in or refresh. `settle` is called with an error if it fails. */
  let next: Promise<Reply>;
  let settle: (error?: UnauthorizedError) => void;
  let reply: Reply;
  let info: AuthenticatedInfo | undefined;
  const stopping = new AbortController();
  /** Whether the application is at work on credentials. */
  let isAsking = false;
  /** The answer of the application, until it is used; and the one that was sent last. */
  let answer: { value: unknown; text: string } | undefined;
  let sent: typeof answer;
  let isIntroduced = false;
  /** An `unauthorized` that answers nothing: the application's own, unless the server closes. */
  let word: { error: UnauthorizedError; at: number } | undefined;

  /** Takes a client to its next state, and does what there is to do in it. */
  function on<T extends keyof Details>(type: T, detail?: Details[T]): void {
    const before = state;
    const isTurn = share.owner === socket || !isBusy() || isJoining();
    const event = [type, detail] as Event;
    state = transition(before, event, rules, isTurn, Date.now(), Math.random());
    if (state !== before) enter(before, state, type);
  }

  /** Acts if that is due; called with every packet, too, since timers of hidden pages are late. */
  function act(): void {
    if (state.due <= Date.now()) on("due");
  }

  function wait(): void {
    clearTimeout(timer);
    if (state.due < Infinity) {
      timer = setTimeout(() => {
        wait();
        act();
      }, Math.max(0, Math.min(state.due - Date.now(), WALL_CLOCK_CHECK)));
    }
  }

  /** Acts on a state. A call may already lead to the next one; the application is called later. */
  function enter(before: State, { name, credentials, error }: State, type: Event[0]): void {
    const isIn = name === "authenticated";
    wait();
    // What was sent is not sent again.
    if (isTrying(before) ? /none|asked/.test(credentials) : isIn && credentials === "none") {
      answer = undefined;
    }
    for (const listener of listeners) {
      queueMicrotask(() => listeners.has(listener) && listener());
    }
    if (type === "authenticated") {
      share.members.set(socket, share.owner);
      if (before.credentials === "ready") endTurn();
      if (credentials === "none") settle();
      queueMicrotask(() => {
        if (state.name !== "stopped") onAuthenticated(reply as never, info!);
      });
    } else if (credentials === "none") endTurn();
    line.gate(isIn);
    if (credentials !== before.credentials) advance[credentials]?.();
    if (name === "stopped") {
      stop(before, type === "stop");
      settle(error);
    }
    if (!isIn) share.members.delete(socket);
    // What the server has refused it closes itself: a DISCONNECT would cross with its own.
    if (
      name === "waiting" &&
      (type === "lost" || type !== "refused" && before.name !== name)
    ) line.disconnect();
    if (name === "connecting" && credentials === "none" && before.name === "waiting") {
      line.disconnect();
      socket.connect();
    }
    if (error && error !== before.error) {
      // As long as another try is to come, nothing is decided.
      if (isIn || name === "waiting" && "cause" in error) settle(error);
      if (type !== "stop") queueMicrotask(() => onUnauthorized(error));
    }
  }

  function stop(before: State, isAsked: boolean): void {
    const isHere = isAsked && before.name === "authenticated";
    if (isHere || isAsked && isTrying(before)) {
      share.former = { credentials, owner: share.members.get(socket) ?? share.owner };
    }
    stopping.abort();
    line.release(!!info && !isHere, isAsked);
  }

  /** Has the others wait. */
  function takeTurn(): void {
    share.owner = socket;
    share.until = Date.now() + MOMENT;
  }

  function endTurn(): void {
    if (share.owner === socket) share.until = 0;
  }

  /** Whether others are signed in. A client that joins them does not sign in. */
  function isJoining(): boolean {
    return share.members.size > 0 && !share.members.has(socket);
  }

  /** Whether a client, which may be this one, is at work on the sign-in or refresh of all. */
  function isBusy(): boolean {
    return share.until! > Date.now();
  }

  /** The server has refused this client, or has ended its session, and closes. */
  function refuse(reason: object): void {
    share.closing = Date.now() + CLOSING;
    on("refused", new UnauthorizedError(reason));
    // If it closes without a DISCONNECT, Socket.IO would connect again.
    setTimeout(() => {
      if (socket.active && !socket.connected && !taken.has(socket)) socket.disconnect();
    });
  }

  /** The steps that take credentials as far as their stage says. */
  const advance: { [C in State["credentials"]]?: () => void } = {
    async asked() {
      if (state.name === "authenticated") takeTurn();
      if (answer) return bring();
      if (isAsking) return;
      isAsking = true;
      let error;
      try {
        const value = await (typeof credentials === "function"
          ? credentials({
            signal: stopping.signal,
            reason: state.error,
            attempt: state.failures + 1,
          })
          : credentials);
        // It may be of a kind that cannot be sent.
        answer = { value, text: JSON.stringify(value) };
      } catch (cause) {
        error = failure("credentials_failed", cause, Object(cause).reconnect !== false);
      }
      isAsking = false;
      bring(error);
    },
    ready() {
      const { value } = sent = answer!;
      isIntroduced = rules.handshake && !isJoining() && Object(value) === value;
      if (!isJoining()) takeTurn();
      line.introduce(isIntroduced && value);
    },
    sent() {
      const current = sent = answer!;
      takeTurn();
      line.emit(
        (outcome) => {
          const { ok, kept, code } = Object(outcome);
          // The refresh of another namespace takes longer than this one has waited.
          const isOvertaken = state.name === "authenticated" && code === "attempt_in_progress";
          // Whatever else the outcome is, an event of its own says so, too.
          if (ok === true) {
            // That event was taken for the server's wish to have the session renewed.
            if (current === answer) on("authenticated", info ?? {});
            endTurn();
          } else if (current === answer && (kept === true || isOvertaken)) {
            on("kept", new UnauthorizedError(outcome));
          }
        },
        "authentication" satisfies typeof protocol.AUTHENTICATION,
        current.value,
      );
    },
  };

  /** Goes on with what the application has brought, which is kept for later if it comes late. */
  function bring(error?: UnauthorizedError): void {
    if (state.name === "authenticated" && state.credentials === "none") answer = undefined;
    if (state.credentials !== "asked") return;
    if (error) on("failed", error);
    else on("answered", answer!.text === sent?.text);
  }

  const happened: Handlers<Happening> = {
    open() {
      share = shareOf(line.transport);
      on("opened");
    },
    connect() {
      const said = lastWord();
      if (said) on("refused", said);
      else on("connected", isIntroduced || isJoining() || rules.source === "undefined");
    },
    disconnect(reason: string) {
      const { replaced } = share;
      const isReplaced = replaced && share.members.get(socket) === replaced;
      const said = isReplaced ? { code: "subject_mismatch" } : lastWord();
      if (said) refuse(said);
      lose("disconnected", reason);
    },
    reconnect_failed: () => lose("disconnected", "reconnect_failed", false),
    connect_error({ message, data }: Error & { data?: object }) {
      if (!socket.active) refuse({ code: "connect_error", ...data, message });
      else if (state.error?.code !== "connect_error") lose("connect_error", message);
    },
  };

  /** Takes what an `unauthorized` has said that nothing but this has followed. */
  function lastWord(): UnauthorizedError | undefined {
    const said = word;
    word = undefined;
    return said && Date.now() - said.at < MOMENT ? said.error : undefined;
  }

  function lose(
    code: "disconnected" | "connect_error",
    reason: string,
    isTrying = line.reconnects,
  ): void {
    const isTold = !isTrying || code === "connect_error";
    const type = reason === "io client disconnect" ? "left" : isTrying ? "lost" : "ended";
    on(type, isTold ? failure(code, reason) : undefined);
  }

  /** Whether the server is to say something. */
  function isAwaited(): boolean {
    return state.name !== "authenticated" || isTrying(state);
  }

  const received: Handlers<Message> & { __proto__: null } = {
    __proto__: null,
    authenticated(answer: Reply, more: AuthenticatedInfo | undefined) {
      const { expiresAt, expiresIn } = Object(more);
      const hasEnd = Number.isFinite(expiresAt) && Number.isFinite(expiresIn);
      // A refresh of another namespace is awaited, too.
      if (!hasEnd && !isAwaited() && !isBusy()) return;
      reply = answer;
      info = hasEnd ? { expiresAt, expiresIn } : {};
      on("authenticated", info);
    },
    unauthorized(reason: Unauthorized | undefined) {
      if (isAwaited() && typeof reason?.code === "string") refuse(reason);
      else word = { error: new UnauthorizedError(reason), at: Date.now() };
    },
    async challenge(data: Challenge, acknowledge: (answer: unknown) => void) {
      if (!isTrying(state) || typeof acknowledge !== "function") return;
      on("challenged", false);
      const current = answer;
      try {
        const given = await onChallenge(data);
        if (current !== answer) return;
        acknowledge(given);
        on("challenged", true);
      } catch (cause) {
        if (current === answer) on("failed", failure("challenge_failed", cause));
      }
    },
  };

  /** Begins to wait for the next sign-in or refresh. The outcome of the last one stays. */
  function expect(): void {
    next = new Promise((resolve, reject) => {
      settle = (error) => {
        if (error) reject(error);
        else resolve(reply);
        if (state.name !== "stopped") expect();
      };
    });
    // The rejection need not be handled: `onUnauthorized` is told, too.
    next.catch(() => {});
  }

  const line = createLine(
    socket,
    happened,
    ([name, ...args]) => {
      word = undefined;
      received[name as Message]?.(...args as never[]);
    },
    act,
  );
  expect();
  let share = shareOf(line.transport);
  const { former, closing } = share;
  if (former && !(isJoining() && former.credentials === credentials)) {
    share.replaced = former.owner;
    line.renew();
  } else if (closing! > Date.now()) {
    state = { ...initial, name: "waiting", due: closing! };
    wait();
  } else if (socket.connected) happened.connect();
  else if (!socket.active) socket.connect();

  return {
    get state() {
      return state.name;
    },
    get error() {
      return state.error;
    },
    get retryAt() {
      return state.name === "waiting" && state.due < Infinity ? state.due : undefined;
    },
    get expiresAt() {
      return state.endsAt;
    },
    get ready() {
      return state.name === "authenticated" ? Promise.resolve(reply) : next;
    },
    refresh() {
      const refreshed = next;
      on("refresh");
      return refreshed;
    },
    stop() {
      listeners.clear();
      on("stop");
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
