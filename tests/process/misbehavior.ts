/** Every way in which hooks and verifiers may go wrong, as policies by name. */
import { nextTick } from "node:process";
import type { Socket } from "socket.io";
import type { Attempt, Auth, Options } from "../../mod.ts";
import { untouchables } from "./untouchable.ts";

// deno-lint-ignore no-explicit-any -- what these do is wrong in any type
type AnyOptions = Partial<Options<any, any, any>>;
type Make = (auth: () => Auth<unknown>) => AnyOptions;

const ways: Record<string, () => unknown> = {
  throws() {
    throw new Error("broken");
  },
  "throws nothing"() {
    throw undefined;
  },
  rejects: () => Promise.reject(new Error("broken")),
  "rejects with nothing": () => Promise.reject(),
  "never settles": () => new Promise(() => {}),
  "returns what cannot be sent": () => ({ big: 10n }),
  ...Object.fromEntries(
    Object.entries(untouchables).flatMap(([name, make]): [string, () => unknown][] => [
      [`returns ${name}`, make],
      [`throws ${name}`, () => {
        throw make();
      }],
      [`rejects with ${name}`, () => Promise.reject(make())],
    ]),
  ),
};

const limiter = { consume: () => Promise.resolve() };

/** Where a way to go wrong goes. */
const places: Record<string, (way: () => unknown) => AnyOptions> = {
  authenticate: (way) => ({ authenticate: way }),
  postAuthenticate: (way) => ({ postAuthenticate: way }),
  disconnect: (way) => ({ disconnect: way }),
  reply: (way) => ({ reply: way }),
  userId: (way) => ({ userId: way as never }),
  sessionId: (way) => ({ sessionId: way as never }),
  expiresAt: (way) => ({ expiresAt: way as never }),
  address: (way) => ({ address: way as never, observe() {} }),
  observe: (way) => ({ observe: way }),
  "throttle.key": (way) => ({ throttle: { limiter, key: way as never } }),
  "limiter.consume": (way) => ({
    throttle: { limiter: { consume: way as never }, key: () => "key" },
  }),
  "limiter.reward": (way) => ({
    throttle: { limiter: { ...limiter, reward: way as never }, key: () => "key" },
  }),
  credentials: (way) => ({
    credentials: { "~standard": { version: 1, vendor: "test", validate: way as never } },
  }),
  // Something has to go wrong for it to be called.
  onError: (way) => ({ onError: way, userId: ways.throws as never }),
};

type Verifier = (socket: Socket, credentials: unknown, attempt: Attempt<unknown>) => unknown;

type MakeVerifier = (auth: () => Auth<unknown>) => Verifier;

/** Callbacks with something for an error, and for a user; at once and from somewhere else. */
function callbacksWith(name: string, make: () => unknown): [string, MakeVerifier][] {
  return [
    [`refuses with ${name}`, () => (_socket, _given, attempt) => attempt(make())],
    [`accepts ${name}`, () => (_socket, _given, attempt) => attempt(null, make())],
    [`refuses from the next tick with ${name}`, () => (_socket, _given, attempt) => {
      nextTick(attempt, make());
    }],
    [`accepts from a microtask ${name}`, () => (_socket, _given, attempt) => {
      const made = make();
      queueMicrotask(() => attempt(null, made));
      setTimeout(() => attempt(null, { name: "ada" }), 10);
    }],
  ];
}

const verifiers: Record<string, MakeVerifier> = {
  "answers twice": () => (_socket, _given, attempt) => {
    attempt(null, { name: "ada" });
    attempt(new Error("no"));
    attempt(null, false);
    return { name: "eve" };
  },
  ...Object.fromEntries(
    Object.entries(untouchables).flatMap(([name, make]) => callbacksWith(name, make)),
  ),
  "answers after the end": () => (socket, _given, attempt) => {
    socket.disconnect(true);
    nextTick(() => attempt(null, { name: "ada" }));
    return new Promise(() => {});
  },
  "disconnects and accepts": () => (socket) => {
    socket.disconnect();
    return { name: "ada" };
  },
  "revokes whom it accepts": (auth) => async () => {
    await auth().revoke({ userId: "ada" });
    return { name: "ada" };
  },
  "signs out whom it accepts": (auth) => (socket) => {
    auth().deauthenticate(socket);
    return { name: "ada" };
  },
  "asks what cannot be sent": () => (_socket, _given, attempt) => {
    attempt.challenge(10n);
    attempt.challenge("?", { timeout: -1 });
    return { name: "ada" };
  },
};

const hooks: Record<string, Make> = {
  "postAuthenticate disconnects": () => ({
    postAuthenticate: (socket: Socket) => socket.disconnect(true),
  }),
  "postAuthenticate signs out": (auth) => ({
    postAuthenticate: (socket: Socket) => auth().deauthenticate(socket),
  }),
  "reply revokes": (auth) => ({ reply: () => auth().revoke({ userId: "ada" }) }),
  "disconnect disconnects": () => ({ disconnect: (socket: Socket) => socket.disconnect(true) }),
  "observe revokes": (auth) => ({ observe: () => auth().revoke({ userId: "ada" }) }),
  "observe signs out": (auth) => ({
    postAuthenticate: (socket: Socket) => socket.join("room"),
    observe: () => auth().stats(),
  }),
};

/** All of them. */
export const misbehaviors: Record<string, Make> = {
  ...Object.fromEntries(
    Object.entries(places).flatMap(([place, put]) =>
      Object.entries(ways).map(([name, way]): [string, Make] => {
        return [`${place} ${name}`, () => put(way)];
      })
    ),
  ),
  ...Object.fromEntries(
    Object.entries(verifiers).map(([name, make]): [string, Make] => {
      return [`authenticate ${name}`, (auth) => ({ authenticate: make(auth) as never })];
    }),
  ),
  ...hooks,
};
