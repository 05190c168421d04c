import { isPlainObject } from "./checks.ts";
/** How deeply credentials and answers may nest. */
const MAX_DEPTH = 32;

/** Whether a client has sent what credentials and answers must not be: see {@linkcode isBad}. */
export function isOverLimit(value: unknown, maxBytes: number): boolean {
  return isBad(measure(value, maxBytes), maxBytes, false);
}

/**
 * Whether something is more than `maxBytes`, deeper than credentials and answers may be, or neither
 * plain nor `isTrusted`.
 */
export function isBad(
  { bytes, depth, isPlain }: Size,
  maxBytes: number,
  isTrusted: boolean,
): boolean {
  return bytes > maxBytes || depth > MAX_DEPTH || !isPlain && !isTrusted;
}

/** What something takes. */
export interface Size {
  readonly bytes: number;
  readonly depth: number;
  /** How many values it is made of, keys included. */
  readonly values: number;
  /** Whether there is binary data in it. */
  readonly hasBinary: boolean;
  /**
   * Whether it is made of nothing but null, booleans, numbers, text, bytes, arrays, and objects
   * that inherit nothing but from Object. What parsers make of a packet may be something else.
   */
  readonly isPlain: boolean;
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
  let hasBinary = false;
  let isPlain = true;
  const stack: unknown[] = [value];
  const depths: number[] = [0];
  while (stack.length > 0 && bytes <= maxBytes) {
    const given = stack.pop();
    const depth = depths.pop()! + 1;
    values++;
    if (typeof given === "string") {
      bytes += given.length + 1;
      continue;
    }
    isPlain &&= isPlainItself(given);
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
      // Every child counts at least one byte, so this many are all we need.
      if (stack.length > maxBytes) {
        return { bytes: maxBytes + 1, depth: deepest, values, hasBinary, isPlain };
      }
      if (typeof key === "string") {
        bytes += key.length + 1;
        values++;
      }
      stack.push((next as Record<string | number, unknown>)[key]);
      depths.push(depth);
    }
  }
  return { bytes, depth: deepest, values, hasBinary, isPlain };
}

/** Documents of an ORM, for example, are sent as what their `toJSON` returns. */
function asSerialized(value: unknown): unknown {
  // Texts and the like have none, and a Buffer of Node's has one, but is sent as it is.
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

/** Whether a value is plain, whatever is in it. */
function isPlainItself(value: unknown): boolean {
  if (typeof value !== "object") return !UNUSUAL.has(typeof value);
  return value === null || Array.isArray(value) || isBinary(value) || isPlainObject(value);
}

const UNUSUAL: ReadonlySet<string> = new Set(["bigint", "function", "symbol"]);
