import type { Peer } from "./interface.ts";
import { isOverLimit } from "./measure.ts";
import type { Policy } from "./policy.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";
import { Points } from "./throttle.ts";

/** What credentials have come to before the verifier sees them. */
export type Screened =
  | { readonly credentials: unknown; readonly points?: Points<unknown> }
  | { readonly refusal: Unauthorized; readonly failure?: { error: unknown; during: string } };

/**
 * What comes before the verifier: size, schema and throttle, in this order, the
 * cheapest first. At once if there is nothing to wait for.
 */
export function screen<S>(
  policy: Policy<S>,
  peer: Peer<S>,
  credentials: unknown,
): Screened | Promise<Screened> {
  if (isOverLimit(credentials, policy.maxCredentials)) {
    return { refusal: unauthorized("invalid_credentials") };
  }
  if (!policy.credentials && policy.throttles.length === 0) return { credentials };
  return screenSlowly(policy, peer, credentials);
}

async function screenSlowly<S>(
  policy: Policy<S>,
  peer: Peer<S>,
  given: unknown,
): Promise<Screened> {
  let credentials = given;
  let during = "credentials";
  try {
    if (policy.credentials) {
      const result = await policy.credentials["~standard"].validate(given);
      // What is wrong with them might quote them: it is nobody's to see.
      if (result.issues) return { refusal: unauthorized("invalid_credentials") };
      credentials = result.value;
    }
    during = "throttle";
    const points = new Points(policy.throttles);
    const refusal = await points.take(peer, credentials);
    return refusal ? { refusal } : { credentials, points: points as Points<unknown> };
  } catch (error) {
    return { refusal: unauthorized("server_error"), failure: { error, during } };
  }
}
