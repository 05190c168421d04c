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
  const source = typeof credentials === "function"
    ? "function"
    : credentials == null
    ? "none"
    : "constant";
  const read: Record<string, unknown> = { ...defaults, source };
  check(Object(options) === options, "options must be an object");
  for (const [name, value] of Object.entries(options)) {
    const kind = typeof defaults[name as keyof typeof defaults];
    check(kind !== "undefined", `there is no option ${name}`);
    if (value === undefined) continue;
    check(typeof value === kind, `${name} must be a ${kind}`);
    const least = name === "refreshMargin" ? -Infinity : 0;
    check(kind !== "number" || value >= least, `${name} must be milliseconds`, RangeError);
    read[name] = value;
  }
  const isObject = typeof (credentials ?? {}) === "object";
  check(isObject || source === "function" || !read.handshake, "handshake takes an object");
  return read as unknown as Options;
}

function check(isRight: boolean, rule: string, Kind = TypeError): void {
  if (!isRight) throw new Kind(`Cannot sign in: ${rule}.`);
}
