/**
 * Password, then a one-time code from an authenticator app (TOTP, RFC 6238).
 *
 * ```ts
 * socketioAuth(io, {
 *   verify: passwordThenTotp({ accounts, factors: new SecondFactors() }),
 *   userId: (account) => account.name,
 *   attempts: 3,
 *   throttle: { limiter, key: (_socket, { username }) => `account:${username}` },
 * });
 * ```
 *
 * The client answers one more question, if it is asked:
 *
 * ```ts
 * socket.on("challenge", async ({ type }, answer) => {
 *   if (type === "totp") answer(await prompt("Code?"));
 * });
 * ```
 *
 * Six digits are soon guessed by somebody who knows the password: do not leave
 * the throttle out.
 *
 * @module
 */
import { Secret, TOTP } from "otpauth";
import { AuthError, type VerifyContext } from "@socketio-auth/socketio-auth";

/** How far the clock of the user's phone may be off, in steps of 30 seconds, each way. */
const WINDOW = 1;

/** How long somebody may take to find their phone, in milliseconds. */
const PATIENCE = 60_000;

/** Who has a second factor. In memory; yours is a table. */
export class SecondFactors {
  readonly #secrets = new Map<string, string>();
  readonly #lastUsed = new Map<string, number>();

  /** Gives an account a new secret, to be shown to its user once, as text or QR code. */
  enroll(name: string): string {
    const { base32 } = new Secret({ size: 20 });
    this.#secrets.set(name, base32);
    return base32;
  }

  /** Whether an account has one. */
  has(name: string): boolean {
    return this.#secrets.has(name);
  }

  /** Whether a code is right, now and for the first time. */
  verify(name: string, code: string): boolean {
    const totp = new TOTP({ secret: Secret.fromBase32(this.#secrets.get(name)!) });
    const delta = totp.validate({ token: code, window: WINDOW });
    if (delta === null) return false;
    // An onlooker has half a minute: a code is good once, and
    // so are those before it. In a database, make this one atomic update.
    const step = totp.counter() + delta;
    if (step <= (this.#lastUsed.get(name) ?? -1)) return false;
    this.#lastUsed.set(name, step);
    return true;
  }
}

/** An account that may have a second factor. */
export interface Account {
  readonly name: string;
}

/** Checks passwords. Both arguments come from the client, and may be anything. */
interface Accounts {
  verify(name: unknown, password: unknown): Promise<Account | undefined>;
}

interface Dependencies {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
}

/** Makes a verifier. */
export function passwordThenTotp({ accounts, factors }: Dependencies) {
  return async (
    _socket: unknown,
    credentials: { username: string; password: string },
    { challenge }: Pick<VerifyContext, "challenge">,
  ): Promise<Account | undefined> => {
    const { username, password } = Object(credentials);
    const account = await accounts.verify(username, password);
    if (!account || !factors.has(account.name)) return account;
    const code = await challenge({ type: "totp" }, { timeout: PATIENCE });
    if (typeof code === "string" && factors.verify(account.name, code)) return account;
    throw new AuthError("Wrong code", { code: "wrong_code" });
  };
}
