// What the compiler knows of sockets and credentials without being told. Nothing here
// runs, it only has to compile; an `@ts-expect-error` in front of a line that is
// fine is an error itself.
import { type } from "arktype";
import type { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { DefaultEventsMap, Namespace, Server, Socket } from "socket.io";
import * as v from "valibot";
import { z } from "zod";
import { type Auth, cookies, type Guarded, type Limiter, socketioAuth } from "../../mod.ts";
import { type Credentials, type Equal, expect, type User } from "./expect.ts";

declare const io: Server;
declare const user: User;
declare const limiter: Limiter;

interface C2S {
  say(text: string): void;
}

interface S2C {
  said(text: string): void;
}

interface Data {
  name: string;
}

type TypedSocket = Socket<C2S, S2C, DefaultEventsMap, Data> & Guarded;

/** The socket, as the generics of the server or the namespace have it. */
export function socketOfServer(typed: Server<C2S, S2C, DefaultEventsMap, Data>): void {
  socketioAuth(typed, {
    verify(socket) {
      expect<Equal<typeof socket, TypedSocket>>();
      expect<Equal<typeof socket.data, Data>>();
      expect<Equal<typeof socket.auth, boolean>>();
      return user;
    },
    postAuthenticate(socket) {
      expect<Equal<typeof socket, TypedSocket>>();
      socket.on("say", (text) => {
        expect<Equal<typeof text, string>>();
        socket.emit("said", text);
      });
      // @ts-expect-error -- no such event
      socket.on("sing", () => {});
      // @ts-expect-error -- not with a number
      socket.emit("said", 1);
    },
    disconnect(socket, reason) {
      expect<Equal<typeof socket, TypedSocket>>();
      expect<Equal<typeof reason, string>>();
    },
    reply(known, socket) {
      expect<Equal<typeof socket, TypedSocket>>();
      return `${socket.data.name} ${known.id}`;
    },
    address(socket) {
      expect<Equal<typeof socket, TypedSocket>>();
      return socket.handshake.address;
    },
    onError(error, { socket, during }) {
      expect<Equal<typeof error, unknown>>();
      expect<Equal<typeof during, string>>();
      expect<Equal<typeof socket, TypedSocket | undefined>>();
    },
  });
}

export function socketOfNamespace(typed: Namespace<C2S, S2C, DefaultEventsMap, Data>): void {
  const auth = socketioAuth(typed, {
    verify(socket) {
      expect<Equal<typeof socket, TypedSocket>>();
      return socket.data.name !== "" && user;
    },
    postAuthenticate(socket) {
      expect<Equal<typeof socket.data, Data>>();
      expect<Equal<typeof socket.auth, boolean>>();
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();
}

/** The credentials, as `verify` declares them. */
export function credentials(): void {
  socketioAuth(io, {
    verify(_socket, credentials: Credentials) {
      return credentials.token === "right" && user;
    },
    postAuthenticate(_socket, credentials) {
      expect<Equal<typeof credentials, Credentials>>();
    },
  });
  socketioAuth(io, {
    verify: (_socket, credentials: unknown) => credentials === "right" && user,
    postAuthenticate(_socket, credentials) {
      expect<Equal<typeof credentials, unknown>>();
    },
  });
  socketioAuth(io, {
    verify(_socket, credentials) {
      // Undeclared, they can be looked at like anything from a client in plain JavaScript.
      credentials.token.toUpperCase();
      return user;
    },
  });
  socketioAuth(io, {
    verify: (_socket, credentials: Credentials) => credentials.token === "right" && user,
    // @ts-expect-error -- other credentials than `verify` takes
    postAuthenticate(_socket, credentials: number) {
      credentials.toFixed();
    },
  });
}

/** `cookies` is for any server, alone or in a list, and knows the names. */
export function credentialsOfCookies(typed: Server<C2S, S2C, DefaultEventsMap, Data>): void {
  const verify = () => user;
  const find = cookies(["session", "csrf"], { origins: ["https://app.example"] });
  const found = find(undefined);
  expect<Equal<typeof found, { session?: string; csrf?: string } | undefined>>();
  socketioAuth(io, { verify, handshake: find });
  socketioAuth(typed, { verify, handshake: [find, ({ auth }) => auth] });
  // deno-lint-ignore no-explicit-any -- as an application may have its server
  socketioAuth(io as any, { verify, handshake: cookies("session", { origins: "same" }) });
  // @ts-expect-error -- `origins` is required
  cookies("session");
  // @ts-expect-error -- a list
  cookies("session", { origins: "https://app.example" });
}

/** A schema types credentials wherever they are taken, also with methods in any order. */
export function credentialsOfSchema(): void {
  socketioAuth(io, {
    credentials: z.object({ token: z.string().transform(Number) }),
    verify(_socket, credentials) {
      expect<Equal<typeof credentials, { token: number }>>();
      return user;
    },
    postAuthenticate(_socket, credentials) {
      expect<Equal<typeof credentials, { token: number }>>();
    },
    throttle: {
      limiter,
      key(socket, credentials) {
        expect<Equal<typeof credentials, { token: number }>>();
        return [socket.id, `${credentials.token}`];
      },
    },
  });
  socketioAuth(io, {
    credentials: v.object({ token: v.string() }),
    verify(_socket, credentials) {
      expect<Equal<typeof credentials, { token: string }>>();
      return user;
    },
  });
  socketioAuth(io, {
    credentials: type({ token: "string" }),
    verify(_socket, credentials) {
      expect<Equal<typeof credentials, { token: string }>>();
      return user;
    },
  });
  // @ts-expect-error -- not a schema
  socketioAuth(io, { credentials: { token: "string" }, verify: () => user });
}

/** Limiters of rate-limiter-flexible are taken as they are. */
export function limiters(redis: RateLimiterRedis, memory: RateLimiterMemory): void {
  socketioAuth(io, { verify: () => user, throttle: { limiter: redis } });
  socketioAuth(io, {
    verify: () => user,
    throttle: [{ limiter: memory }, { limiter: redis, key: (socket) => socket.id }],
  });
  // @ts-expect-error -- a limiter consumes
  socketioAuth(io, { verify: () => user, throttle: { limiter: {} } });
}

/** Challenges answer with what the client sent, which can be anything; or as a schema types it. */
export function challenges(): void {
  const auth = socketioAuth(io, {
    async verify(_socket, { token }, { challenge, signal }) {
      expect<Equal<typeof signal, AbortSignal>>();
      const answer = await challenge("code?", { timeout: 5000 });
      expect<Equal<typeof answer, unknown>>();
      const code = await challenge("code?", { schema: z.object({ code: z.string() }) });
      expect<Equal<typeof code, { code: string }>>();
      return answer === token && code.code === "1" && user;
    },
    userId(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();
}
