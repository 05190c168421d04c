import type { Found, RefreshOptions, RevokeOptions, Spared } from "./auth.ts";
import { isDuration, isObject, isText } from "./checks.ts";
import type { Stamp } from "./cluster_time.ts";
import type { Revocation } from "./interface.ts";
import type { RevocationTarget } from "./session.ts";
import { asId, type Id } from "./users.ts";

/** The sessions to revoke: all of a user's, or a single one. */
export type RevokeTarget = { userId: Id; sessionId?: never } | { sessionId: Id; userId?: never };

/**
 * Reads the target of a revocation.
 *
 * @throws {TypeError} if it is not one id
 */
export function parseTarget(given: RevokeTarget): RevocationTarget {
  const { userId, sessionId } = Object(given);
  const target = { userId: asId("userId", userId), sessionId: asId("sessionId", sessionId) };
  const names = (["userId", "sessionId"] as const).filter((name) => target[name] !== undefined);
  const [name] = names;
  if (!name || names.length > 1) {
    throw new TypeError("Cannot revoke: expected { userId } or { sessionId }, with one id in it.");
  }
  return { [name]: target[name] } as RevocationTarget;
}

const LONGEST_MESSAGE = 256;

type Find = (socket: object) => Found | undefined;

/**
 * Reads the options of `revoke`.
 *
 * @throws {TypeError | RangeError} if an option is wrong
 */
export function parseRevoke(options: RevokeOptions, find: Find): Partial<Revocation> {
  checkNames("revoke", options, ["except", "olderThan", "message", "reconnect"]);
  const { except, olderThan, message, reconnect } = options;
  if (except !== undefined && olderThan !== undefined) {
    throw new TypeError(
      "Cannot revoke: both except and olderThan are given. olderThan spares its own socket.",
    );
  }
  if (message !== undefined && !isText(message)) {
    throw new TypeError("Cannot revoke: message must be text that is not empty.");
  }
  if (message !== undefined && message.length > LONGEST_MESSAGE) {
    throw new RangeError(
      `Cannot revoke: message must have ${LONGEST_MESSAGE} characters at most, got ${message.length}.`,
    );
  }
  if (reconnect !== undefined && typeof reconnect !== "boolean") {
    throw new TypeError("Cannot revoke: reconnect must be true or false.");
  }
  return {
    ...parseSpared("revoke", except, find),
    ...olderThan !== undefined && { olderThan: stampOf(olderThan, find) },
    ...message !== undefined && { message },
    ...reconnect !== undefined && { reconnect },
  };
}

/**
 * Reads the options of `refresh`.
 *
 * @throws {TypeError | RangeError} if an option is wrong
 */
export function parseRefresh(options: RefreshOptions, find: Find): Partial<Revocation> {
  checkNames("refresh", options, ["within", "except"]);
  const { within, except } = options;
  if (!isDuration(within)) {
    throw new RangeError(
      "Cannot refresh: within must be milliseconds, finite and not negative, got " +
        `${String(within)}.`,
    );
  }
  return { within, ...parseSpared("refresh", except, find) };
}

function checkNames(what: string, options: unknown, names: readonly string[]): void {
  if (!isObject(options)) throw new TypeError(`Cannot ${what}: the options must be an object.`);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new TypeError(
      `Cannot ${what}: there is no option "${name}". The options are ${names.join(", ")}.`,
    );
  }
}

function parseSpared(
  what: string,
  except: Spared | undefined,
  find: Find,
): Pick<Revocation, "except" | "exceptSession"> {
  if (except === undefined) return {};
  const found = isObject(except) ? find(except) : undefined;
  if (found?.connected) return { except: found.connection.id };
  if (found) throw new TypeError(`Cannot ${what}: the socket to spare is over.`);
  const sessionId = asId("except.sessionId", (Object(except) as { sessionId?: unknown }).sessionId);
  if (sessionId !== undefined) return { exceptSession: sessionId };
  throw new TypeError(
    `Cannot ${what}: except must be a socket that is under this policy, or { sessionId }.`,
  );
}

function stampOf(socket: unknown, find: Find): Stamp {
  const found = isObject(socket) ? find(socket) : undefined;
  // The session of this socket is over, and revokes no others.
  const time = found?.connected ? found.connection.stamp : -Infinity;
  if (found?.session && time !== undefined) return { time, connection: found.connection.id };
  throw new TypeError(
    "Cannot revoke: olderThan must be a socket under this policy that is signed in.",
  );
}
