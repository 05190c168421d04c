/** The user that the tests' own verifier knows. */
export interface User {
  readonly name: string;
}

/** Credentials are right if the password is. */
export function verify(
  _socket: unknown,
  credentials: { username: string; password: string },
): User | false {
  return credentials.password === "right" && { name: credentials.username };
}
