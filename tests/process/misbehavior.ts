/** Every way in which hooks and verifiers may go wrong, as policies by name. */
import { nextTick } from "node:process";
import type { Socket } from "socket.io";
import { admit, type Auth, type Callback, type Options, type VerifyContext } from "../../mod.ts";
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
  verify: (way) => ({ verify: way }),
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

type CallingBack = (socket: Socket, data: unknown, callback: Callback) => unknown;

/** Callbacks with something for an error, and for a user; at once and from somewhere else. */
function callbacksWith(name: string, make: () => unknown): [string, CallingBack][] {
  return [
    [`refuses with ${name}`, (_socket, _given, callback) => callback(make())],
    [`accepts ${name}`, (_socket, _given, callback) => callback(null, make())],
    [`refuses ${name} with ${name}`, (_socket, _given, callback) => callback(make(), make())],
    [`refuses from the next tick with ${name}`, (_socket, _given, callback) => {
      nextTick(callback, make());
    }],
    [`accepts from a microtask ${name}`, (_socket, _given, callback) => {
      const made = make();
      queueMicrotask(() => callback(null, made));
      setTimeout(() => callback(null, { name: "ada" }), 10);
    }],
  ];
}

const callingBack: Record<string, CallingBack> = {
  "answers twice": (_socket, _given, callback) => {
    callback(null, { name: "ada" });
    callback(new Error("no"));
    callback(null, false);
    return { name: "eve" };
  },
  ...Object.fromEntries(
    Object.entries(untouchables).flatMap(([name, make]) => callbacksWith(name, make)),
  ),
  "answers after the end": (socket, _given, callback) => {
    socket.disconnect(true);
    nextTick(() => callback(null, { name: "ada" }));
    return new Promise(() => {});
  },
};

type Verifier = (socket: Socket, credentials: unknown, context: VerifyContext) => unknown;

const verifiers: Record<string, (auth: () => Auth<unknown>) => Verifier> = {
  ...Object.fromEntries(
    Object.entries(untouchables).map(([name, make]) => [
      `admits with ${name}`,
      () => () => admit({ name: "ada" }, { sessionId: make(), expiresAt: make() } as never),
    ]),
  ),
  "calls what is no callback": () => (_socket, _given, context) => (context as never as Callback)(),
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
  "asks what cannot be sent": () => (_socket, _given, { challenge }) => {
    challenge(10n);
    challenge("?", { timeout: -1 });
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
      return [`verify ${name}`, (auth) => ({ verify: make(auth) })];
    }),
  ),
  ...Object.fromEntries(
    Object.entries(callingBack).map(([name, authenticate]): [string, Make] => {
      return [`authenticate ${name}`, () => ({ authenticate })];
    }),
  ),
  ...Object.fromEntries(
    Object.entries(untouchables).map(([name, make]): [string, Make] => {
      return [`a user is known by ${name}`, () => ({
        verify: () => ({ sub: make(), _id: make() }),
        userId: undefined as never,
      })];
    }),
  ),
  ...hooks,
};
