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
import type { AuthenticatedInfo, Outcome, Unauthorized } from "../protocol.ts";
import { type ClientCode, failure, UnauthorizedError } from "./errors.ts";
import { type ClientSocket, createLine, isFirst, isShared, reconnects } from "./line.ts";
import {
  type Details,
  type Event,
  initial,
  type Rules,
  type SessionState,
  type State,
  transition,
} from "./machine.ts";
import type { AuthenticateOptions, ClientSession, CredentialsSource } from "./session.ts";

export {
  type AuthenticatedInfo,
  type AuthenticateOptions,
  type ClientCode,
  type ClientSession,
  type ClientSocket,
  type CredentialsSource,
  type SessionState,
  type Unauthorized,
  UnauthorizedError,
};

/** What the server sends. By their types alone, the names are those of the protocol. */
type Message =
  | typeof protocol.AUTHENTICATED
  | typeof protocol.UNAUTHORIZED
  | typeof protocol.CHALLENGE;

/** What socket.io-client tells of itself. */
type Happening = "connect" | "connect_error" | "disconnect" | "reconnect_failed";

type Handlers<Name extends string> = Record<Name, (...args: never[]) => void>;

/** Sockets that are signed out, with the id that they have until another CONNECT comes. */
const signedOut = new WeakMap<ClientSocket, string | undefined>();

/** How long after a refusal the server drops a CONNECT, and a little more, in milliseconds. */
const CLOSING = 1_100;

/** The longest time to trust a timer, in milliseconds: machines sleep, and timers with them. */
const WALL_CLOCK_CHECK = 30_000;

/**
 * Signs a socket in, and again whenever it has connected anew; refreshes its session before it
 * ends; comes back after a close that allows it, with exponential backoff and full jitter, and
 * not before the server's `retryAfter`. What the application emits while the client is not signed
 * in waits here, and follows in order.
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
 * Connects the socket if nothing else has. To be called once per socket; a server's other
 * namespaces, over the same connection, are sockets of their own. A socket that is not of
 * socket.io-client 4.6 to 4.8, or has a session already, is an error. Without `credentials`
 * nothing is sent: the server has to find them itself, in a cookie, say.
 */
