/**
 * Calls into code that may throw: hooks of the application, and peers, where
 * its listeners run. Whatever happens there is reported, and ends there.
 *
 * @module
 */
import type { Peer } from "./interface.ts";
import type { Policy } from "./policy.ts";

/**
 * Calls a hook of the application, which may throw or reject. Then calls
 * `done`: at once, or when the promise has settled that the hook returned.
 */
export function callHook<S>(
  policy: Policy<S>,
  during: string,
  socket: S,
  call: () => unknown,
  done: () => void = () => {},
): void {
  const report = (error: unknown) => policy.report(error, { during, socket });
  try {
    const returned = call();
    if (isThenable(returned)) {
      void Promise.resolve(returned).catch(report).then(done);
      return;
    }
  } catch (error) {
    report(error);
  }
  done();
}

/** Whether it is something to wait for. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
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
