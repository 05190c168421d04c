// What the compiler knows of the client: of what the server sends along, what it asks, and why.
import type { Socket } from "socket.io-client";
import {
  authenticate,
  type ClientSession,
  type UnauthorizedError,
} from "../../src/client/client.ts";
import type { AuthClientToServerEvents, AuthServerToClientEvents } from "../../src/protocol.ts";
import { type Credentials, type Equal, expect } from "./expect.ts";

interface Reply {
  readonly name: string;
}

interface ServerToClient extends AuthServerToClientEvents<Reply, "totp" | "sms"> {
  chat: (text: string) => void;
}

interface ClientToServer extends AuthClientToServerEvents<Credentials> {
  chat: (text: string) => void;
}

declare const plain: Socket;
declare const typed: Socket<ServerToClient, ClientToServer>;

/** Any socket will do, and anything that can be sent. */
export function sockets(): void {
  authenticate(plain);
  authenticate(plain, "token");
  authenticate(typed, { token: "x" });
  authenticate(typed, async () => await Promise.resolve({ token: "x" }));
  // @ts-expect-error -- no socket
  authenticate({}, "token");
}

/** The function with the credentials is told what went wrong before. */
export function sources(): void {
  authenticate(plain, ({ signal, reason, attempt }) => {
    expect<Equal<typeof signal, AbortSignal>>();
    expect<Equal<typeof reason, UnauthorizedError | undefined>>();
    expect<Equal<typeof attempt, number>>();
    return { token: reason?.code === "expired" ? "fresh" : "kept" };
  });
}

/** The reply and the challenge are what they are said to be. */
export async function replies(): Promise<void> {
  const session = authenticate<Reply, "totp" | "sms">(typed, "token", {
    onAuthenticated: ({ name }, { expiresIn }) => [name, expiresIn],
    onChallenge: (data) => {
      expect<Equal<typeof data, "totp" | "sms">>();
    },
    onUnauthorized: ({ code, reconnect, retryAfter }) => [code, reconnect, retryAfter],
  });
  expect<Equal<typeof session, ClientSession<Reply>>>();
  const { name } = await session.ready;
  expect<Equal<typeof name, string>>();
}

/** By what a callback declares, too. */
export function inferred(): void {
  const session = authenticate(plain, "token", { onAuthenticated: (_reply: Reply) => {} });
  expect<Equal<typeof session, ClientSession<Reply>>>();
}

/** A typed socket knows the events of the protocol. */
export function events(): void {
  typed.on("authenticated", (reply, info) => [reply.name, info?.expiresAt]);
  typed.on("unauthorized", ({ code }) => code);
  typed.on("challenge", (data, acknowledge) => {
    expect<Equal<typeof data, "totp" | "sms">>();
    acknowledge("1");
  });
  typed.emit("authentication", { token: "x" });
  // @ts-expect-error -- other credentials
  typed.emit("authentication", { password: "x" });
}
