// The `#testing` seam over JSR's @std, for Deno. node.ts is the same over
// node:test and node:assert.
import { describe as stdDescribe } from "@std/testing/bdd";

export { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
export { afterAll, afterEach, it } from "@std/testing/bdd";

/** Servers of npm packages outlive a test by a tick or two: no leak sanitizers. */
export function describe(name: string, fn: () => void): void {
  stdDescribe({ name, fn, sanitizeOps: false, sanitizeResources: false });
}
