/**
 * Signing in with a passkey (WebAuthn): the server challenges, the device signs.
 *
 * @module
 */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from "@simplewebauthn/server";
import type { VerifyContext } from "@socketio-auth/socketio-auth";

/** How long somebody may take to find their key, in milliseconds. */
const PATIENCE = 60_000;

/** Somebody who may sign in. */
export interface Account {
  readonly name: string;
}

/** The site that passkeys are for. */
export interface Site {
  /** Its host name. */
  readonly id: string;
  /** Where its pages come from, for example `https://example.com`. */
  readonly origin: string;
}

/** Everybody's passkeys. In memory; yours is a table with the credential's id as its key. */
export class Passkeys {
  readonly #site: Site;
  readonly #keys = new Map<string, { account: Account; credential: WebAuthnCredential }>();

  constructor(site: Site) {
    this.#site = site;
  }

  /**
   * Registers a new passkey of somebody who is signed in. `ask` has the browser
   * make one, and resolves with what came of it. Resolves whether that was sound.
   */
  async register(account: Account, ask: (options: unknown) => Promise<unknown>): Promise<boolean> {
    const { id, origin } = this.#site;
    const options = await generateRegistrationOptions({
      rpID: id,
      rpName: id,
      userName: account.name,
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: await ask(options) as RegistrationResponseJSON,
      expectedChallenge: options.challenge,
      expectedOrigin: origin,
      expectedRPID: id,
    });
    if (!verified) return false;
    const { credential } = registrationInfo;
    if (this.#keys.has(credential.id)) return false;
    this.#keys.set(credential.id, { account, credential });
    return true;
  }

  /** Finds out whose passkey the client has. Nothing if it has none that is known here. */
  async verify(challenge: VerifyContext["challenge"]): Promise<Account | undefined> {
    const { id, origin } = this.#site;
    // No user name: whichever passkey the person chooses says who they are, and
    // the question does not tell which accounts exist.
    const options = await generateAuthenticationOptions({ rpID: id, userVerification: "required" });
    const response = await challenge({ type: "passkey", options }, { timeout: PATIENCE });
    const known = this.#keys.get(String(Object(response).id));
    if (!known) return undefined;
    try {
      // The challenge is this attempt's own: an answer to any other is worth nothing.
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: response as AuthenticationResponseJSON,
        expectedChallenge: options.challenge,
        expectedOrigin: origin,
        expectedRPID: id,
        credential: known.credential,
      });
      if (!verified) return undefined;
      // A counter that does not grow would be that of a copy.
      known.credential.counter = authenticationInfo.newCounter;
      return known.account;
    } catch {
      // It throws at whatever is not as it should be, which comes from the client.
      return undefined;
    }
  }
}
