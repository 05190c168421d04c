import type { Attempt } from "./attempt.ts";
import { choose, count, isFunction, isObject, isText, need } from "./checks.ts";
import type { AuthEvent } from "./events.ts";
import type { HoldLimit } from "./hold.ts";
import { lanesOf } from "./lanes.ts";
import type { Rules } from "./machine.ts";
import type { ErrorContext, Options } from "./options.ts";
import type { StandardSchema } from "./schema.ts";
import { idOf } from "./session.ts";
import type { ResolvedThrottle, Throttle } from "./throttle.ts";

/** {@linkcode Options}, checked, with every default in place. */
export interface Policy<S> extends Rules {
  authenticate(socket: S, credentials: unknown, attempt: Attempt<unknown>): unknown;
  postAuthenticate: ((socket: S, credentials: unknown) => unknown) | undefined;
  disconnect: ((socket: S, reason: string) => unknown) | undefined;
  reply(user: unknown, socket: S): unknown;
  userId(user: unknown): unknown;
  sessionId: ((user: unknown) => unknown) | undefined;
  expiresAt: ((user: unknown) => unknown) | undefined;
  address: ((socket: S) => string | undefined) | undefined;
  observe: ((event: AuthEvent) => unknown) | undefined;
  /** Never throws. */
  report(error: unknown, context: ErrorContext<S>): void;
  readonly credentials: StandardSchema<unknown> | undefined;
  readonly throttles: readonly ResolvedThrottle<S>[];
  readonly maxCredentials: number;
  readonly maxPending: number;
  /** From where a binding takes credentials, if it may: from the payload, or as this says. */
  readonly handshake: boolean | ((handshake: object) => unknown);
  /** Whether a namespace of a guarded server stays open. */
  isOpen(namespace: string): boolean;
  readonly connection: "authenticated" | "connected";
  readonly incoming: "hold" | "drop" | "pass";
  readonly outgoing: "hold" | "pass";
  readonly holdLimit: HoldLimit;
}

/** The options, whatever the user and the credentials are. */
type Given<S> = Options<S, unknown, unknown>;

const names: ReadonlySet<string> = new Set<keyof Options<never, never, never>>([
  "authenticate",
  "postAuthenticate",
  "disconnect",
  "timeout",
  "attempts",
  "credentials",
  "maxCredentials",
  "throttle",
  "maxPending",
  "handshake",
  "open",
  "incoming",
  "outgoing",
  "holdLimit",
  "reply",
  "userId",
  "sessionId",
  "expiresAt",
  "grace",
  "connection",
  "address",
  "observe",
  "onError",
]);

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} if an option is unknown or of the wrong kind
 * @throws {RangeError} if a number is out of range
 */
export function resolvePolicy<S, Returned, Credentials, CalledBack = unknown>(
  options: Options<S, Returned, Credentials, CalledBack>,
): Policy<S> {
  need("options", options, isObject(options), "an object");
  for (const name of Object.keys(options)) {
    if (names.has(name)) continue;
    throw new TypeError(
      `Cannot guard: there is no option "${name}". The options are ${[...names].join(", ")}.`,
    );
  }
  const { timeout = 1000, handshake = false } = options;
  const { incoming = "hold", outgoing = "hold", holdLimit = {} } = options;
  need("authenticate", options.authenticate, isFunction(options.authenticate), "a function");
  const isTaken = typeof handshake === "boolean" || isFunction(handshake);
  need("handshake", handshake, isTaken, "true, false or a function");
  choose("incoming", incoming, ["hold", "drop", "pass"]);
  choose("outgoing", outgoing, ["hold", "pass"]);
  const passes = incoming === "pass" || outgoing === "pass";
  const { connection = passes ? "connected" : "authenticated" } = options;
  choose("connection", connection, ["authenticated", "connected"]);
  if (passes && connection !== "connected") {
    throw new TypeError(
      'Cannot guard: incoming and outgoing can only be "pass" with connection: "connected", for ' +
        "the application does not know the socket before.",
    );
  }
  need("holdLimit", holdLimit, isObject(holdLimit), "an object { events, bytes, total }");

  const given = options as Given<S>;
  const hook = <Name extends keyof Given<S>>(name: Name) => hookOf(given, name);
  return {
    authenticate: hook("authenticate"),
    postAuthenticate: hook("postAuthenticate"),
    disconnect: hook("disconnect"),
    reply: atOnce("reply", hook("reply")) ?? (() => true),
    userId: atOnce("userId", hook("userId")) ?? idOf,
    sessionId: atOnce("sessionId", hook("sessionId")),
    expiresAt: atOnce("expiresAt", hook("expiresAt")),
    address: atOnce("address", hook("address")),
    observe: hook("observe"),
    report: reporter(hook("onError") ?? toConsole),
    handshake: typeof handshake === "boolean"
      ? handshake
      : atOnce("handshake", handshake.bind(options) as (handshake: object) => unknown)!,
    isOpen: resolveOpen(options.open),
    connection,
    incoming,
    outgoing,
    holdLimit: {
      events: count("holdLimit.events", holdLimit.events ?? 1000, 0),
      bytes: count("holdLimit.bytes", holdLimit.bytes ?? 262_144, 0),
      total: count("holdLimit.total", holdLimit.total ?? 16_777_216, 0),
    },
    timeout: timeout === "none" ? Infinity : count("timeout", timeout, 1),
    attempts: count("attempts", options.attempts ?? 1, 1),
    credentials: checkSchema(options.credentials),
    throttles: resolveThrottles(given.throttle),
    maxCredentials: count("maxCredentials", options.maxCredentials ?? 16_384, 1),
    maxPending: count("maxPending", options.maxPending ?? 10_000, 0),
    grace: count("grace", options.grace ?? 0, 0),
  };
}

