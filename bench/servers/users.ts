import jsonwebtoken from "jsonwebtoken";
import { SECRET } from "../clients/credentials.ts";

/** Whom the servers know. */
export interface User {
  readonly id: string;
}

/** Stands in for a database that answers at once: its time is not what is measured. */
// deno-lint-ignore require-await -- as every verifier is
export async function findUser(credentials: unknown): Promise<User | undefined> {
  const { token } = (credentials ?? {}) as { token?: unknown };
  return typeof token === "string" && token.startsWith("user-") ? { id: token } : undefined;
}

/** The same for a signed token, with the library that `@thream/socketio-jwt` uses. */
export function readToken(token: unknown): User | undefined {
  const [scheme, jwt = ""] = String(token).split(" ");
  if (scheme !== "Bearer") return undefined;
  try {
    const { sub } = jsonwebtoken.verify(jwt, SECRET, { algorithms: ["HS256"] });
    return { id: String(sub) };
  } catch {
    return undefined;
  }
}