// deno-lint-ignore no-explicit-any -- as in the options
export function authenticate<Reply = unknown, Challenge = any>(
  socket: ClientSocket,
  credentials?: CredentialsSource,
  options: AuthenticateOptions<Reply, Challenge> = {},
): ClientSession<Reply> {
  const { refreshMargin = 30_000, credentialsTimeout = 5_000, timeout = 35_000 } = options;
  const hasCredentials = credentials !== undefined;
  const rules: Rules = {
    refreshMargin: hasCredentials ? refreshMargin : -Infinity,
    credentialsTimeout,
    timeout,
  };

  let state = initial;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();
  /** Those who wait for the next success, be it a sign-in or a refresh. */
  const waiting: { resolve(reply: Reply): void; reject(error: unknown): void }[] = [];
  let reply: Reply;
  let info: AuthenticatedInfo;
  let wasIn = false;
  /** Counts what the application is asked, to tell an answer that is late. */
  let asked = 0;
  /** Counts what is sent: an acknowledgement may come after the next one was. */
  let sent = 0;
  /** What it has brought, until it is sent. */
  let obtained: unknown;
  let isIntroduced: boolean | undefined;
  /** Until when the server drops what comes on this transport, if it stays open. */
  let closedAt = 0;

  /** Takes a client to its next state, and does what there is to do in it. */
  function on<T extends keyof Details>(type: T, detail?: Details[T]): void {
    const before = state;
    const event = { type, detail, now: Date.now(), random: Math.random() } as Event;
    state = transition(before, event, rules);
    const isRefused = type === "refused" && before.name !== "authenticated";
    if (isRefused && isShared(socket)) closedAt = Date.now() + CLOSING;
    wait();
    if (state !== before) enter(before, state, type);
  }

  function wait(): void {
    clearTimeout(timer);
    const due = state.name === "waiting" ? Math.max(state.due, closedAt) : state.due;
    const left = Math.max(0, due - Date.now());
    if (left === Infinity) return;
    timer = left > WALL_CLOCK_CHECK
      ? setTimeout(wait, WALL_CLOCK_CHECK)
      : setTimeout(on, left, "due");
  }

  /** What is called here may already lead to the next state; the application is called later. */
  function enter(before: State, { name, credentials, error }: State, type: Event["type"]): void {
    if (credentials === "none") {
      asked++;
      isIntroduced = obtained = undefined;
    }
    listeners.forEach((listener) =>
      queueMicrotask(() => {
        if (listeners.has(listener)) listener();
      })
    );
    line.gate(name === "authenticated");
    if (credentials !== before.credentials) advance[credentials]?.();
    if (before.name === "waiting" && type === "due") socket.connect();
    if (type === "authenticated" || type === "accepted") {
      wasIn = true;
      if (credentials === "none") waiting.splice(0).forEach(({ resolve }) => resolve(reply));
      if (type === "authenticated") queueMicrotask(() => options.onAuthenticated?.(reply, info));
    }
    if (error && error !== before.error) fail(before, name, error);
  }

  function fail(before: State, name: SessionState, error: UnauthorizedError): void {
    const { code } = error;
    const isAsked = code === "stopped";
    const wasReleased = isAsked && before.name === "authenticated";
    if (name === "stopped") line.release(wasIn && !wasReleased, isAsked);
    // Whoever is signed out stays connected, and may sign in there as somebody else.
    if (code === "signed_out") signedOut.set(socket, socket.id);
    else if (name !== "authenticated" && !isAsked && socket.active) line.disconnect();
    // As long as the server allows for another try, nothing is decided.
    if (name !== "waiting" || "cause" in error) {
      waiting.splice(0).forEach(({ reject }) => reject(error));
    }
    if (!isAsked) queueMicrotask(() => options.onUnauthorized?.(error));
  }

  /** What it takes for credentials to get as far as that. */
  const advance: { [C in State["credentials"]]?: () => void } = {
    asked: () =>
      ask(
        () => typeof credentials === "function" ? credentials(state.error) : credentials,
        (answer) => void JSON.stringify(obtained = answer),
        "credentials_failed",
        true,
      ),
    ready: () => {
      isIntroduced = options.handshake && typeof obtained === "object";
      line.introduce(isIntroduced && obtained);
    },
    sent: () => {
      if (!hasCredentials) return;
      const event = "authentication" satisfies typeof protocol.AUTHENTICATION;
      const current = ++sent;
      line.emit(
        (outcome: Outcome | undefined) => {
          // Whatever else the outcome is, an event of its own says so, too.
          if (outcome?.ok && current === sent) on("accepted", outcome);
          else if (outcome?.ok === false && outcome.kept) {
            on("kept", new UnauthorizedError(outcome));
          }
        },
        event,
        obtained,
      );
    },
  };

  /** Asks the application. Its answer is late once something else is asked, or nothing is. */
  function ask(
    question: () => unknown,
    take: (answer: unknown) => void,
    code: ClientCode,
    tryAgain?: boolean,
  ): void {
    const current = ++asked;
    new Promise((resolve) => resolve(question()))
      .then((answer) => {
        if (current !== asked) return;
        take(answer);
        on("answered");
      })
      // It may also be of a kind that cannot be sent.
      .catch((cause) => {
        if (current === asked) on("refused", failure(code, cause, tryAgain));
      });
  }

  const happened: Handlers<Happening> = {
    connect: () => on("connected", isIntroduced || !isFirst(socket)),
    disconnect: (reason: string) => lose(reason, reconnects(socket)),
    reconnect_failed: () => lose("reconnect_failed", false),
    connect_error: ({ message, data }: Error & { data?: object }) => {
      const reason = { code: "connect_error", reconnect: false, ...data, message };
      if (socket.active) lose(message, reconnects(socket));
      else on("refused", new UnauthorizedError(reason));
    },
  };

  function lose(reason: string, isComingBack: boolean): void {
    on("disconnected", isComingBack ? undefined : failure("disconnected", new Error(reason)));
  }

  const received: Handlers<Message> = {
    authenticated: (answer: Reply, more: AuthenticatedInfo | undefined) => {
      reply = answer;
      info = more ?? {};
      on("authenticated", info);
    },
    unauthorized: (reason: Unauthorized | undefined) =>
      on("refused", new UnauthorizedError(reason ?? {} as Unauthorized)),
    challenge: (data: Challenge, acknowledge: (answer: unknown) => void) => {
      on("challenged");
      ask(() => options.onChallenge!(data), acknowledge, "challenge_failed");
    },
  };

  function next(): Promise<Reply> {
    const next = new Promise<Reply>((resolve, reject) => {
      if (state.name === "stopped") reject(state.error);
      else waiting.push({ resolve, reject });
    });
    // Nobody has to handle it: `onUnauthorized` is told, too.
    next.catch(() => {});
    return next;
  }

  function ready(): Promise<Reply> {
    return state.name === "authenticated" ? Promise.resolve(reply) : next();
  }

  const line = createLine(
    socket,
    () => on("opened"),
    ([name, ...args]) => happened[name as Happening]?.(...args as never[]),
    ([name, ...args]) => {
      if (Object.hasOwn(received, name as Message)) received[name as Message](...args as never[]);
    },
  );
  if (socket.connected && signedOut.get(socket) !== socket.id) happened.connect();
  else if (!socket.active) socket.connect();

  return {
    get state() {
      return state.name;
    },
    get error() {
      return state.error;
    },
    get retryAt() {
      return state.name === "waiting" ? finite(state.due) : undefined;
    },
    get expiresAt() {
      return finite(state.endsAt);
    },
    get ready() {
      return ready();
    },
    refresh() {
      if (!hasCredentials) return ready();
      const refreshed = next();
      on("refresh");
      return refreshed;
    },
    stop: () => on("stop"),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A time, if it is one that comes. */
function finite(time = Infinity): number | undefined {
  return time < Infinity ? time : undefined;
}