/**
 * For a binding that cannot do what an option asks for.
 *
 * @throws {TypeError} if the option is given
 */
export function refuseOption(options: object, name: string, what: string): void {
  if (!isObject(options) || (options as Record<string, unknown>)[name] === undefined) return;
  throw new TypeError(`Cannot guard: there is no option ${name} for ${what}.`);
}

/** A function among the options. Bound, so that `this` in it is the object it stands in. */
function hookOf<S, Name extends keyof Given<S>>(options: Given<S>, name: Name): Given<S>[Name] {
  const hook = options[name] as ((...args: never[]) => unknown) | undefined;
  need(name, hook, hook === undefined || isFunction(hook), "a function");
  return hook?.bind(options) as Given<S>[Name];
}

/** A hook whose answer is needed at once: a promise is a mistake, however it ends. */
function atOnce<Args extends unknown[], Answer>(
  name: string,
  hook: ((...args: Args) => Answer) | undefined,
): ((...args: Args) => Answer) | undefined {
  return hook && ((...args) => {
    const answer = hook(...args);
    if (!(answer instanceof Promise)) return answer;
    answer.catch(() => {});
    throw new TypeError(`${name} must answer at once, but returned a promise.`);
  });
}

function checkSchema<Output>(
  schema: StandardSchema<Output> | undefined,
): StandardSchema<Output> | undefined {
  // ArkType's are functions.
  const isRight = schema === undefined || isFunction(Object(schema["~standard"]).validate);
  need("credentials", schema, isRight, 'a Standard Schema (with a "~standard" property)');
  return schema;
}

function resolveOpen(open: Options<never, never, never>["open"]): (name: string) => boolean {
  const list: readonly (string | RegExp)[] = open === undefined ? [] : [open].flat();
  for (const entry of list) {
    const isRight = isText(entry) || entry instanceof RegExp;
    need("open", entry, isRight, "names of namespaces and regular expressions");
  }
  // As socket.io reads them: the slash in front may be left out.
  const names = new Set(list.map((name) => `${name}`.startsWith("/") ? name : `/${name}`));
  const patterns = list.filter((entry) => entry instanceof RegExp);
  return (name) => names.has(name) || patterns.some((pattern) => matches(pattern, name));
}

/** Whether a name matches, whatever an expression remembers of the last one. */
export function matches(pattern: RegExp, name: string): boolean {
  return name.search(pattern) >= 0;
}

function resolveThrottles<S>(
  throttle: Given<S>["throttle"],
): ResolvedThrottle<S>[] {
  const list = throttle === undefined ? [] : [throttle].flat();
  return list.map((throttle: Throttle<S, unknown>) => {
    need("throttle", throttle, isObject(throttle), "an object { limiter, key? }");
    const { limiter, key } = throttle;
    const isLimiter = isObject(limiter) && isFunction(limiter.consume);
    need("throttle.limiter", limiter, isLimiter, "an object with a method consume(key)");
    need("throttle.key", key, key === undefined || isFunction(key), "a function");
    const ownKey = atOnce("throttle.key", key?.bind(throttle));
    return {
      take: lanesOf(limiter),
      keys: (peer, credentials) =>
        ownKey ? ownKey(peer.socket, credentials) : peer.origin().address,
    };
  });
}

function toConsole(error: unknown, context: ErrorContext<unknown>): void {
  console.error(`socketio-auth: unexpected error during ${context.during}:`, error);
}

function reporter<S>(
  onError: (error: unknown, context: ErrorContext<S>) => unknown,
): (error: unknown, context: ErrorContext<S>) => void {
  return (error, context) => {
    try {
      const told: unknown = onError(error, context);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // There is nobody left to tell, and a hook must never take the server down.
    }
  };
}
