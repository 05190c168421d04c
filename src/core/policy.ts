import type { Callback, VerifyContext } from "./answers.ts";
import { choose, count, isFunction, isNothing, isObject, isText, need } from "./checks.ts";
import { systemClock } from "./clock.ts";
import { printErrors } from "./console.ts";
import type { AuthEvent } from "./events.ts";
import { HOLD_LIMIT, type HoldLimit } from "./hold.ts";
import { lanesOf } from "./lanes.ts";
import type { Rules } from "./machine.ts";
import type { ErrorContext, Options } from "./options.ts";
import type { StandardSchema } from "./schema.ts";
import type { Session } from "./session.ts";
import type { ResolvedThrottle, Throttle } from "./throttle.ts";

/** The {@linkcode Options}, checked, with all defaults. */
export interface Policy<S> extends Rules {
  readonly decides: "verify" | "authenticate";
  readonly authenticate: ((socket: S, data: unknown, callback: Callback) => unknown) | undefined;
  readonly verify:
    | ((socket: S, credentials: unknown, context: VerifyContext) => unknown)
    | undefined;
  readonly authorize: ((user: unknown, socket: S) => unknown) | undefined;
  readonly postAuthenticate: ((socket: S, credentials: unknown) => unknown) | undefined;
  readonly postRefresh: ((socket: S, previous: Session<unknown>) => unknown) | undefined;
  readonly disconnect: ((socket: S, reason: string) => unknown) | undefined;
  readonly reply: ((user: unknown, socket: S) => unknown) | undefined;
  readonly userId: ((user: unknown) => unknown) | undefined;
  readonly sessionId: ((user: unknown) => unknown) | undefined;
  readonly expiresAt: ((user: unknown) => unknown) | undefined;
  readonly address: ((socket: S) => string | undefined) | undefined;
  readonly observe: ((event: AuthEvent) => unknown) | undefined;
  readonly report: (error: unknown, context: ErrorContext<S>) => void;
  readonly credentials: StandardSchema<unknown> | undefined;
  readonly throttle: readonly ResolvedThrottle<S>[];
  readonly maxCredentials: number;
  readonly maxPending: number;
  /** Whether credentials come from the payload, or from this function. */
  readonly handshake: boolean | ((handshake: object, socket: S) => unknown);
  readonly open: (namespace: string) => boolean;
  readonly connection: "authenticated" | "connected";
  readonly incoming: "hold" | "drop" | "pass";
  readonly outgoing: "hold" | "pass";
  readonly holdLimit: HoldLimit;
}

type OptionName = keyof Options<never, never, never>;

type Check = (name: string, value: never, options: object) => unknown;

const OPTIONS: Record<OptionName, readonly [check: Check, fallback?: unknown]> = {
  authenticate: [hook],
  verify: [hook],
  authorize: [hook],
  postAuthenticate: [hook],
  postRefresh: [hook],
  disconnect: [hook],
  timeout: [(name, value: unknown) => value === "none" ? Infinity : count(1)(name, value), 1000],
  attempts: [count(1), 1],
  credentials: [schema],
  maxCredentials: [count(1), 16_384],
  throttle: [resolveThrottles, []],
  maxPending: [count(0), 10_000],
  handshake: [resolveHandshake, false],
  open: [resolveOpen, () => false],
  incoming: [choice("hold", "drop", "pass"), "hold"],
  outgoing: [choice("hold", "pass"), "hold"],
  holdLimit: [resolveHoldLimit, HOLD_LIMIT],
  reply: [hookAtOnce],
  userId: [hookAtOnce],
  sessionId: [hookAtOnce],
  expiresAt: [hookAtOnce],
  grace: [count(0), 0],
  connection: [choice("authenticated", "connected"), "authenticated"],
  address: [hookAtOnce],
  observe: [hook],
  onError: [hook],
};

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} if an option is unknown or of the wrong kind
 * @throws {RangeError} if a number is out of range
 */
export function resolvePolicy<S, User, Credentials>(
  options: Options<S, User, Credentials>,
): Policy<S> {
  need("options", options, isObject(options), "an object");
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    const names = Object.keys(OPTIONS).join(", ");
    throw new TypeError(`Cannot guard: there is no option "${name}". The options are ${names}.`);
  }
  const given = options as Partial<Record<OptionName, unknown>>;
  const resolved: Partial<Record<OptionName, unknown>> = {};
  for (const [name, [check, fallback]] of Object.entries(OPTIONS)) {
    const value = given[name as OptionName];
    resolved[name as OptionName] = value === undefined
      ? fallback
      : check(name, value as never, options);
  }
  checkTogether(resolved);
  const onError = resolved.onError ?? printErrors(systemClock);
  const decides = resolved.verify ? "verify" : "authenticate";
  return { ...resolved, decides, report: reporter(onError as OnError<S>) } as unknown as Policy<S>;
}

