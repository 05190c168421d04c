import { isAuthError, refusalOf } from "./errors.ts";
import type { Peer } from "./interface.ts";
import type { Policy } from "./policy.ts";
import { type Unauthorized, unauthorized } from "../protocol.ts";

/** The refusals of sockets, or `undefined` for sockets that may have their namespace. */
export type Rights<S> = ReadonlyMap<Peer<S>, Unauthorized | undefined>;

/** Asks whether a user may have the namespaces of sockets. Rejects as `refusalFor` does. */
export async function rightsOf<S>(
  policy: Policy<S>,
  user: unknown,
  peers: readonly Peer<S>[],
): Promise<Rights<S>> {
  const ask = async (peer: Peer<S>) => [peer, await refusalFor(policy, user, peer)] as const;
  return new Map(await Promise.all(peers.map(ask)));
}

/**
 * Resolves with the refusal, if a user must not have the namespace of a socket. Rejects with what
 * `authorize` throws, unless that is an `AuthError`.
 */
export async function refusalFor<S>(
  policy: Policy<S>,
  user: unknown,
  { socket }: Peer<S>,
): Promise<Unauthorized | undefined> {
  try {
    const mayHave = await policy.authorize!(user, socket);
    return mayHave ? undefined : unauthorized("forbidden");
  } catch (error) {
    if (!isAuthError(error)) throw error;
    const { refusal, error: unclear } = refusalOf(error);
    if (unclear !== undefined) policy.report(unclear, { during: "authorize", socket });
    const hasOwnCode = refusal.code !== "authentication_error";
    return hasOwnCode ? refusal : { ...refusal, code: "forbidden" };
  }
}
