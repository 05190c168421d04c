import type { Rules } from "./machine.ts";
import type { AuthenticateOptions, CredentialsSource } from "./session.ts";

const defaults = {
  handshake: false,
  refreshMargin: 30_000,
  credentialsTimeout: 5_000,
  timeout: 35_000,
  onAuthenticated(): void {},
  onUnauthorized(): void {},
  onChallenge(): unknown {
    throw new Error("onChallenge is missing");
  },
};

/** The options of a client, none missing, and what its machine goes by. */
export type Options = Required<AuthenticateOptions> & Rules;

/** Checks the arguments of `authenticate`. */
export function readOptions(credentials: CredentialsSource, options: object): Options {
  const read: Record<string, unknown> = { ...defaults };
  check(Object(options) === options, "options must be an object");
  for (const [name, value] of Object.entries(options)) {
    const usual = defaults[name as keyof typeof defaults];
    check(usual !== undefined, `there is no option ${name}`);
    if (value === undefined) continue;
    check(typeof value === typeof usual, `${name} must be a ${typeof usual}`);
    const least = name === "refreshMargin" ? -Infinity : 0;
    check(typeof usual !== "number" || value >= least, `${name} must be milliseconds`, RangeError);
    read[name] = value;
  }
  const isFunction = typeof credentials === "function";
  const isObject = isFunction || typeof (credentials ?? {}) === "object";
  check(isObject || !read.handshake, "handshake takes an object");
  const source = isFunction ? "function" : credentials == null ? "none" : "constant";
  return { ...read, source } as Options;
}

function check(isRight: boolean, rule: string, Kind = TypeError): void {
  if (!isRight) throw new Kind(`Cannot sign in: ${rule}`);
}
