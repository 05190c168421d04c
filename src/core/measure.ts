import { isPlainObject } from "./checks.ts";

/** How deeply credentials and answers may nest. */
export const MAX_DEPTH = 32;

/**
 * Returns whether untrusted input of a client has more than `maxBytes`, nests too deeply, or is not
 * plain.
 */
export function isOverLimit(value: unknown, maxBytes: number): boolean {
  const { bytes, depth, isPlain } = measure(value, maxBytes);
  return bytes > maxBytes || depth > MAX_DEPTH || !isPlain;
}

/** The size of a value. */
export interface Size {
  readonly bytes: number;
  readonly depth: number;
  /** The number of values in it, keys included. */
  readonly values: number;
  readonly hasBinary: boolean;
  /**
   * Whether the value consists of null, booleans, numbers, texts, bytes, arrays and plain objects
   * only. Parsers may produce other values.
   */
  readonly isPlain: boolean;
}

/**
 * Measures a decoded value: its approximate size in bytes, and its depth. A string counts its
 * UTF-16 length, binary data its bytes, every other value 8, and every key its length. Stops once
 * `maxBytes` is exceeded, so that the cost is bounded for any input, cycles included.
 */
export function measure(value: unknown, maxBytes: number): Size {
  let bytes = 0;
  let values = 0;
  let deepest = 0;
  let hasBinary = false;
  let isPlain = true;
  const stack: unknown[] = [value];
  const depths: number[] = [0];
  while (stack.length > 0 && bytes <= maxBytes) {
    const given = stack.pop();
    const depth = depths.pop()! + 1;
    values++;
    isPlain &&= given === null || PLAIN.has(typeof given) || Array.isArray(given) ||
      isPlainObject(given) || isBinary(given);
    const next = asSerialized(given);
    if (isBinary(next)) {
      hasBinary = true;
      bytes += next.byteLength + 1;
      continue;
    }
    bytes += typeof next === "string" ? next.length + 1 : 8;
    if (typeof next !== "object" || next === null) continue;
    deepest = Math.max(deepest, depth);
    const keys = Array.isArray(next) ? Array.prototype.keys.call(next) : Object.keys(next);
    for (const key of keys) {
      // Every child counts at least one byte.
      if (bytes + stack.length > maxBytes) {
        return { bytes: maxBytes + 1, depth: deepest, values, hasBinary, isPlain };
      }
      if (typeof key === "string") {
        bytes += key.length + 1;
        values++;
      }
      const child = (next as Record<string | number, unknown>)[key];
      // Most are texts.
      if (typeof child === "string") {
        bytes += child.length + 1;
        values++;
      } else {
        stack.push(child);
        depths.push(depth);
      }
    }
  }
  return { bytes, depth: deepest, values, hasBinary, isPlain };
}

/** Returns what is sent for a value: the result of its `toJSON`, as for documents of an ORM. */
function asSerialized(value: unknown): unknown {
  // Texts and numbers have no `toJSON`. A `Buffer` of Node has one, but is sent as bytes.
  if (typeof value !== "object" && typeof value !== "bigint" && typeof value !== "function") {
    return value;
  }
  if (isBinary(value)) return value;
  const { toJSON } = Object(value);
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}

function isBinary(value: unknown): value is ArrayBufferView | ArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** The types of values that are plain, apart from objects. */
const PLAIN: ReadonlySet<string> = new Set(["undefined", "boolean", "number", "string"]);
