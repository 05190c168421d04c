import type { RawHandshake } from "./internals.ts";

/**
 * Returns the payload of a handshake without `pid` and `offset`, which Socket.IO adds for
 * connection state recovery.
 */
function payloadOf({ auth }: RawHandshake): object {
  const { pid: _pid, offset: _offset, ...payload } = auth ?? {};
  return payload;
}

/**
 * Returns the payload of a handshake, and removes it from there: a handshake lives as long as its
 * socket, and travels between nodes.
 */
export function takePayload(handshake: RawHandshake): object {
  const payload = payloadOf(handshake);
  handshake.auth = {};
  return payload;
}

/**
 * Calls `find` with a handshake that has this payload, which is removed from the handshake if
 * `find` reads it.
 */
export function readPayload(
  handshake: RawHandshake,
  find: (handshake: RawHandshake) => unknown,
): unknown {
  const payload = payloadOf(handshake);
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