function checkTogether(
  { authenticate, verify, incoming, outgoing, connection }: Partial<Record<OptionName, unknown>>,
): void {
  if (!authenticate === !verify) {
    throw new TypeError(
      `Cannot guard: ${authenticate ? "both are given, but exactly" : "exactly"} one of verify ` +
        "and authenticate is required. verify(socket, credentials) returns the user; " +
        "authenticate(socket, credentials, callback) calls back with the user.",
    );
  }
  if ((incoming === "pass" || outgoing === "pass") && connection !== "connected") {
    throw new TypeError(
      'Cannot guard: incoming and outgoing can only be "pass" together with ' +
        'connection: "connected", which has handlers run for clients that are not authenticated. ' +
        "Give that, too, if it is meant.",
    );
  }
}

/**
 * Refuses an option that a binding does not support.
 *
 * @throws {TypeError} if the option is given
 */
export function refuseOption(options: object, name: string, what: string): void {
  if (!isObject(options) || (options as Record<string, unknown>)[name] === undefined) return;
  throw new TypeError(`Cannot guard: there is no option ${name} for ${what}.`);
}

/** Checks a function, and binds it, so that `this` is the options object. */
function hook(name: string, value: unknown, options: object): (...args: unknown[]) => unknown {
  need(name, value, isFunction(value), "a function");
  return (value as () => unknown).bind(options);
}

/** Checks a hook that must answer at once: a returned promise is an error. */
function hookAtOnce(
  name: string,
  value: unknown,
  options: object,
): (...args: unknown[]) => unknown {
  const bound = hook(name, value, options);
  return (...args) => {
    const answer = bound(...args);
    if (!(answer instanceof Promise)) return answer;
    answer.catch(() => {});
    throw new TypeError(`${name} must answer at once, but returned a promise.`);
  };
}

function choice(...choices: string[]): Check {
  return (name, value: unknown) => {
    choose(name, value, choices);
    return value;
  };
}

/** Combines the functions: the first one that finds credentials counts. */
function resolveHandshake(name: string, value: unknown, options: object): unknown {
  if (typeof value === "boolean") return value;
  const list = [value].flat();
  const isRight = list.length > 0 && list.every(isFunction);
  need(name, value, isRight, "true, false, a function or a list of functions");
  const finders = list.map((finder) => hookAtOnce(name, finder, options));
  return (...args: unknown[]) => {
    for (const find of finders) {
      const found = find(...args);
      if (!isNothing(found)) return found;
    }
  };
}

function resolveHoldLimit(name: string, limit: Partial<HoldLimit>): HoldLimit {
  need(name, limit, isObject(limit), "an object { events, bytes, total }");
  const { events, bytes, total } = { ...HOLD_LIMIT, ...limit };
  const natural = count(0);
  natural(`${name}.events`, events);
  natural(`${name}.bytes`, bytes);
  natural(`${name}.total`, total);
  return { events, bytes, total };
}

function schema(name: string, value: StandardSchema<unknown>): StandardSchema<unknown> {
  // Schemas of ArkType are functions.
  const isRight = isFunction(Object(Object(value)["~standard"]).validate);
  need(name, value, isRight, 'a Standard Schema (with a "~standard" property)');
  return value;
}

function resolveOpen(name: string, open: unknown): (namespace: string) => boolean {
  const list = [open].flat();
  for (const entry of list) {
    const isRight = isText(entry) || entry instanceof RegExp;
    need(name, entry, isRight, "names of namespaces and regular expressions");
  }
  // As in socket.io, the slash in front may be left out.
  const names = new Set(list.map((name) => `${name}`.startsWith("/") ? name : `/${name}`));
  const patterns = list.filter((entry) => entry instanceof RegExp);
  return (name) => names.has(name) || patterns.some((pattern) => matches(pattern, name));
}

/** Returns whether a name matches, regardless of the `lastIndex` of an expression. */
export function matches(pattern: RegExp, name: string): boolean {
  return name.search(pattern) >= 0;
}

function resolveThrottles(name: string, throttle: unknown): ResolvedThrottle<unknown>[] {
  return [throttle].flat().map((throttle) => {
    need(name, throttle, isObject(throttle), "an object { limiter, key? }");
    const { limiter, key } = throttle as Throttle<unknown, unknown>;
    const isLimiter = isObject(limiter) && isFunction(limiter.consume);
    need(`${name}.limiter`, limiter, isLimiter, "an object with a method consume(key)");
    const ownKey = key && hookAtOnce(`${name}.key`, key, throttle as object);
    return {
      take: lanesOf(limiter),
      keys: (peer, credentials) =>
        ownKey ? ownKey(peer.socket, credentials) : peer.origin().address,
    };
  });
}

type OnError<S> = (error: unknown, context: ErrorContext<S>) => unknown;

function reporter<S>(onError: OnError<S>): Policy<S>["report"] {
  return (error, context) => {
    try {
      const told: unknown = onError(error, context);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // A hook must not take the server down.
    }
  };
}
