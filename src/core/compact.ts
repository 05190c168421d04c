/**
 * Copies the binary data in what a client has sent, where it is a small part of a
 * larger buffer: it would keep the whole of that in memory, a chunk of the
 * network's perhaps. In place: it is not shared with anybody yet.
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
        // Not `value.slice()`, which does not copy a Buffer of Node's.
        container[key] = Uint8Array.prototype.slice.call(value);
      } else stack.push(value);
    }
  }
  return root[0];
}

function isSmallPart({ byteLength, buffer }: Uint8Array): boolean {
  return buffer.byteLength > 2 * byteLength;
}
