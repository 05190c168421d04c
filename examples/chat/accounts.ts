import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** Somebody who may sign in. */
export interface Account {
  readonly name: string;
}

/** What is kept of a password: enough to recognize it, not to recover it. */
interface Password {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** One of the settings OWASP recommends for scrypt. */
const cost = { N: 2 ** 14, r: 8, p: 5 };

/** Accounts in memory, each with its own salt. */
export class Accounts {
  readonly #passwords = new Map<string, Password>();
  readonly #decoy: Password;

  private constructor(decoy: Password) {
    this.#decoy = decoy;
  }

  /** Creates an account for each name and password. */
  static async create(passwords: Record<string, string>): Promise<Accounts> {
    const accounts = new Accounts(await conceal(randomBytes(16).toString("hex")));
    for (const [name, password] of Object.entries(passwords)) {
      accounts.#passwords.set(name, await conceal(password));
    }
    return accounts;
  }

  /** Resolves with the account, if name and password belong together. Both may be anything. */
  async verify(name: unknown, password: unknown): Promise<Account | undefined> {
    if (typeof name !== "string" || typeof password !== "string") return undefined;
    // An unknown name is checked too, against a password of no account: a
    // quicker answer would tell which accounts exist.
    const known = this.#passwords.get(name) ?? this.#decoy;
    const hash = await derive(password, known.salt);
    return timingSafeEqual(hash, known.hash) && known !== this.#decoy ? { name } : undefined;
  }
}

async function conceal(password: string): Promise<Password> {
  const salt = randomBytes(16);
  return { salt, hash: await derive(password, salt) };
}

function derive(password: string, salt: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, cost, (error, key) => error ? reject(error) : resolve(key));
  });
}
