/**
 * Copies binary data that is a small part of a larger buffer, such as a chunk of the network's,
 * which it would keep in memory. Works in place, because no other code has the content yet.
 */
export function compact<T>(content: T): T {
  const root: [T] = [content];
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const next = stack.pop();
    if (typeof next !== "object" || next === null || ArrayBuffer.isView(next)) continue;
    const container = next as Record<string, unknown>;
    for (const key of Object.keys(container)) {
      const value = container[key];
      if (value instanceof Uint8Array && isSmallPart(value)) {
        // `slice()` of a Node `Buffer` does not copy.
        container[key] = Uint8Array.prototype.slice.call(value);
      } else stack.push(value);
    }
  }
  return root[0];
}

function isSmallPart({ byteLength, buffer }: Uint8Array): boolean {
  return buffer.byteLength > 2 * byteLength;
}
