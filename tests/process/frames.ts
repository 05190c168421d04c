/** Frames that no decent client sends. */
import fc from "fast-check";

/** Names that mean something inside Socket.IO, or in the language. */
const name = fc.constantFrom(
  ...["authentication", "authenticated", "unauthorized", "challenge", "connect", "disconnect"],
  ...["disconnecting", "connect_error", "error", "newListener", "removeListener", "message"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "", "\u0000", "💥"],
);

const json = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom("", "{", "[", "]", "null", "{}", "[]", "1e999", "-0", '"', "[,]", "NaN"),
  fc.constantFrom(
    '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":{}}}',
    '{"_placeholder":true}',
  ),
  fc.integer({ min: 1, max: 3000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.integer({ min: 1, max: 150_000 }).map((length) => JSON.stringify("x".repeat(length))),
);

/** The arguments of an event, or what passes for them. */
const event = fc.oneof(
  fc.tuple(name, json).map(([name, rest]) => `[${JSON.stringify(name)},${rest}]`),
  fc.tuple(name, fc.array(fc.jsonValue(), { maxLength: 4 })).map((args) =>
    JSON.stringify([args[0], ...args[1]])
  ),
  json,
);

const namespace = fc.constantFrom(
  "",
  "/,",
  "/0,",
  "/1,",
  "/nobody,",
  "/\u0000,",
  "/a?b=c,",
  "//,",
  ",",
);
const id = fc.constantFrom("", "", "0", "7", "99999999999999999999", "-1", "01");
const attachments = fc.constantFrom("", "0-", "1-", "3-", "99999-", "-", "1e3-");

/** What a client may put into CONNECT. */
const connect = fc.oneof(
  json,
  fc.jsonValue().map((token) => JSON.stringify({ token, pid: token, offset: token })),
  fc.constant('{"username":"ada","password":"wrong"}'),
);

const packet = fc.oneof(
  fc.tuple(namespace, connect).map(([nsp, data]) => `40${nsp}${data}`),
  fc.tuple(namespace, id, event).map((parts) => `42${parts.join("")}`),
  fc.tuple(namespace, id, event).map((parts) => `43${parts.join("")}`),
  fc.tuple(attachments, namespace, id, event).map((parts) => `45${parts.join("")}`),
  fc.tuple(attachments, namespace, id, event).map((parts) => `46${parts.join("")}`),
  fc.tuple(fc.constantFrom("41", "44", "47", "4", "49", "4:"), namespace, json).map((parts) =>
    parts.join("")
  ),
  fc.tuple(fc.constantFrom("0", "1", "2", "3", "5", "6", "7", "8", "b", ""), json).map((parts) =>
    parts.join("")
  ),
  fc.string({ maxLength: 200 }),
);

/** One frame: text, or bytes that nobody has announced. */
export type Frame = string | Uint8Array;

const frame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 8, arbitrary: packet },
  // A sound packet with something missing, or something else in it.
  {
    weight: 2,
    arbitrary: fc.tuple(packet, fc.nat(50), fc.string({ maxLength: 3 })).map(([text, at, noise]) =>
      text.slice(0, at) + noise + text.slice(at + noise.length + 1)
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5000 }) },
);

/** What one client sends: over how it gets in, and what follows. */
export interface Visit {
  /** Its first frame: most often a CONNECT, for more to be reached. */
  readonly hello: string;
  readonly frames: readonly Frame[];
}

/** Visits of hostile clients; the same ones for the same seed. */
export function visits(seed: number, count: number): Visit[] {
  const visit = fc.record({
    hello: fc.constantFrom("40", "40", "40", "40/0,", '40{"token":1}', ""),
    frames: fc.array(frame, { minLength: 1, maxLength: 12, size: "max" }),
  });
  return fc.sample(visit, { seed, numRuns: count });
}
