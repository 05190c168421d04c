// The `#testing` seam over node:test and node:assert, for Node and Bun (and
// for Deno where JSR cannot be reached). std.ts is the same over @std.
import nodeAssert from "node:assert/strict";

export { after as afterAll, afterEach, describe, it } from "node:test";

export function assert(value: unknown, message?: string): asserts value {
  nodeAssert.ok(value, message);
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepEqual(actual, expected, message);
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, message);
}

// deno-lint-ignore no-explicit-any -- any constructor of an error will do
type ErrorClass<E extends Error> = new (...args: any[]) => E;

export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  Class: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  includes: string = "",
): E {
  try {
    fn();
  } catch (error) {
    return check(error, Class, includes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected function to throw." });
}

export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  Class: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  includes: string = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return check(error, Class, includes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected function to reject." });
}

function check<E extends Error>(error: unknown, Class: ErrorClass<E>, includes: string): E {
  nodeAssert.ok(error instanceof Class, `Expected a ${Class.name}, got ${error}`);
  nodeAssert.ok(error.message.includes(includes), `Expected "${includes}" in "${error.message}"`);
  return error;
}
