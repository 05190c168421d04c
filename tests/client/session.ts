import {
  io as connect,
  type ManagerOptions,
  type Socket,
  type SocketOptions,
} from "socket.io-client";
import {
  authenticate,
  type AuthenticateOptions,
  type ClientSession,
  type CredentialsSource,
  type SessionState,
} from "../../src/client/client.ts";
import { onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import type { Place } from "../kit/targets.ts";

/** Right credentials, for the verifier of the kit. */
export const ada = { username: "ada", password: "right" };

/**
 * What identifies the users of the kit, for a world in which one signs in on a session that is
 * there: without it that is declined.
 */
export const userId = (user: { name: string }): string => user.name;

/** A client of `./client`, with everything that happens to it. */
export interface TestClient {
  readonly socket: Socket;
  readonly session: ClientSession;
  /** States, in order; `onAuthenticated` as `in`, `onUnauthorized` as `out`, and each event. */
  readonly events: EventQueue;
}

interface Settings extends AuthenticateOptions {
  readonly path?: string;
  readonly client?: Partial<ManagerOptions & SocketOptions>;
}

/** A socket that the test has to itself, which tries to reconnect at once. */
export function openSocket(
  { transport }: Place,
  url: string,
  { path = "/", client }: Pick<Settings, "path" | "client"> = {},
): Socket {
  const eager = { reconnectionDelay: 20, reconnectionDelayMax: 100 };
  const socket = connect(url + path, { ...transport, ...eager, forceNew: true, ...client });
  onDispose(() => socket.disconnect());
  return socket;
}

/** Signs a socket in, and keeps what happens to it. */
export function signIn(
  socket: Socket,
  credentials?: CredentialsSource,
  options: AuthenticateOptions = {},
): TestClient {
  const events = new EventQueue();
  const session = authenticate(socket, credentials, {
    ...options,
    onAuthenticated: (...args) => {
      events.push("in", ...args);
      options.onAuthenticated?.(...args);
    },
    onUnauthorized: (error) => {
      events.push("out", error);
      options.onUnauthorized?.(error);
    },
  });
  let { state } = session;
  session.subscribe(() => {
    if (session.state !== state) events.push(state = session.state);
  });
  socket.onAny((event, ...args) => events.push(`event ${event}`, ...args));
  onDispose(() => {
    session.stop();
    socket.disconnect();
  });
  return { socket, session, events };
}

/** Both in one. */
export function openSession(
  place: Place,
  url: string,
  credentials?: CredentialsSource,
  { path, client, ...options }: Settings = {},
): TestClient {
  return signIn(
    openSocket(place, url, { ...path && { path }, ...client && { client } }),
    credentials,
    options,
  );
}

/** Waits until a session is in a state. */
export async function reach(session: ClientSession, state: SessionState): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (session.state === state) resolve();
    };
    onDispose(session.subscribe(look));
    look();
  });
}
