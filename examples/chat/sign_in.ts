import { AuthError, type VerifyContext } from "@socketio-auth/socketio-auth";
import { passwordThenTotp, type SecondFactors } from "../second-factor/totp.ts";
import type { Accounts } from "./accounts.ts";
import type { Tokens } from "./tokens.ts";

/** A user who is signed in, and the token that keeps them so. */
export interface Member {
  readonly name: string;
  readonly token: string;
  /** When the session ends, in epoch milliseconds. */
  readonly expiresAt: number;
}

/** What a user signs in with first, and what a session is refreshed with. */
export type Credentials = { username: string; password: string } | { token: string };

interface Dependencies {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly tokens: Tokens;
  /** How long a session lasts, in milliseconds. */
  readonly duration: number;
}

/** Makes a verifier of passwords, of one-time codes where there is a second factor, and of tokens. */
export function createVerifier({ accounts, factors, tokens, duration }: Dependencies) {
  const verifyPassword = passwordThenTotp({ accounts, factors });
  const member = (name: string, token: string): Member => {
    return { name, token, expiresAt: Date.now() + duration };
  };

  return async (
    socket: unknown,
    credentials: Credentials,
    { challenge }: VerifyContext,
  ): Promise<Member> => {
    if (isToken(credentials)) {
      const { token } = credentials;
      const name = tokens.use(token);
      if (name !== undefined) return member(name, token);
      // The client may come back, for the page then asks for the password.
      throw new AuthError("Your password, please", { code: "token_unknown", reconnect: true });
    }
    const account = await verifyPassword(socket, credentials, { challenge });
    if (!account) {
      throw new AuthError("Wrong name or password", { code: "authentication_failed" });
    }
    return member(account.name, tokens.issue(account.name));
  };
}

function isToken(credentials: Credentials): credentials is { token: string } {
  return typeof Object(credentials).token === "string";
}
