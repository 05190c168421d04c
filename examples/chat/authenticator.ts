import { Secret, TOTP } from "otpauth";

/** What an authenticator app shows. */
export interface Display {
  readonly code: string;
  /** How long until the next one, in milliseconds. */
  readonly remaining: number;
}

/**
 * Stands in for the app on somebody's phone, so that the demo needs none. A real server
 * does not show its codes.
 */
export function createAuthenticator(secret: string): () => Display {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  return () => ({ code: totp.generate(), remaining: totp.remaining() });
}
