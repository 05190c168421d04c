import { isMissing, isNothing, isObject } from "./checks.ts";
import { compact } from "./compact.ts";
import type { Connection } from "./connection.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { isBad, measure } from "./measure.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import type { StandardSchema } from "./schema.ts";
import { Points } from "./throttle.ts";

/**
 * What credentials go through before the verifier sees them: `look` finds and measures them, and
 * `finish` asks the schema and the throttle.
 */
export class Screening<S> {
  /** The credentials, as the schema has returned them if there is one. */
  credentials: unknown;
  /** The credentials as they came, where others may come with a CONNECT. */
  arrived: unknown;
  /** The points that they have taken. */
  points: Points<S> | undefined;
  readonly #connection: Connection<S, unknown>;
  readonly #guard: Guard<S, unknown>;
  readonly #peer: Peer<S>;
  readonly #isBrought: boolean;
  /** Whether the credentials are what a function in the option `handshake` has found. */
  #areFound: boolean;
  #isOver = false;

  constructor(
    connection: Connection<S, unknown>,
    peer: Peer<S>,
    credentials: unknown,
    isBrought: boolean,
  ) {
    this.#connection = connection;
    this.#guard = connection.guard;
    this.#peer = peer;
    this.#isBrought = isBrought;
    this.credentials = this.arrived = credentials;
    this.#areFound = isBrought && typeof this.#guard.policy.handshake === "function";
  }

  /** The attempt is over. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether there is more than a look. */
  get takesTime(): boolean {
    const { credentials, throttle } = this.#guard.policy;
    return credentials !== undefined || throttle.length > 0;
  }

  /** Finds and measures the credentials. Returns a refusal, if there is one. */
  look(): Unauthorized | undefined {
    // A schema says whether it takes `{}`.
    const isLeftToSchema = this.#guard.policy.credentials && isObject(this.credentials);
    return this.#isNone && !isLeftToSchema ? this.#takeBrought() : this.#measure();
  }

  /** Whether the client brings no credentials of its own, where the server finds others. */
  get #isNone(): boolean {
    const { handshake } = this.#guard.policy;
    return typeof handshake === "function" && !this.#isBrought && isNothing(this.credentials);
  }

  /** Takes the credentials of the transport. Returns a refusal if there are none. */
  #takeBrought(): Unauthorized | undefined {
    try {
      this.credentials = this.#connection.brought(this.#peer);
    } catch (error) {
      return this.#fail(error, "handshake");
    }
    this.#areFound = true;
    return isMissing(this.credentials) ? unauthorized("authentication_failed") : this.#measure();
  }

  /** Refuses what is too large; and what is not plain, unless the application has found it. */
  #measure(): Unauthorized | undefined {
    const { maxCredentials } = this.#guard.policy;
    try {
      const size = measure(this.credentials, maxCredentials);
      const isPlain = size.isPlain || this.#areFound;
      if (isBad({ ...size, isPlain }, maxCredentials)) return unauthorized("invalid_credentials");
      if (size.hasBinary) this.credentials = compact(this.credentials);
      // The verifier may change what it is given, and others are compared with what came.
      if (this.#guard.policy.handshake !== false) this.arrived = copy(this.credentials);
      return undefined;
    } catch (error) {
      // What the application has found may throw when it is looked at.
      return this.#fail(error, "handshake");
    }
  }

  /** Asks the schema and the throttle. Resolves with a refusal, if they have one. */
  async finish(): Promise<Unauthorized | undefined> {
    const { policy, clock } = this.#guard;
    let during = "credentials";
    try {
      const refusal = policy.credentials && await this.#validate(policy.credentials);
      if (refusal) return refusal;
      during = "throttle";
      if (this.#isOver) return undefined;
      this.points = new Points(policy.throttle, clock);
      // Whoever comes with a CONNECT is a stranger until the verifier has answered.
      const session = this.#isBrought ? undefined : this.#connection.sessionKeys;
      return await this.points.take(this.#peer, this.credentials, session);
    } catch (error) {
      return this.#isOver ? undefined : this.#fail(error, during);
    }
  }

  async #validate(schema: StandardSchema<unknown>): Promise<Unauthorized | undefined> {
    let result = await schema["~standard"].validate(this.credentials);
    if (result.issues && this.#isNone) {
      const refusal = this.#takeBrought();
      if (refusal) return refusal;
      result = await schema["~standard"].validate(this.credentials);
    }
    // The issues may quote the credentials: neither client nor operator is told of them.
    if (result.issues) return unauthorized("invalid_credentials");
    this.credentials = result.value;
    return undefined;
  }

  #fail(error: unknown, during: string): Unauthorized {
    this.#guard.policy.report(error, { during, socket: this.#peer.socket });
    return unauthorized("server_error");
  }
}

/** A copy that nobody else has; of what cannot be copied, something that equals nothing. */
function copy(credentials: unknown): unknown {
  try {
    return structuredClone(credentials);
  } catch {
    return Symbol("no copy");
  }
}
