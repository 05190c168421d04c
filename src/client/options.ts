import { check } from "./errors.ts";
import type { Rules } from "./machine.ts";
import type { AuthenticateOptions, CredentialsSource } from "./session.ts";

const defaults: Record<string, unknown> = {
  // So that nothing that every object has is taken for an option.
  __proto__: null,
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
  const source = typeof (credentials ?? undefined);
  const read: Record<string, unknown> = { ...defaults, source };
  check(Object(options) === options, "options must be an object");
  for (const [name, value = defaults[name]] of Object.entries(options)) {
    const usual = defaults[name];
    check(name in defaults, `there is no option ${name}`);
    check(typeof value === typeof usual, `${name} must be ${typeof usual}`);
    const least = name === "refreshMargin" ? -Infinity : 0;
    check(typeof usual !== "number" || value >= least, `${name} must be milliseconds`, RangeError);
    read[name] = value;
  }
  check(
    !read.handshake || credentials == null || Object(credentials) === credentials,
    "handshake takes an object",
  );
  return read as unknown as Options;
}
