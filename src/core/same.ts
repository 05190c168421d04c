import { isObject, isPlainObject } from "./checks.ts";

/** How deeply it looks; credentials do not nest any deeper. */
const MAX_DEPTH = 40;

/** Whether two credentials say the same. What cannot be compared does not. */
export function isSame(a: unknown, b: unknown): boolean {
  try {
    return isSameTo(MAX_DEPTH, a, b);
  } catch {
    // What the application has found may throw when it is looked at.
    return false;
  }
}

function isSameTo(depth: number, a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (depth === 0 || !isObject(a) || !isObject(b)) return false;
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  if (bytes && others) {
    return bytes.length === others.length && bytes.every((byte, i) => byte === others[i]);
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  // Of anything else, such as a date, not all can be looked at.
  if (!Array.isArray(a) && !isPlainObject(a)) return false;
  const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSameTo(depth - 1, left[key], right[key]));
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
