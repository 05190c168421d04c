import type { RawHandshake } from "./internals.ts";

/**
 * Calls `find` with a handshake whose payload has no `pid` and `offset`, which Socket.IO adds for
 * connection state recovery. A payload that `find` reads is removed from the handshake, which lives
 * as long as its socket, and travels between nodes.
 */
export function readPayload(
  handshake: RawHandshake,
  find: (handshake: RawHandshake) => unknown,
): unknown {
  const { pid: _pid, offset: _offset, ...payload } = handshake.auth ?? {};
  let kept = handshake.auth;
  const whole = { configurable: true, enumerable: true };
  Object.defineProperty(handshake, "auth", {
    ...whole,
    get() {
      kept = {};
      return payload;
    },
    set(auth) {
      kept = auth;
    },
  });
  try {
    return find(handshake);
  } finally {
    Object.defineProperty(handshake, "auth", { ...whole, writable: true, value: kept });
  }
}
