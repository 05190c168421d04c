import { randomBytes } from "node:crypto";

/** How long a token is good after it was last used, in milliseconds. */
const LIFETIME = 10 * 60_000;

interface Entry {
  readonly name: string;
  expiresAt: number;
}

/**
 * Tokens that stand in for a password once it was right, so that the page need not keep it. In
 * memory: a server that starts again has forgotten them. Yours are in a table, as hashes.
 */
export class Tokens {
  readonly #entries = new Map<string, Entry>();

  /** Makes a new token for a user. */
  issue(name: string): string {
    this.#removeExpired();
    const token = randomBytes(16).toString("base64url");
    this.#entries.set(token, { name, expiresAt: Date.now() + LIFETIME });
    return token;
  }

  /** Returns whose token it is, if it is still good, and makes it good for longer. */
  use(token: string): string | undefined {
    this.#removeExpired();
    const entry = this.#entries.get(token);
    if (entry) entry.expiresAt = Date.now() + LIFETIME;
    return entry?.name;
  }

  /** Ends a token. */
  revoke(token: string): void {
    this.#entries.delete(token);
  }

  /** Ends all tokens that a user has, but one. */
  revokeOthers(name: string, spared: string): void {
    for (const [token, entry] of this.#entries) {
      if (entry.name === name && token !== spared) this.#entries.delete(token);
    }
  }

  #removeExpired(): void {
    for (const [token, { expiresAt }] of this.#entries) {
      if (expiresAt <= Date.now()) this.#entries.delete(token);
    }
  }
}
