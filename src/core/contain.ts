import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";

/**
 * Calls code that may throw or reject, such as a hook of the application, and reports its errors.
 * Then calls `done`: at once, or when the returned promise has settled.
 */
export function callHook<S>(
  policy: Policy<S>,
  context: ErrorContext<S>,
  call: () => unknown,
  done: () => void = () => {},
): void {
  const report = (error: unknown) => policy.report(error, context);
  try {
    const returned = call();
    if (isThenable(returned)) {
      void Promise.resolve(returned).catch(report).then(done);
      return;
    }
  } catch (error) {
    report(error);
  }
  done();
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
