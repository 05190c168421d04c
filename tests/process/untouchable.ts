/** Things that are hard to look at, to tell, or to send, by name. */
import { AuthError } from "../../mod.ts";

function fail(): never {
  throw new Error("looked at");
}

/** A proxy all of whose traps throw. */
function trap(target: object): object {
  return new Proxy(target, new Proxy({}, { get: () => fail }));
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** An `AuthError` with something put in the place of a property. */
function tampered(name: string, descriptor: PropertyDescriptor): AuthError {
  return Object.defineProperty(new AuthError("no"), name, descriptor);
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

/** Makers, because some of them are used up by looking. */
export const untouchables: Record<string, () => unknown> = {
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of a function": () => revoked(fail),
  "a proxy whose every trap throws": () => trap({}),
  "a proxy without a prototype to get": () => new Proxy({}, { getPrototypeOf: fail }),
  "an object whose getters throw": () =>
    Object.defineProperties({}, {
      message: { get: fail },
      code: { get: fail },
      id: { get: fail },
      toString: { value: fail },
      toJSON: { value: fail },
    }),
  "a thenable that throws": () => ({ then: fail }),
  "a thenable getter that throws": () => Object.defineProperty({}, "then", { get: fail }),
  "a thenable that answers twice": () => ({
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      resolve(0);
      reject(new Error("again"));
    },
  }),
  "an object with null for a prototype": () => Object.create(null),
  "a cycle": () => cycle,
  "a symbol": () => Symbol("symbol"),
  "a bigint": () => 10n,
  "a function": () => fail,
  "an error of messages that are none": () => ({ message: 10n }),
  "a revoked proxy of an AuthError": () => revoked(new AuthError("no")),
  "an AuthError whose prototype throws": () =>
    new Proxy(new AuthError("no"), { getPrototypeOf: fail }),
  "an AuthError with a bigint for a code": () => tampered("code", { value: 10n }),
  "an AuthError with a cycle for a code": () => tampered("code", { value: cycle }),
  "an AuthError with a null prototype for a code": () =>
    tampered("code", { value: Object.create(null) }),
  "an AuthError with a code that throws": () => tampered("code", { get: fail }),
  "an AuthError with a code that cannot be told": () =>
    tampered("code", { value: { toJSON: fail } }),
  "an AuthError with a message that throws": () => tampered("message", { get: fail }),
  "an AuthError with a symbol for a message": () => tampered("message", { value: Symbol("no") }),
  "an AuthError with a bigint to wait for": () => tampered("retryAfter", { value: 10n }),
  "an AuthError that reconnects if asked nicely": () => tampered("reconnect", { get: fail }),
  "an AuthError that was made of nonsense": () =>
    new AuthError("no", { code: 10n as unknown as string }),
};
