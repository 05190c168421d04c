/**
 * The steps before the verifier is asked: `find` finds and measures the credentials, and `screen`
 * asks the schema and the throttle.
 *
 * @module
 */
import type { Attempt } from "./attempt.ts";
import { isMissing, isNothing, isObject } from "./checks.ts";
import { compact } from "./compact.ts";
import { MAX_DEPTH, measure } from "./measure.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { copyOf } from "./same.ts";
import type { StandardSchema } from "./schema.ts";
import { Points } from "./throttle.ts";

/**
 * Finds and measures the credentials of an attempt: those that the client has sent, or else those
 * of the transport. Returns a refusal, if there is one. A schema decides itself whether it accepts
 * `{}`; `hasSchemaRefused` says that it does not.
 */
export function find<S>(attempt: Attempt<S>, hasSchemaRefused = false): Unauthorized | undefined {
  const { handshake, maxCredentials, credentials: schema } = attempt.guard.policy;
  const isLeftToSchema = schema && isObject(attempt.credentials) && !hasSchemaRefused;
  try {
    if (typeof handshake === "function" && !isLeftToSchema && bringsNone(attempt)) {
      attempt.credentials = attempt.connection.brought(attempt.peer);
      attempt.areFound = true;
      if (isMissing(attempt.credentials)) return unauthorized("authentication_failed");
    }
    const { bytes, depth, isPlain, hasBinary } = measure(attempt.credentials, maxCredentials);
    // What the application has found need not be plain.
    const isBad = bytes > maxCredentials || depth > MAX_DEPTH || !isPlain && !attempt.areFound;
    if (isBad) return unauthorized("invalid_credentials");
    if (hasBinary) attempt.credentials = compact(attempt.credentials);
    // A copy, because the verifier may change the credentials, and others are compared with these.
    if (handshake !== false) attempt.arrived = copyOf(attempt.credentials);
    return undefined;
  } catch (error) {
    // A function of the application has thrown, or what it has found does when it is read.
    return attempt.fail(error, "handshake");
  }
}

/** Returns whether the client has sent no credentials, so that a function may find others. */
function bringsNone<S>({ guard, isBrought, credentials }: Attempt<S>): boolean {
  return typeof guard.policy.handshake === "function" && !isBrought && isNothing(credentials);
}

export async function screen<S>(attempt: Attempt<S>): Promise<Unauthorized | undefined> {
  const { policy, clock } = attempt.guard;
  let during = "credentials";
  try {
    const refusal = policy.credentials && await validate(attempt, policy.credentials);
    if (refusal) return refusal;
    during = "throttle";
    if (attempt.isOver) return undefined;
    attempt.points = new Points(policy.throttle, clock);
    // Credentials of a CONNECT do not belong to the session before the verifier has answered.
    const session = attempt.isBrought ? undefined : attempt.connection.sessionKeys;
    return await attempt.points.take(attempt.peer, attempt.credentials, session);
  } catch (error) {
    return attempt.isOver ? undefined : attempt.fail(error, during);
  }
}

async function validate<S>(
  attempt: Attempt<S>,
  { "~standard": schema }: StandardSchema<unknown>,
): Promise<Unauthorized | undefined> {
  let result = await schema.validate(attempt.credentials);
  if (result.issues && bringsNone(attempt)) {
    const refusal = find(attempt, true);
    if (refusal) return refusal;
    result = await schema.validate(attempt.credentials);
  }
  // The issues may quote the credentials: neither client nor operator is told of them.
  if (result.issues) return unauthorized("invalid_credentials");
  attempt.credentials = result.value;
  return undefined;
}
