import { afterEach } from "#testing";

const disposals: (() => unknown)[] = [];

/**
 * Has `fn` called after the test that is running, last come first served. An error fails the test,
 * after all others were called.
 */
export function onDispose(fn: () => unknown): void {
  disposals.push(fn);
}

/** To be called once in every `describe` whose tests use the kit. */
export function disposeAfterEach(): void {
  afterEach(async () => {
    const errors: unknown[] = [];
    while (disposals.length > 0) {
      try {
        await disposals.pop()!();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
}
