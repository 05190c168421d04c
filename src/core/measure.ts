/** How deeply credentials and answers may nest. */
const MAX_DEPTH = 32;

/** Whether a client has sent more than `maxBytes`, or deeper than credentials and answers may be. */
export function isOverLimit(value: unknown, maxBytes: number): boolean {
  const { bytes, depth } = measure(value, maxBytes);
  return bytes > maxBytes || depth > MAX_DEPTH;
}

/** What something takes. */
export interface Size {
  readonly bytes: number;
  readonly depth: number;
  /** How many values it is made of, keys included. */
  readonly values: number;
}

/**
 * The approximate size of a decoded value in bytes, and how deeply it nests: a
 * string counts its UTF-16 length, binary data its bytes, every other value 8,
 * every key its length. It stops as soon as `maxBytes` is passed, so that its
 * cost is bounded whatever a client sends (or a cycle holds).
 */
export function measure(value: unknown, maxBytes: number): Size {
  let bytes = 0;
  let values = 0;
  let deepest = 0;
  const stack: unknown[] = [value];
  const depths: number[] = [0];
  while (stack.length > 0 && bytes <= maxBytes) {
    const next = asSerialized(stack.pop());
    const depth = depths.pop()!;
    values++;
    const children = expand(next);
    if (!children) {
      bytes += sizeOf(next);
      continue;
    }
    deepest = Math.max(deepest, depth + 1);
    bytes += 8;
    for (const child of children) {
      // Every child counts at least one byte, so this many are all we need.
      if (stack.length > maxBytes) return { bytes: maxBytes + 1, depth: deepest, values };
      stack.push(child);
      depths.push(depth + 1);
    }
  }
  return { bytes, depth: deepest, values };
}

/** Documents of an ORM, for example, are sent as what their `toJSON` returns. */
function asSerialized(value: unknown): unknown {
  // A Buffer of Node's has one, but is sent as it is.
  if (isBinary(value)) return value;
  const { toJSON } = Object(value);
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}

/** The children of an object or array, keys among them; nothing for a leaf. */
function expand(value: unknown): Iterable<unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isBinary(value)) return undefined;
  return Array.isArray(value) ? value : entries(value);
}

function* entries(object: object): Iterable<unknown> {
  for (const key in object) {
    yield key;
    yield (object as Record<string, unknown>)[key];
  }
}

function sizeOf(leaf: unknown): number {
  if (typeof leaf === "string") return leaf.length + 1;
  return isBinary(leaf) ? leaf.byteLength + 1 : 8;
}

function isBinary(value: unknown): value is ArrayBufferView | ArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}
