import jsonwebtoken from "jsonwebtoken";

/** What the servers of the benchmarks sign with. */
export const SECRET = "for benchmarks only, and 32 bytes long at least";

/** A new user's credentials, good or wrong. */
export type CredentialsOf = (n: number) => object;

const issue = (n: number) => jsonwebtoken.sign({ sub: `user-${n}` }, SECRET, { expiresIn: "1h" });
let issued: string | undefined;

/** By name, for processes that are told over IPC. */
export const credentials: Record<string, CredentialsOf> = {
  token: (n) => ({ token: `user-${n}` }),
  // Signing takes the client's time. Every user has the same one.
  jwt: (n) => ({ token: `Bearer ${issued ??= issue(n)}` }),
  wrong: () => ({ token: "a guess" }),
  "one user": () => ({ token: "user-of-all" }),
};
