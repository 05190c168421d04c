/**
 * Calls into code that may throw: hooks of the application, and peers, where
 * its listeners run. Whatever happens there is reported, and ends there.
 *
 * @module
 */
import type { Peer } from "./interface.ts";
import type { Policy } from "./policy.ts";

/** Calls a hook of the application, which may throw or reject. */
export function callHook<S>(
  policy: Policy<S>,
  during: string,
  socket: S,
  call: () => unknown,
): void {
  try {
    Promise.resolve(call()).catch((error) => policy.report(error, { during, socket }));
  } catch (error) {
    policy.report(error, { during, socket });
  }
}

/** Does something to each peer that is still connected, also if one of them throws. */
export function forEachPeer<S>(
  policy: Policy<S>,
  peers: readonly Peer<S>[],
  call: (peer: Peer<S>) => void,
): void {
  for (const peer of peers) {
    if (!peer.connected) continue;
    try {
      call(peer);
    } catch (error) {
      policy.report(error, { during: "gate", socket: peer.socket });
    }
  }
}
