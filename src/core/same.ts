import { isObject, isPlainObject } from "./checks.ts";

/** Returns whether two credentials are equal. Values that cannot be compared are not. */
export function isSame(a: unknown, b: unknown): boolean {
  try {
    return isEqual(a, b);
  } catch {
    // Credentials that the application has found may throw when they are read, or nest for ever.
    return false;
  }
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  if (bytes && others) {
    return bytes.length === others.length && bytes.every((byte, i) => byte === others[i]);
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  // Other objects, such as dates, have state that cannot be seen.
  if (!Array.isArray(a) && !isPlainObject(a)) return false;
  const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]));
}

/**
 * Returns a deep copy of `credentials` for a later comparison. If `credentials` cannot be copied,
 * returns a value that equals nothing.
 */
export function copyOf(credentials: unknown): unknown {
  if (!isObject(credentials)) return credentials;
  // Most credentials are an object of texts, for which `structuredClone` is slow.
  const isFlat = isPlainObject(credentials) && !Object.values(credentials).some(isObject);
  if (isFlat) return { ...credentials };
  try {
    return structuredClone(credentials);
  } catch {
    return Symbol("no copy");
  }
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
