import type { ErrorContext } from "./options.ts";
import type { Policy } from "./policy.ts";

/**
 * Calls into code that may throw or reject, a hook of the application mostly:
 * what happens there is reported, and ends there. Then calls `done`: at once, or
 * when the promise has settled that was returned.
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

/** Whether it is something to wait for. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
